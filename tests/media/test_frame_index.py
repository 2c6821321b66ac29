"""Frames of a long film found by its table are the frames that listing the whole of it finds."""

from __future__ import annotations

import numpy as np
import pytest

from mvr.media import frames
from mvr.media.container import open_media
from mvr.media.frame_index import key_times_s, partial_index
from mvr.media.frames import sample_frames
from mvr.media.limits import DEFAULT_LIMITS
from mvr.media.probe import probe

CODING = {
    "long.mp4": ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", 3, "-g", 30, "-crf", 20],
    "long.mov": ["-c:v", "mpeg4", "-q:v", 5, "-bf", 2, "-g", 12],
    "long-plain.mp4": ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", 0, "-g", 45, "-sc_threshold", 0],
}
TIMES = [0.4, 0.5, 5.02, 5.99, 6.0, 11.0, 11.96, -1.0, 99.0]


@pytest.fixture(params=CODING)
def film(request, ffmpeg, tmp_path_factory):
    """12 s at 25 fps with cuts of its own."""
    path = tmp_path_factory.mktemp("film") / request.param
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:d=12:r=25", *CODING[request.param], path)
    return path


def test_the_frames_are_those_of_the_whole_list(film, monkeypatch):
    with open_media(film, DEFAULT_LIMITS) as media:
        index = partial_index(media, media.picture(), TIMES)
    assert index is not None and index.partial and len(index.pts) < 290
    found = sample_frames(film, times_s=TIMES)
    monkeypatch.setattr(frames, "partial_index", lambda *_: None)
    listed = sample_frames(film, times_s=TIMES)
    np.testing.assert_array_equal(found.times_s, listed.times_s)
    np.testing.assert_array_equal(found.images, listed.images)


def test_key_frames_are_where_the_packets_say(film):
    with open_media(film, DEFAULT_LIMITS) as media:
        stream = media.picture()
        keys = [float(p.pts * p.time_base) for p in media.packets(stream) if p.size and p.is_keyframe]
    assert len(keys) >= 3
    late = key_times_s(film) - keys  # where few or no frames come between, as at the end, it is said too late
    assert (late > -1e-6).all() and late.max() < 0.09 and np.median(late) < 1e-6


def test_the_length_is_read_from_the_end_of_the_film_alone(film, monkeypatch):
    whole = probe(film).duration_s
    assert whole == pytest.approx(12, abs=0.05)
    copy = film.with_name(f"copy-{film.name}")
    copy.write_bytes(film.read_bytes())
    monkeypatch.setattr("mvr.media.probe._last_packets", lambda _media: [])
    assert probe(copy).duration_s == whole


def test_where_the_table_cannot_be_believed_there_is_no_short_way(film, ffmpeg, tmp_path):
    fragmented, cut = tmp_path / "fragments.mp4", tmp_path / "cut.mp4"
    ffmpeg("-i", film, "-c", "copy", "-movflags", "frag_keyframe+empty_moov", fragmented)
    ffmpeg("-i", film, "-c", "copy", "-movflags", "+faststart", cut)
    cut.write_bytes(cut.read_bytes()[:-2000])
    for path in (fragmented, cut):
        assert len(key_times_s(path)) == 0
        with open_media(path, DEFAULT_LIMITS) as media:
            assert partial_index(media, media.picture(), TIMES) is None

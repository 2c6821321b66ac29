from __future__ import annotations

import av
import numpy as np
import pytest

from mvr.errors import MediaError, NotMedia, Truncated, UnsupportedCodec
from mvr.media.container import can_wind_back, from_start, open_media
from mvr.media.ffmpeg import input_arguments, run_ffmpeg
from mvr.media.frames import sample_frames
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.probe import probe


@pytest.mark.parametrize(
    ("name", "data", "error", "match"),
    [
        ("empty.mp4", b"", NotMedia, "empty"),
        ("text.mp4", b"this is no video at all\n" * 50, NotMedia, "not a video or sound file"),
        ("picture.mp4", b"\x89PNG\r\n\x1a\n" + bytes(100), NotMedia, r"a picture \(PNG\)"),
        ("header.mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", Truncated, "breaks off"),
        (
            "page.webm",
            b"<html><video src='http://example.org/x.mp4'></html>",
            NotMedia,
            "not a video or sound file",
        ),
    ],
)
def test_what_is_no_media_is_named_in_one_sentence(tmp_path, name, data, error, match):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(error, match=match) as caught:
        probe(path)
    assert str(caught.value).startswith(name) and "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(NotMedia, match="no such file"):
        probe(tmp_path / "gone.mp4")
    with pytest.raises(NotMedia, match="is a folder"):
        probe(tmp_path)


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{secret}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{secret}'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>'
    "<BaseURL>{secret}</BaseURL></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
}


@pytest.mark.parametrize("kind", sorted(PLAYLISTS))
@pytest.mark.parametrize("extension", ["mp4", "m3u8", "mpd", "ffconcat", "sdp"])
def test_a_playlist_never_opens_another_file(plain_clip, tmp_path, kind, extension):
    path = tmp_path / f"innocent.{extension}"
    path.write_text(PLAYLISTS[kind].format(secret=plain_clip), encoding="utf-8")
    said = r"this is a playlist \(M3U\)" if kind == "hls" else "not a video or sound file"
    with pytest.raises(MediaError, match=said):
        sample_frames(path, count=1)
    with pytest.raises(MediaError, match="cannot be converted"):
        run_ffmpeg([*input_arguments(path, DEFAULT_LIMITS), "-f", "null", "-"], path, timeout_s=200)


@pytest.mark.parametrize(
    "name", ["-leading-dash.mp4", "a:b.mp4", "видео 🎵.mp4", "100%d.mp4", "x'y\"z.mp4", "a|b?.mp4"]
)
def test_any_file_name_will_do(plain_clip, tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(plain_clip.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert len(sample_frames(name, count=2)) == 2
    from pathlib import Path

    run_ffmpeg([*input_arguments(Path(name), DEFAULT_LIMITS), "-f", "null", "-"], Path(name), timeout_s=200)


def test_a_codec_that_is_not_on_the_list_is_refused(ffmpeg, tmp_path):
    path = tmp_path / "animation.mov"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-c:v", "qtrle", path)
    with pytest.raises(UnsupportedCodec, match="codec qtrle"):
        probe(path)


def test_too_many_damaged_packets_end_it(numbered, tmp_path):
    clip = numbered("damage.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", 10, "-crf", 1])
    data = bytearray(clip.read_bytes())
    start = data.index(b"mdat") + 800
    for at in range(start, len(data) - 3000, 40):
        data[at : at + 8] = b"\xff" * 8
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    with pytest.raises(Truncated, match="too damaged to use, 3 packets"):
        sample_frames(path, rate_hz=30, limits=MediaLimits(decode_errors=2))


def test_the_deadline_of_an_open_file_runs(plain_clip):
    with open_media(plain_clip, MediaLimits(timeout_s=3600)) as media:
        assert 3000 < media.deadline.left_s <= 3600


def _seen(container):
    stream = container.streams.video[0]
    return [(p.pts, p.dts, p.duration, p.is_keyframe, p.size) for p in container.demux(stream) if p.size]


@pytest.mark.parametrize("cut", [[], ["-ss", "0.4"]], ids=["whole", "with an edit list"])
def test_a_file_that_is_wound_back_is_as_if_opened_afresh(ffmpeg, tmp_path, numbered, cut):
    """Frames out of order (B frames) and an edit list are what a seek to the start could get wrong."""
    arguments = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", 3, "-g", 12, "-crf", 12]
    source, clip = numbered("gop12-bframes.mp4", arguments), tmp_path / "clip.mp4"
    ffmpeg(*cut, "-i", source, "-c", "copy", clip)
    with av.open(str(clip)) as fresh:
        packets = _seen(fresh)
    with av.open(str(clip)) as fresh:
        frames = [(frame.pts, frame.to_ndarray()) for frame in fresh.decode(video=0)]
    with open_media(clip, MediaLimits()) as media:
        assert can_wind_back(media)
        for _ in range(2):
            with from_start(media) as again:
                assert _seen(again.container) == packets
        with from_start(media) as again:
            found = [(frame.pts, frame.to_ndarray()) for frame in again.pictures(again.picture())]
        assert not can_wind_back(media), "its decoder holds what it has seen"
    assert [pts for pts, _ in found] == [pts for pts, _ in frames] and len(frames) > 10
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found, frames, strict=True))


def test_to_look_into_a_file_and_to_sample_it_opens_it_once_each(plain_clip, ffmpeg, tmp_path, monkeypatch):
    opened: list[str] = []
    real = av.open

    def counted(path, *args, **kwargs):
        opened.append(path)
        return real(path, *args, **kwargs)

    clip, film = tmp_path / "copy.mp4", tmp_path / "copy.mkv"
    ffmpeg("-i", plain_clip, "-c", "copy", clip)
    ffmpeg("-i", plain_clip, "-c", "copy", film)
    monkeypatch.setattr(av, "open", counted)
    probe(clip)
    assert len(opened) == 1
    frames = sample_frames(clip, count=4)
    assert len(opened) == 2
    assert np.array_equal(sample_frames(film, count=4).images, frames.images)
    assert len(opened) > 3, "Matroska is opened afresh for every pass"

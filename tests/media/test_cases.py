"""The self-made files of ../shared/cases: what was decoded is what they are."""

from __future__ import annotations

import numpy as np
import pytest

from mvr.backbones.descriptors import MusicDescriptors
from mvr.datatypes import Segment
from mvr.media.frames import sample_frames
from mvr.media.loudness import RATE_HZ, measure_loudness
from mvr.media.mux import MuxSettings, mux_music
from mvr.media.probe import probe
from mvr.media.proxy import make_proxy
from mvr.media.sound import read_sound

pytestmark = pytest.mark.real_data

LENGTHS_S = {
    "vbr_no_xing_quiet_start.mp3": 8.63,
    "adts_quiet_start.aac": 9.03,
    "chained.ogg": 15.0,
    "chained.opus": 15.0,
    "subtitle_longer_than_picture.mkv": 6.0,
    "joined_clock_restarts.ts": 10.08,
    "float_low_level.wav": 6.0,
    "antiphase_a.flac": 4.0,
    "antiphase_b.flac": 4.0,
}


@pytest.mark.parametrize("name", LENGTHS_S)
def test_a_file_is_as_long_as_what_is_in_it(shared, name):
    path = shared / "cases" / name
    assert probe(path).duration_s == pytest.approx(LENGTHS_S[name], abs=0.03)
    assert len(read_sound(path, RATE_HZ)) / RATE_HZ == pytest.approx(LENGTHS_S[name], abs=0.03)


def test_a_chained_recording_holds_both_pieces(shared):
    for name in ("chained.ogg", "chained.opus"):
        sound = read_sound(shared / "cases" / name, RATE_HZ)
        blocks = sound[: len(sound) // RATE_HZ * RATE_HZ].reshape(-1, RATE_HZ).std(axis=1)
        assert (blocks > 0.01).all(), name


def test_a_joined_recording_is_the_same_for_picture_sound_export_and_copy(shared, tmp_path):
    clip = shared / "cases" / "joined_clock_restarts.ts"
    frames = sample_frames(clip, rate_hz=2, max_side_px=96)
    assert (np.diff(frames.times_s) > 0.4).all() and frames.times_s[-1] > 9.9
    mux_music(clip, shared / "cases" / "vorbis_comment.flac", tmp_path / "export.mp4", MuxSettings())
    make_proxy(clip, tmp_path / "copy.mp4")
    for made in (tmp_path / "export.mp4", tmp_path / "copy.mp4"):
        info = probe(made)
        assert info.duration_s == pytest.approx(10.08, abs=0.05)
        again = sample_frames(made, times_s=frames.times_s + 0.02, max_side_px=96).images
        assert np.abs(again.astype(int) - frames.images).mean(axis=(1, 2, 3)).max() < 5
        assert len(read_sound(made, RATE_HZ)) / RATE_HZ == pytest.approx(10.08, abs=0.05)


def test_a_field_recording_without_gain_is_played(shared, plain_clip, tmp_path):
    mux_music(plain_clip, shared / "cases" / "float_low_level.wav", tmp_path / "out.mp4")
    assert measure_loudness(tmp_path / "out.mp4").integrated_lufs == pytest.approx(-16, abs=0.5)


def test_two_pieces_whose_sides_cancel_have_features_of_their_own(shared):
    backbone = MusicDescriptors()
    a, b = (
        backbone.encode(backbone.preprocess(shared / "cases" / name, [Segment(start_s=0.0, end_s=4.0)]))[0]
        for name in ("antiphase_a.flac", "antiphase_b.flac")
    )
    assert np.abs(a - b).max() > 1.0

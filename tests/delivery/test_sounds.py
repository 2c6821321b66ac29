"""The sounds beside a timeline, read back as plain WAV."""

from __future__ import annotations

import itertools
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mvr.delivery.laying import lay_file, lay_film
from mvr.delivery.plan import level_db, plain_pieces
from mvr.delivery.sounds import write_music, write_own_sound
from mvr.errors import NoSound, UsageError
from mvr.media.loudness import measure_loudness
from mvr.media.mux import MuxSettings


def read_wav(path: Path) -> tuple[np.ndarray, int, int]:
    """Samples (n, channels) as fractions of full scale, rate, bits."""
    from scipy.io import wavfile

    rate_hz, samples = wavfile.read(path)  # 24 bits come as the upper bits of 32
    assert samples.dtype == np.int32
    return samples / 2**31, rate_hz, 8 * probe_bytes(path)


def probe_bytes(path: Path) -> int:
    """Bytes per sample, by the file's own header: block alignment over channels."""
    head = path.read_bytes()[:40]
    return int.from_bytes(head[32:34], "little") // int.from_bytes(head[22:24], "little")


@pytest.mark.parametrize("wanted_lufs", [-16.0, -23.0])
def test_the_fitted_music_is_24_bit_at_48_khz_as_long_as_the_picture_and_as_loud_as_asked(
    film: Callable[..., Path], make_tone: Callable[..., Path], tmp_path: Path, wanted_lufs: float
) -> None:
    laid = lay_film(film("levels.mp4", "25", 200))
    sound = lay_file(make_tone(tmp_path / "short.wav", seconds=5.0), laid, 1.0)
    out = tmp_path / "music.wav"
    written = write_music(sound, laid, out, MuxSettings(loudness_lufs=wanted_lufs))
    samples, rate_hz, bits = read_wav(out)
    assert (rate_hz, bits, samples.shape) == (48000, 24, (8 * 48000, 2))
    assert written.integrated_lufs == pytest.approx(wanted_lufs, abs=0.3)
    assert measure_loudness(out).true_peak_dbtp <= -1.5 + 1e-6


def test_music_far_below_full_scale_is_as_loud_beside_a_timeline_as_any(
    film: Callable[..., Path], tmp_path: Path
) -> None:
    laid = lay_film(film("faint.mp4", "25", 100))
    hiss = 1e-4 * np.random.default_rng(3).standard_normal((5 * 48_000, 2))
    soundfile.write(tmp_path / "faint.wav", hiss, 48_000, "FLOAT")
    written = write_music(
        lay_file(tmp_path / "faint.wav", laid, 0.0), laid, tmp_path / "music.wav", MuxSettings()
    )
    assert written.integrated_lufs == pytest.approx(-16, abs=0.3)


def test_the_clip_s_own_sound_is_written_sample_by_sample(
    make_clip: Callable[..., Path], make_tone: Callable[..., Path], run_ffmpeg, tmp_path: Path
) -> None:
    tone = make_tone(tmp_path / "tone.wav", seconds=2.0, rate_hz=48000)
    picture = make_clip(tmp_path / "picture.mp4", seconds=2.0)
    run_ffmpeg("-i", picture, "-i", tone, "-c:v", "copy", "-c:a", "pcm_s16le", tmp_path / "clip.mov")
    write_own_sound(lay_film(tmp_path / "clip.mov"), tmp_path / "own.wav")
    samples, rate_hz, bits = read_wav(tmp_path / "own.wav")
    with wave.open(str(tone)) as file:
        wanted = np.frombuffer(file.readframes(96000), "<i2").reshape(-1, 2) / 2**15
    assert (rate_hz, bits) == (48000, 24)
    np.testing.assert_allclose(samples, wanted, atol=2**-22)


def test_a_clip_without_sound_has_none_to_write(film: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(NoSound, match="no sound"):
        write_own_sound(lay_film(film("mute.mp4", "25", 20, sound=False)), tmp_path / "own.wav")
    assert not (tmp_path / "own.wav").exists()


def test_pieces_fill_the_clip_without_gap_and_start_over_at_the_middle_of_the_crossfade() -> None:
    pieces = plain_pieces(7.0, 10.0, 20.0)
    assert (pieces[0].source_start_s, pieces[0].duration_s) == (7.0, 2.25), (
        "3 s are left, half a crossfade of 1.5 s less"
    )
    assert pieces[1].source_start_s == 0.75 and pieces[-1].start_s + pieces[-1].duration_s == 20.0
    for before, after in itertools.pairwise(pieces):
        assert after.start_s == pytest.approx(before.start_s + before.duration_s)
        assert before.source_start_s + before.duration_s <= 10.0


def test_pieces_leave_the_faintest_end_of_the_fade_out_to_a_track_that_is_a_frame_too_short() -> None:
    [piece] = plain_pieces(1.0, 12.95, 12.0)
    assert (piece.source_start_s, piece.duration_s) == (1.0, pytest.approx(11.95))
    assert len(plain_pieces(1.0, 12.85, 12.0)) == 2


def test_music_cannot_start_after_its_end() -> None:
    with pytest.raises(UsageError, match=r"10\.0 s long; it cannot start at 10 s"):
        plain_pieces(10.0, 10.0, 5.0)


def test_no_level_lifts_a_peak_over_the_limit_or_turns_music_down_for_it() -> None:
    assert level_db(-30.0, -10.0) == 8.5 and level_db(-8.0, 1.0) == -8.0
    assert level_db(-40.0, None) == 12.0, "the most that an editor's level control gives"

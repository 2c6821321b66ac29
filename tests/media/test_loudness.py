from __future__ import annotations

import re
import subprocess
import tracemalloc

import imageio_ffmpeg
import numpy as np
import pytest

from mvr.errors import NotFinite, UsageError
from mvr.media.loudness import RATE_HZ, LoudnessMeter, loudness_of, measure_loudness


def ebur128(path):
    """ffmpeg's own meter: integrated loudness and true peak."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-nostats",
        "-i",
        str(path),
        "-af",
        "ebur128=peak=true",
        "-f",
        "null",
        "-",
    ]
    summary = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rsplit(
        "Summary:", 1
    )[1]
    integrated = float(re.search(r"I:\s+(-?[\d.]+) LUFS", summary).group(1))
    return integrated, float(re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary).group(1))


def sounds(rate_hz):
    rng = np.random.default_rng(5)
    time = np.arange(6 * rate_hz) / rate_hz
    noise = np.fft.rfft(rng.standard_normal((len(time), 2)), axis=0)
    noise[int(0.7 * len(noise)) :] = 0  # next to half the rate, resamplers differ
    loud_then_quiet = np.fft.irfft(noise, axis=0) * np.where(time < 3, 0.2, 0.002)[:, None]
    speech_like = np.sin(2 * np.pi * 180 * time) * (np.sin(2 * np.pi * 0.7 * time) > 0) * 0.5
    return {
        "sine": np.stack([np.sin(2 * np.pi * 997 * time) * 0.5] * 2, axis=1),
        "one side": np.stack([np.sin(2 * np.pi * 60 * time) * 0.7, np.zeros(len(time))], axis=1),
        "gated": loud_then_quiet,
        "pauses": np.stack([speech_like, speech_like * 0.3], axis=1),
        "bright": np.stack([np.sin(2 * np.pi * 9000 * time)] * 2, axis=1) * 0.2,
    }


@pytest.mark.parametrize("rate_hz", [44100, 48000, 16000])
@pytest.mark.parametrize("name", sorted(sounds(8000)))
def test_loudness_agrees_with_ffmpegs_meter(write_wav, tmp_path, name, rate_hz):
    samples = sounds(rate_hz)[name]
    if rate_hz == 16000 and name == "bright":
        samples = sounds(rate_hz)["sine"]  # 9 kHz does not exist at 16 kHz
    path = write_wav(tmp_path / "sound.wav", samples, rate_hz)
    integrated, peak = ebur128(path)
    ours = measure_loudness(path)
    assert ours.integrated_lufs == pytest.approx(integrated, abs=0.15)  # printed to 0.1
    assert ours.true_peak_dbtp == pytest.approx(peak, abs=0.55)  # what the standard allows a meter of 4 x


def test_a_full_scale_tone_on_both_sides_reads_as_the_standard_says():
    # ITU-R BS.1770-4: a 0 dBFS, 997 Hz sine in one front channel reads -3.01 LUFS; in both, 0.00
    time = np.arange(5 * 48000) / 48000
    tone = np.sin(2 * np.pi * 997 * time).astype(np.float32)
    one = np.stack([tone, np.zeros_like(tone)], axis=1)
    assert loudness_of(one, 48000).integrated_lufs == pytest.approx(-3.01, abs=0.05)
    assert loudness_of(tone, 48000).integrated_lufs == pytest.approx(0.0, abs=0.05)


def test_a_peak_between_the_samples_is_seen():
    # a quarter of the rate, 45 degrees off: samples at 0.707, the wave between them at 1
    wave = np.sin(np.pi / 2 * np.arange(48000) + np.pi / 4).astype(np.float32)
    assert np.abs(wave).max() == pytest.approx(np.sqrt(0.5), abs=1e-4)
    assert loudness_of(wave, 48000).true_peak_dbtp == pytest.approx(0.0, abs=0.1)


def test_silence_has_no_loudness():
    silence = loudness_of(np.zeros((48000, 2), np.float32), 48000)
    assert silence.integrated_lufs is None and silence.true_peak_dbtp is None
    faint = loudness_of(np.full((48000, 2), 1e-6, np.float32) * np.resize([1, -1], (48000, 2)), 48000)
    assert faint.integrated_lufs is None and faint.true_peak_dbtp == pytest.approx(-120, abs=2)


@pytest.mark.parametrize("length", [1, 10, 480, 4800, 19199, 19200, 19201])
def test_short_sound_is_measured_as_if_it_repeated(length):
    wave = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(length) / 48000 + 0.7)).astype(np.float32)
    level = loudness_of(wave, 48000)
    assert level.true_peak_dbtp is not None
    if length >= 480:  # whole periods: the level of the endless tone
        assert level.integrated_lufs == pytest.approx(-6.0, abs=0.15)


def test_gain_moves_loudness_by_as_much():
    noise = np.random.default_rng(0).standard_normal((96000, 2)).astype(np.float32) * 0.05
    before, after = loudness_of(noise, 48000), loudness_of(noise * np.float32(10 ** (6 / 20)), 48000)
    assert after.integrated_lufs - before.integrated_lufs == pytest.approx(6, abs=0.01)
    assert after.true_peak_dbtp - before.true_peak_dbtp == pytest.approx(6, abs=0.01)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(NotFinite, match="NaN"):
        loudness_of(np.array([0.0, np.nan], np.float32), 48000)
    for samples in (np.zeros(0, np.float32), np.zeros((9, 3), np.float32)):
        with pytest.raises(UsageError, match="samples must be"):
            loudness_of(samples, 48000)


@pytest.mark.parametrize("length", [19_201, 100_000, 146_399, 146_401, 1_000_000])
def test_the_meter_reads_what_pyloudnorm_reads(length):
    import pyloudnorm

    rng = np.random.default_rng(length)
    level = np.interp(np.arange(length), [0, length / 2, length], [0.3, 0.001, 0.2])
    samples = (rng.standard_normal((length, 2)) * level[:, None] * (1, 0.4)).astype(np.float32)
    wanted = pyloudnorm.Meter(48000, filter_class="DeMan").integrated_loudness(samples)
    assert loudness_of(samples, 48000).integrated_lufs == pytest.approx(wanted, abs=1e-5)


def test_blocks_of_any_size_are_measured_as_the_whole():
    samples = (0.2 * np.random.default_rng(6).standard_normal((300_000, 2))).astype(np.float32)
    meter, at = LoudnessMeter(), 0
    for size in (1, 960, 47, 100_000, 60_000, 138_992):
        meter.push(samples[at : at + size])
        at += size
    whole = loudness_of(samples, 48000)
    found = meter.result()
    assert found.integrated_lufs == pytest.approx(whole.integrated_lufs, abs=1e-9)
    assert found.true_peak_dbtp == pytest.approx(whole.true_peak_dbtp, abs=1e-4)


def test_a_whole_track_is_measured_in_bounded_memory_to_the_same_numbers():
    rng = np.random.default_rng(8)
    track = np.clip(rng.standard_normal((100 * RATE_HZ, 2)) * 0.1, -1, 1).astype(np.float32)
    by_seconds = LoudnessMeter()
    for first in range(0, len(track), RATE_HZ):
        by_seconds.push(track[first : first + RATE_HZ])
    meter = LoudnessMeter()
    tracemalloc.start()
    try:
        meter.push(track)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert meter.result() == by_seconds.result()
    assert peak < 2 * track.nbytes

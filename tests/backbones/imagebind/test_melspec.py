"""Mel spectrograms against the published loader's, and the filter bank against its definition in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from mvr.backbones.imagebind import AudioClips, preprocess_audio
from mvr.backbones.imagebind.melspec import kaldi_fbank
from mvr.errors import NoSound, UsageError, WrongShape

GOLDEN = load_file(Path(__file__).parents[2] / "golden" / "imagebind_melspec.safetensors")
NAMES = sorted({key.split("/")[0] for key in GOLDEN})


@pytest.mark.parametrize("name", NAMES)
def test_mel_spectrograms_equal_the_published_loader(name: str):
    found = preprocess_audio(GOLDEN[f"{name}/waveform"][0])
    np.testing.assert_allclose(found, GOLDEN[f"{name}/melspec"], rtol=0, atol=1e-4)


def test_the_waveform_is_not_edited():
    waveform = GOLDEN["ten_seconds/waveform"][0].copy()
    preprocess_audio(waveform)
    np.testing.assert_array_equal(waveform, GOLDEN["ten_seconds/waveform"][0])


def slow_fbank(waveform: np.ndarray) -> np.ndarray:
    """Kaldi's definition, one frame and one bin at a time, in float64."""
    mel = lambda hz: 1127 * np.log(1 + hz / 700)  # noqa: E731
    edges = np.linspace(mel(20.0), mel(8000.0), 130)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)
    rows = []
    for start in range(0, len(waveform) - 399, 160):
        frame = waveform[start : start + 400].astype(np.float64)
        frame = frame - frame.mean()
        frame = frame - 0.97 * np.concatenate([frame[:1], frame[:-1]])
        power = np.abs(np.fft.rfft(frame * window, 512)) ** 2
        row = np.zeros(128)
        for k in range(256):
            for b in range(128):
                place = (mel(k * 16000 / 512) - edges[b]) / (edges[1] - edges[0])
                row[b] += power[k] * max(0.0, min(place, 2 - place))
        rows.append(np.log(np.maximum(row, 2.0**-23)))
    return np.array(rows)


def test_the_filter_bank_is_kaldis_definition():
    noise = np.random.default_rng(5).standard_normal(400 + 2 * 160).astype(np.float32)
    np.testing.assert_allclose(kaldi_fbank(torch.from_numpy(noise)).numpy(), slow_fbank(noise), atol=2e-3)


@pytest.mark.parametrize(("samples", "frames"), [(400, 1), (559, 1), (560, 2), (32_000, 198)])
def test_edges_are_snipped(samples: int, frames: int):
    assert kaldi_fbank(torch.zeros(samples)).shape == (frames, 128)


def test_silence_is_finite():
    assert np.isfinite(preprocess_audio(np.zeros(48_000, np.float32))).all()


def test_number_and_length_of_the_clips_are_options():
    waveform = GOLDEN["ten_seconds/waveform"][0]
    assert preprocess_audio(waveform, AudioClips(clips=7, clip_s=1.0)).shape == (7, 1, 128, 204)


def test_too_little_sound_is_refused():
    with pytest.raises(NoSound, match="399 samples"):
        preprocess_audio(np.zeros(399, np.float32))


def test_of_several_channels_the_first_is_taken():
    left, right = GOLDEN["exact/waveform"][0], np.zeros(32_000, np.float32)
    np.testing.assert_array_equal(preprocess_audio(np.stack([left, right])), preprocess_audio(left))


def test_other_axes_are_refused():
    with pytest.raises(WrongShape, match=r"\(1, 2, 16000\)"):
        preprocess_audio(np.zeros((1, 2, 16_000), np.float32))


def test_no_clips_are_refused():
    with pytest.raises(UsageError, match="clips=0"):
        AudioClips(clips=0)

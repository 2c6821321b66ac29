"""`audio-tags`: mel against librosa, the network against torch, patches where they should lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval.bridge.twins import torch_musicnn
from mvr.backbones.audio_tags import (
    PATCH_SAMPLES,
    SAMPLE_RATE_HZ,
    AudioTags,
    build_network,
    log_mel,
    output_names,
)
from mvr.backbones.network_file import read_network
from mvr.datatypes import Segment
from mvr.errors import UsageError


@pytest.mark.slow  # librosa compiles itself first: see tests/media/test_sound.py
def test_mel_is_librosas(music: np.ndarray):
    import librosa

    wanted = librosa.feature.melspectrogram(
        y=music, sr=16_000, n_fft=512, hop_length=256, n_mels=96, center=False
    )
    np.testing.assert_allclose(log_mel(music), np.log10(10_000 * wanted.T + 1), atol=2e-4)


@pytest.fixture(scope="module")
def music() -> np.ndarray:
    time = np.arange(4 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tones = sum(np.sin(2 * np.pi * hz * time) * np.exp(-((time * 2) % 1) * 4) for hz in (220, 277, 660))
    noise = np.random.default_rng(0).normal(size=len(time))
    return (0.2 * tones + 0.01 * noise).astype(np.float32)


@pytest.mark.parametrize("name", ["mtt", "msd"])
def test_the_network_is_torchs_within_1e_4(name: str, music: np.ndarray):
    patches = np.stack([log_mel(music[:PATCH_SAMPLES]), log_mel(music[-PATCH_SAMPLES:])])
    wanted = torch_musicnn(patches, name)
    found = build_network(read_network("audio-tags"), name).run(patches)
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert np.abs(wanted[0] - wanted[1]).max() > 0.1  # the sound matters


def test_patches_lie_in_the_middle_of_each_segment(write_wave):
    rate_hz = SAMPLE_RATE_HZ
    sound = np.zeros(20 * rate_hz, np.float32)
    sound[15 * rate_hz : 15 * rate_hz + 160] = 0.5  # a click in the middle of the second segment
    path = write_wave(sound, rate_hz=rate_hz)
    rows = AudioTags().preprocess(path, [Segment(start_s=0, end_s=10), Segment(start_s=10, end_s=20)])
    assert rows.shape == (2, 1, 187, 96)
    assert not rows[0].any()
    loudest = rows[1, 0].sum(axis=1).argmax()
    assert abs(loudest - 93) <= 2


def test_sound_shorter_than_a_patch_is_padded_with_zeros(write_wave, music: np.ndarray):
    path = write_wave(music[:SAMPLE_RATE_HZ], rate_hz=SAMPLE_RATE_HZ)
    patch = AudioTags().preprocess(path, [Segment(start_s=0, end_s=1)])[0, 0]
    silent = np.flatnonzero(~patch.any(axis=1))
    assert 100 < len(silent) < 130 and {0, 186} <= set(silent.tolist())


def test_more_patches_are_averaged(write_wave, music: np.ndarray):
    path = write_wave(np.tile(music, 3), rate_hz=SAMPLE_RATE_HZ)
    segments = [Segment(start_s=0, end_s=10)]
    several = AudioTags(patches=3)
    rows = several.preprocess(path, segments)
    alone = np.concatenate([several.encode(rows[:, k : k + 1]) for k in range(3)])
    np.testing.assert_allclose(several.encode(rows)[0], alone.mean(axis=0), atol=1e-5)


def test_a_hundred_outputs_have_names_of_their_own():
    names = output_names()
    assert len(set(names)) == 100
    assert names[0] == "mtt:guitar" and names[50] == "msd:rock" and names[83] == "msd:Hip-Hop"


def test_no_patches_are_refused():
    with pytest.raises(UsageError, match="patches=0"):
        AudioTags(patches=0)


@pytest.mark.real_data
def test_real_music_is_told_by_its_words(shared: Path):
    wanted = {
        "data-brahms-us-army-strings-hungarian-dance-no-5.opus": "mtt:classical",
        "valyriatear-ecrivain-icy-wind.opus": "msd:ambient",
        "jamendolyrics-los-rombos-fantasma.opus": "mtt:guitar",
    }
    backbone, segments = AudioTags(), [Segment(start_s=at, end_s=at + 10) for at in (0.0, 10.0, 20.0)]
    for name, word in wanted.items():
        logits = backbone.encode(backbone.preprocess(shared / "media" / "music" / name, segments)).mean(
            axis=0
        )
        assert backbone.outputs[int(logits.argmax())] == word

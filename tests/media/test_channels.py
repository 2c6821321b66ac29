"""Mono that cannot cancel, and that is the mean wherever the mean is anything."""

from __future__ import annotations

import numpy as np
import pytest

from mvr.media.channels import create_mix
from mvr.media.loudness import measure_loudness
from mvr.media.sound import read_sound

RATE_HZ = 48_000


def noise(channels, seconds=2.0, seed=0):
    """(channels, n) independent noise."""
    shape = (channels, round(seconds * RATE_HZ))
    return (0.2 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def mixed(planar, sizes=(1024,)):
    """The mono mix of (C, n), pushed in blocks of these sizes over and over."""
    mix, parts, at, turn = create_mix("mean", RATE_HZ), [], 0, 0
    while at < planar.shape[1]:
        size = sizes[turn % len(sizes)]
        parts.append(mix.push(planar[:, at : at + size], ["FL", "FR"]))
        at, turn = at + size, turn + 1
    return np.concatenate([*parts, mix.rest()])[:, 0]


@pytest.mark.parametrize("correlation", [1.0, 0.5, 0.0, -0.5, -0.85])
def test_ordinary_stereo_is_its_mean_bit_by_bit(correlation):
    a, b = noise(2)
    planar = np.stack([a, correlation * a + np.sqrt(1 - correlation**2) * b]).astype(np.float32)
    np.testing.assert_array_equal(mixed(planar), planar.mean(axis=0, dtype=np.float32))


def test_one_channel_is_itself_and_surround_its_mean():
    for channels in (1, 6):
        planar = noise(channels)
        np.testing.assert_array_equal(mixed(planar), planar.mean(axis=0, dtype=np.float32))


def test_sides_that_cancel_are_heard_as_one_of_them():
    left = noise(1)[0]
    np.testing.assert_allclose(mixed(np.stack([left, -left])), left, atol=1e-7)
    out_of_six = np.zeros((6, len(left)), np.float32)
    out_of_six[2], out_of_six[4] = left, -left
    np.testing.assert_allclose(mixed(out_of_six), left, atol=1e-7)


def test_blocks_of_any_size_give_the_same_mix():
    left, right = noise(2, seed=1)
    planar = np.stack([left, np.where(np.arange(len(left)) < len(left) // 2, -left, right)])
    whole = mixed(planar, (planar.shape[1],))
    np.testing.assert_allclose(mixed(planar, (1, 960, 47, 10_000)), whole, atol=1e-6)
    assert np.abs(whole[: RATE_HZ // 2]).max() > 0.3  # the half that cancels is heard
    np.testing.assert_allclose(whole[-RATE_HZ // 2 :], planar.mean(axis=0)[-RATE_HZ // 2 :], atol=1e-7)


def test_what_is_added_comes_and_goes_without_a_click():
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    left = (0.5 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)
    sign = np.where(time < 1, 1.0, -1.0).astype(np.float32)
    steps = np.abs(np.diff(mixed(np.stack([left, sign * left]))))
    assert steps[: RATE_HZ - 2].max() < 0.02 and steps[RATE_HZ + 2 :].max() < 0.02  # the sine's own: 0.013


def test_two_files_whose_sides_cancel_are_not_alike(write_wav, tmp_path):
    sounds = []
    for seed in (2, 3):
        left = noise(1, seed=seed)[0]
        path = write_wav(tmp_path / f"{seed}.wav", np.stack([left, -left], axis=1), RATE_HZ)
        sounds.append(read_sound(path, 22_050))
        alone = write_wav(tmp_path / f"{seed}-left.wav", left, RATE_HZ)
        np.testing.assert_allclose(sounds[-1], read_sound(alone, 22_050), atol=1e-5)
        assert measure_loudness(path).integrated_lufs == pytest.approx(
            measure_loudness(alone).integrated_lufs, abs=0.01
        )
    assert np.abs(np.corrcoef(*sounds)[0, 1]) < 0.1 and sounds[0].std() > 0.1

from __future__ import annotations

import numpy as np
import pytest

from mvr.signal.curves import CURVE_RATE_HZ, NOVELTY_HALF_WIDTHS_S, binned, loudness_curve, novelty


def slow_novelty(features: np.ndarray, half: int) -> np.ndarray:
    """The checkerboard sum over every pair, as Foote writes it."""
    count = len(features)
    distance = np.linalg.norm(features[:, None] - features[None], axis=2)
    place = np.arange(-half, half) + 0.5
    taper = np.exp(-0.5 * (place / (0.5 * half)) ** 2)
    weight = np.outer(taper, taper)
    across = np.sign(place)[:, None] != np.sign(place)[None]
    upper = np.triu(np.ones_like(weight), 1) > 0
    kernel = np.where(across, weight / weight[across & upper].sum(), -weight / weight[~across & upper].sum())
    out = np.zeros(count)
    for middle in range(half, count - half + 1):
        window = distance[middle - half : middle + half, middle - half : middle + half]
        if middle < count:
            out[middle] = (kernel * window)[upper].sum()
    return np.maximum(out, 0)


def test_novelty_equals_the_slow_checkerboard():
    features = np.random.default_rng(0).standard_normal((90, 4)).astype(np.float32)
    features[40:] += 2
    for row, half_s in zip(novelty(features), NOVELTY_HALF_WIDTHS_S, strict=True):
        np.testing.assert_allclose(row, slow_novelty(features, round(half_s * CURVE_RATE_HZ)), atol=1e-4)
        assert row.argmax() == 40


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9])
def test_a_short_piece_has_no_novelty_and_no_error(count):
    assert novelty(np.ones((count, 3), np.float32)).max() == 0


def test_bins_hold_means_or_maxima_and_an_empty_bin_repeats_its_left_one():
    times, values = np.array([0.0, 0.05, 0.5]), np.array([1.0, 3.0, 7.0], np.float32)
    assert binned(values, times, 5).tolist() == [2, 2, 2, 2, 7]
    assert binned(values, times, 5, "max").tolist() == [3, 3, 3, 3, 7]


def test_ten_times_the_power_is_ten_decibels():
    curve = loudness_curve(np.repeat([1.0, 10.0], 43).astype(np.float32), 16)
    assert curve[12] - curve[2] == pytest.approx(10, abs=0.01)

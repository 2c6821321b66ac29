"""Smoothing beside scipy's, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from mvr.signal.smoothing import smoothed, window_means
from mvr.timing.meeting import fast_length


@pytest.mark.parametrize("shape", [(1,), (5,), (240,), (3, 70), (70, 65), (2, 3, 40), (0, 9)])
@pytest.mark.parametrize("deviation", [1.0, 4.0, 24.0])
def test_curves_are_smoothed_as_scipy_smooths_them(shape: tuple[int, ...], deviation: float) -> None:
    curves = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    found = smoothed(curves, deviation)
    assert found.dtype == np.float32
    np.testing.assert_array_max_ulp(found, gaussian_filter1d(curves, deviation, axis=-1), 1)


@pytest.mark.parametrize("length", [1, 2, 7, 64, 65])
def test_windows_have_scipys_running_means(length: int) -> None:
    rows = np.random.default_rng(4).normal(size=(40, 65)).astype(np.float32)
    middle = slice(length // 2, length // 2 + 65 - length + 1)
    wanted = uniform_filter1d(rows, length, axis=1, mode="constant")[:, middle]
    np.testing.assert_array_max_ulp(window_means(rows, length), wanted, 1)


def test_transforms_take_the_next_length_of_small_factors() -> None:
    for least in (*range(1, 700), 12_345, 1_000_001):
        assert fast_length(least, 1) == fast_length(1, least) == scipy.fft.next_fast_len(least, real=True)

"""Smoothing beside scipy's, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from mvr.signal.smoothing import BLOCK, smoothed, smoothed_rows, window_means
from mvr.timing.placing.meeting import fast_length


@pytest.mark.parametrize("shape", [(1,), (5,), (240,), (3, 70), (70, 65), (2, 3, 40), (0, 9)])
@pytest.mark.parametrize("deviation", [1.0, 4.0, 24.0])
def test_curves_are_smoothed_as_scipy_smooths_them(shape: tuple[int, ...], deviation: float) -> None:
    curves = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    found = smoothed(curves, deviation)
    assert found.dtype == np.float32
    np.testing.assert_array_max_ulp(found, gaussian_filter1d(curves, deviation, axis=-1), 1)


@pytest.mark.parametrize("deviation", [1.0, 4.0])
@pytest.mark.parametrize("length", [16, 32, 70])
def test_many_rows_are_smoothed_as_each_of_them(length: int, deviation: float) -> None:
    curves = np.random.default_rng(5).normal(size=(3, length)).astype(np.float32)
    blocks = -(-length // BLOCK) + 1
    wide = np.zeros((3, blocks * BLOCK), np.float32)
    wide[:, : length + BLOCK] = np.pad(curves, ((0, 0), (BLOCK // 2, BLOCK // 2)), mode="symmetric")
    found = smoothed_rows(wide, deviation)[:, :length]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, gaussian_filter1d(curves, deviation, axis=1), atol=1e-6)


@pytest.mark.parametrize("length", [1, 2, 7, 64, 65])
def test_windows_have_scipys_running_means(length: int) -> None:
    rows = np.random.default_rng(4).normal(size=(40, 65)).astype(np.float32)
    middle = slice(length // 2, length // 2 + 65 - length + 1)
    wanted = uniform_filter1d(rows, length, axis=1, mode="constant")[:, middle]
    np.testing.assert_array_max_ulp(window_means(rows, length), wanted, 1)


def test_transforms_take_the_next_length_of_small_factors() -> None:
    for least in (*range(1, 700), 12_345, 1_000_001):
        assert fast_length(least, 1) == fast_length(1, least) == scipy.fft.next_fast_len(least, real=True)

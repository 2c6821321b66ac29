"""Activations in numpy beside scipy's."""

from __future__ import annotations

import numpy as np
import scipy.special

from mvr.heads.activations import erf, silu


def test_the_error_function_is_scipys_to_the_bit() -> None:
    rng = np.random.default_rng(5)
    spread = rng.uniform(-6.5, 6.5, (500, 400)).astype(np.float32)
    tiny = (10 ** rng.uniform(-38, 0, 100_000)).astype(np.float32)
    edges = np.array([0.0, -0.0, 1e30, -1e30, np.inf, -np.inf, np.nan], np.float32)
    for x in (spread, tiny, -tiny, edges):
        found = erf(x)
        assert found.dtype == np.float32 and found.shape == x.shape
        np.testing.assert_array_equal(found, scipy.special.erf(x))


def test_silu_is_x_times_scipys_logistic() -> None:
    x = np.concatenate([np.linspace(-90, 90, 20_001), [-1e4, 1e4]]).astype(np.float32)
    np.testing.assert_allclose(silu(x), x * scipy.special.expit(x), rtol=1e-6, atol=1e-36)

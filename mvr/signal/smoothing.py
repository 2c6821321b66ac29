"""Running means of curves, in numpy: what scipy.ndimage gives to the bit, without its import (as long as a list takes).

Sums run in double, in scipy's order; tests compare with it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray

_REACH = 4.0  # of a bell curve, in its own deviations
_ROWS = 32  # worked on together: they stay in the processor's cache


def smoothed(curves: FloatArray, deviation: float) -> FloatArray:
    """Curves (..., N) under a bell curve of `deviation` samples; each goes on beyond its ends as in a mirror."""
    reach = int(_REACH * deviation + 0.5)
    weights = np.exp(-0.5 / (deviation * deviation) * np.arange(-reach, reach + 1) ** 2)
    weights /= weights.sum()
    rows = curves.reshape(-1, curves.shape[-1])
    return _in_blocks(rows, lambda block: _weighted(block, weights)).reshape(curves.shape)


def window_means(rows: FloatArray, length: int) -> FloatArray:
    """Mean of each whole window of `length` samples: (T, N) to (T, N - length + 1)."""
    return _in_blocks(rows, lambda block: _means(block, length))


def _weighted(rows: FloatArray, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    count, reach = rows.shape[1], len(weights) // 2
    wide = np.pad(rows.astype(np.float64), ((0, 0), (reach, reach)), mode="symmetric")
    total: npt.NDArray[np.float64] = wide[:, reach : reach + count] * weights[reach]
    pair = np.empty_like(total)
    for near in range(reach):  # the farthest pair first
        far = 2 * reach - near
        np.add(wide[:, near : near + count], wide[:, far : far + count], out=pair)
        pair *= weights[near]
        total += pair
    return total


def _means(rows: FloatArray, length: int) -> npt.NDArray[np.float64]:
    wide = rows.astype(np.float64)
    sums = np.empty((len(rows), rows.shape[1] - length + 1))
    sums[:, 0] = np.add.accumulate(wide[:, :length], axis=1)[:, -1]
    np.subtract(wide[:, length:], wide[:, : rows.shape[1] - length], out=sums[:, 1:])
    np.add.accumulate(sums, axis=1, out=sums)
    sums /= length
    return sums


def _in_blocks(rows: FloatArray, work: Callable[[FloatArray], npt.NDArray[np.float64]]) -> FloatArray:
    """`work` of some rows at a time, as float32."""
    blocks = [work(rows[first : first + _ROWS]).astype(np.float32) for first in range(0, len(rows), _ROWS)]
    return np.concatenate(blocks) if blocks else work(rows).astype(np.float32)

"""Running means of curves, in numpy: what scipy.ndimage gives, without its import (as long as a list takes).

Tests compare with it. Sums run in double; those of many curves at once (`smoothed_rows`) in single precision, as
products of matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray

_REACH = 4.0  # of a bell curve, in its own deviations
_ROWS = 32  # worked on together: they stay in the processor's cache
BLOCK = 32  # values of a row that one product of matrices makes
_BEFORE = np.triu(np.ones((BLOCK, BLOCK)), 1)  # sums what lies before each value of a block


def smoothed(curves: FloatArray, deviation: float) -> FloatArray:
    """Curves (..., N) under a bell curve of `deviation` samples; each goes on beyond its ends as in a mirror."""
    weights = _bell(deviation)
    rows = curves.reshape(-1, curves.shape[-1])
    return _in_blocks(rows, lambda block: _weighted(block, weights)).reshape(curves.shape)


def smoothed_rows(wide: FloatArray, deviation: float) -> FloatArray:
    """The same of rows that go on beyond their ends already, half a block on each side: (T, (n + 1) BLOCK) float32 to
    (T, n BLOCK). A bell curve must not reach beyond half a block.
    """
    count, (first, second) = wide.shape[1] // BLOCK, _bell_matrices(deviation)
    blocks = wide.reshape(len(wide), count, BLOCK)
    smooth: FloatArray = blocks[:, :-1] @ first
    smooth += blocks[:, 1:] @ second
    return smooth.reshape(len(wide), (count - 1) * BLOCK)


def window_means(rows: FloatArray, length: int) -> FloatArray:
    """Mean of each whole window of `length` samples: (T, N) to (T, N - length + 1).

    Differences of running sums. A running sum value by value waits for each addition; within blocks it is a product
    with a triangle of ones.
    """
    count = rows.shape[1]
    blocks = count // BLOCK + 1  # one value more than there are: what lies before the end
    wide = np.zeros((len(rows), blocks * BLOCK))
    wide[:, :count] = rows
    inside = wide.reshape(len(rows), blocks, BLOCK) @ _BEFORE
    total = inside[..., -1] + wide[:, BLOCK - 1 :: BLOCK]
    inside[:, 1:] += np.add.accumulate(total[:, :-1], axis=1)[..., None]
    sums = inside.reshape(wide.shape)
    means = np.subtract(sums[:, length : count + 1], sums[:, : count + 1 - length], dtype=np.float64)
    means *= 1 / length
    return means.astype(np.float32)


def _bell(deviation: float) -> npt.NDArray[np.float64]:
    reach = int(_REACH * deviation + 0.5)
    weights: npt.NDArray[np.float64] = np.exp(
        -0.5 / (deviation * deviation) * np.arange(-reach, reach + 1) ** 2
    )
    weights /= weights.sum()
    return weights


@cache
def _bell_matrices(deviation: float) -> tuple[FloatArray, FloatArray]:
    """What a block of smooth values takes from the block of values half a block before it, and from the next one."""
    weights = _bell(deviation)
    reach = len(weights) // 2
    assert 2 * reach <= BLOCK, deviation
    both = np.zeros((2 * BLOCK, BLOCK), np.float32)
    for column in range(BLOCK):
        first = column + BLOCK // 2 - reach
        both[first : first + len(weights), column] = weights
    return both[:BLOCK], both[BLOCK:]


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


def _in_blocks(rows: FloatArray, work: Callable[[FloatArray], npt.NDArray[np.float64]]) -> FloatArray:
    """`work` of some rows at a time, as float32."""
    blocks = [work(rows[first : first + _ROWS]).astype(np.float32) for first in range(0, len(rows), _ROWS)]
    return np.concatenate(blocks) if blocks else work(rows).astype(np.float32)

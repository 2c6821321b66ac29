"""Harmonic numbers H(n) = 1 + 1/2 + ... + 1/n."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def harmonic(n: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """H(n) of whole numbers n >= 0, by adding up: exact to rounding, of the shape of `n`.

    >>> harmonic([0, 1, 4]).round(6).tolist()
    [0.0, 1.0, 2.083333]
    """
    numbers = np.asarray(n, np.int64)
    table = np.zeros(int(numbers.max(initial=0)) + 1)
    np.cumsum(1 / np.arange(1, len(table)), out=table[1:])
    return table[numbers]


def chance_within(above: npt.ArrayLike, tied: npt.ArrayLike, k: int) -> npt.NDArray[np.float64]:
    """Probability that an item is among the first `k`: `above` score higher, `tied` as high, itself included.

    >>> chance_within([0, 1, 3], [1, 4, 1], 3).tolist()
    [1.0, 0.5, 0.0]
    """
    chance: npt.NDArray[np.float64] = np.clip((k - np.asarray(above)) / np.asarray(tied), 0.0, 1.0)
    return chance

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

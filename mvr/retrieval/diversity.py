"""Maximal marginal relevance: a list of good items that are not all alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray


def pick_diverse(scores: FloatArray, vectors: FloatArray, k: int, diversity: float) -> npt.NDArray[np.int64]:
    """Positions of k items, picked one by one for (1 - d) * score - d * nearest already picked.

    Source: Carbonell & Goldstein, "The use of MMR", SIGIR 1998, with lambda = 1 - d.

    Args:
        scores: (N,) relevance, best first.
        vectors: (N, D) unit length, to measure likeness between items.
        k: how many.
        diversity: d from 0 (by score alone) to 1.
    """
    left = np.ones(len(scores), bool)
    nearest = np.full(len(scores), -1.0)  # -1: nothing is alike yet, and the first pick is the best score
    picked: list[int] = []
    for _ in range(min(k, len(scores))):
        value = np.where(left, (1 - diversity) * scores - diversity * nearest, -np.inf)
        best = int(np.argmax(value))
        picked.append(best)
        left[best] = False
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return np.array(picked, np.int64)

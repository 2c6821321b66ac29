"""The arithmetic that lets one index serve every alpha.

A row has B unit-length branch vectors t_b (`mvr.datatypes.BranchedEmbeddings`), a query q_b, and weights w
of the branches (`mvr.datatypes.branch_weights`). Both sides are mixed and returned to unit length, so

    score(w) = (sum_b w_b q_b) . (sum_c w_c t_c) / (|sum_b w_b q_b| |sum_c w_c t_c|)
             = w' X w / sqrt(w' Q w  *  w' G w)

with the cross products X[b, c] = q_b . t_c, and the Gram matrices Q of the query and G of the row. For ssl
and sup branches, G = [[1, c], [c, 1]] with c = s . u, and sqrt(w' G w) = sqrt((1-a)^2 + a^2 + 2a(1-a)c). G is
kept with the row, so no weight is ever baked into an index; X is computed once per query, after which every
alpha costs B^2 multiplications per row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray

# Shorter than this, a mixture has cancelled out: nothing is similar to it (score 0), not noise / noise.
CANCELLED = 1e-4
ALIKE = 1e-9  # scores that spread no further are all alike: their deviations are rounding

GramArray = npt.NDArray[np.float64]  # double: a short mixture is a small difference of large numbers


def gram(vectors: npt.NDArray[Any]) -> GramArray:
    """Gram matrices (N, B, B) of branch vectors (N, B, D)."""
    matrices: GramArray = np.einsum("nbd,ncd->nbc", vectors, vectors, dtype=np.float64)
    return matrices


def mixed_lengths(grams: GramArray, weights: FloatArray) -> GramArray:
    """Length (N,) of each row's mixture at `weights` (B,), from its Gram matrix (N, B, B)."""
    wide = weights.astype(np.float64)
    squares = grams.reshape(len(grams), len(weights) ** 2) @ np.outer(wide, wide).ravel()
    lengths: GramArray = np.sqrt(np.maximum(squares, 0))
    return lengths


def mixed_query(query: FloatArray, weights: FloatArray) -> FloatArray:
    """The query (B, D) mixed to unit length (D,); zero where the branches cancel out."""
    mixed = weights.astype(np.float64) @ query
    length = float(np.linalg.norm(mixed))
    unit: FloatArray = (mixed / length if length > CANCELLED else mixed * 0).astype(np.float32)
    return unit


def divide_by_lengths(products: npt.NDArray[Any], lengths: GramArray) -> FloatArray:
    """Cosines from inner products with unnormalised mixtures; 0 where a mixture cancelled out."""
    cosines = np.zeros(len(lengths), np.float32)
    np.divide(products, lengths, out=cosines, where=lengths > CANCELLED, casting="same_kind")
    return cosines


@dataclass(frozen=True, kw_only=True)
class CrossProducts:
    """One query against N rows, for every alpha: the answer to a moved slider without touching a vector.

    Attributes:
        products: (B, B, N), `products[b, c, n]` = query branch b . row branch c.
        rows: (N, B, B) Gram matrices of the rows.
        query: (B, B) Gram matrix of the query.
    """

    products: FloatArray
    rows: GramArray
    query: GramArray

    def scores(self, weights: FloatArray, lengths: GramArray | None = None) -> FloatArray:
        """Cosines (N,) of the mixtures at `weights` (B,).

        Args:
            weights: of the branches.
            lengths: (N,) `mixed_lengths` of the rows at these weights, where they are known already.
        """
        length = float(mixed_lengths(self.query[None], weights)[0])
        count = self.products.shape[-1]
        if length <= CANCELLED:
            return np.zeros(count, np.float32)
        pairs = np.outer(weights, weights).ravel().astype(np.float32) / np.float32(length)
        flat = pairs @ self.products.reshape(len(pairs), count)
        return divide_by_lengths(flat, mixed_lengths(self.rows, weights) if lengths is None else lengths)


def best_first(scores: FloatArray, k: int) -> npt.NDArray[np.int64]:
    """Positions of the k highest scores, best first; equal scores in row order.

    >>> best_first(np.array([0.1, 0.9, 0.9, 0.2], np.float32), 3)
    array([1, 2, 3])
    """
    if k >= len(scores):
        return np.argsort(-scores, kind="stable")
    edge = np.partition(scores, len(scores) - k)[len(scores) - k]
    above = np.flatnonzero(scores > edge)
    at_edge = np.flatnonzero(scores == edge)[: k - len(above)]  # the earliest rows of a tie at the cut
    chosen = np.concatenate([above, at_edge])
    chosen.sort()
    order: npt.NDArray[np.int64] = chosen[np.argsort(-scores[chosen], kind="stable")]
    return order

"""How much an approximate index misses, and the least effort that misses little enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.index.approximate import ApproximateIndex
from mvr.index.exact import top
from mvr.index.index import Hits, Index
from mvr.index.mixture import GramArray, divide_by_lengths, mixed_lengths, mixed_query

WANTED_RECALL = 0.99
RECALL_QUERIES = 50  # that an approximate index is measured with
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)  # at which recall is measured; the worst counts
EFFORTS = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
_BLOCK_ROWS = 65_536


@dataclass(frozen=True, kw_only=True)
class Measured:
    """How much an approximate index misses.

    Attributes:
        recall: mean share of the true ten best that are found, at the worst alpha.
        sample: which queries, and how many.
        date: of the measurement, ISO 8601.
        fetch: candidates that it took.
    """

    recall: float
    sample: str
    date: str
    fetch: int

    @property
    def words(self) -> str:
        """What a list from it may be called.

        >>> Measured(recall=0.9912, sample="50 videos", date="2026-11-29", fetch=1000).words
        'recall measured: 0.99 (50 videos, 2026-11-29)'
        """
        return f"recall measured: {math.floor(100 * self.recall) / 100:.2f} ({self.sample}, {self.date})"


def exact_hits(
    vectors: npt.NDArray[np.floating],
    grams: GramArray,
    queries: FloatArray,
    weights: FloatArray,
    k: int,
) -> list[Hits]:
    """The truth for queries (Q, B, D): every row (N, B, D) is read once, block by block, so memory stays bounded."""
    units = np.stack([mixed_query(query, weights) for query in queries])
    weighted = (weights[None, :, None] * units[:, None, :]).reshape(len(queries), -1).astype(np.float32)
    rows: list[list[npt.NDArray[np.int64]]] = [[] for _ in queries]
    scores: list[list[FloatArray]] = [[] for _ in queries]
    for at in range(0, len(vectors), _BLOCK_ROWS):
        block = np.asarray(vectors[at : at + _BLOCK_ROWS], np.float32).reshape(-1, weighted.shape[1])
        products = weighted @ block.T
        lengths = mixed_lengths(grams[at : at + _BLOCK_ROWS], weights)
        for number, row in enumerate(products):
            best = top(divide_by_lengths(row, lengths), k)
            rows[number].append(best.rows + at)
            scores[number].append(best.scores)
    return [_merge(r, s, k) for r, s in zip(rows, scores, strict=True)]


def _merge(rows: list[npt.NDArray[np.int64]], scores: list[FloatArray], k: int) -> Hits:
    all_rows, all_scores = np.concatenate(rows), np.concatenate(scores)
    best = top(all_scores, k)
    return Hits(rows=all_rows[best.rows], scores=best.scores)


def recall_at(
    index: Index, truth: Sequence[Hits], queries: FloatArray, weights: FloatArray, k: int = 10
) -> float:
    """Mean share of the true k best rows that the index finds for queries (Q, B, D)."""
    shares = [
        len(set(hits.rows[:k].tolist()) & set(index.search(query, weights, k).rows.tolist()))
        / min(k, len(hits.rows))
        for hits, query in zip(truth, queries, strict=True)
    ]
    return float(np.mean(shares))


def calibrate(
    index: ApproximateIndex,
    queries: FloatArray,
    weights: Sequence[FloatArray],
    *,
    wanted: float = WANTED_RECALL,
    k: int = 10,
) -> float:
    """Set the least effort whose recall@k reaches `wanted` at every weights; returns the worst recall.

    Args:
        index: filled; its `effort` is set.
        queries: (Q, B, D), of the kind that will be asked: a video asks otherwise than a track.
        weights: a few weights (B,), such as those of alpha 0, 0.5 and 1.
        wanted: recall to reach; where no effort does, the largest stays and its recall is returned.
        k: length of the lists compared.
    """
    truth = [exact_hits(index.vectors, index.grams, queries, w, k) for w in weights]
    worst = 0.0
    for effort in EFFORTS:
        index.effort = effort
        worst = min(recall_at(index, t, queries, w, k) for t, w in zip(truth, weights, strict=True))
        if worst >= wanted or effort >= len(index):
            break
    return worst

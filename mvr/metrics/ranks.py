"""Ranks of the one true item (or group of items) of each query, exact under ties.

Conventions: `scores` is (Q, N), higher is better; ranks are 1-based. A query's true item has `above` items
with a higher score and shares its score with `tied` items, itself included, in an arbitrary order. Every
value here is the expectation over that order, so that a model that scores all items alike gets exactly
chance (counting a tie as a win would give it Recall@1 = 1). The best and the worst order are the optimistic
and pessimistic bounds.

Source: lines 17-23 of the evaluation specification; McSherry and Najork, "Computing information retrieval
performance measures efficiently in the presence of tied scores", ECIR 2008.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.errors import DataError, NotFinite, WrongShape
from mvr.metrics.harmonic import chance_within, harmonic

IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]

# Scores per block: 16 MB of comparisons stay in cache, and the full comparison matrix is never held.
_BLOCK_SCORES = 1 << 21


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Where each query's truth stands in a pool.

    Attributes:
        above: (Q,) number of candidates that score higher than the truth.
        tied: (Q,) number of candidates that score like the truth, itself included (at least 1).
        pool: number of candidates N, after grouping.
    """

    above: IntArray
    tied: IntArray
    pool: int

    def __post_init__(self) -> None:
        assert self.above.shape == self.tied.shape and (self.tied >= 1).all()

    def __len__(self) -> int:
        return len(self.above)

    @property
    def expected(self) -> RealArray:
        """(Q,) mean rank over the orders of the tied items."""
        return self.above + (self.tied + 1) / 2

    @property
    def optimistic(self) -> IntArray:
        """(Q,) rank when the truth comes first among its ties."""
        return self.above + 1

    @property
    def pessimistic(self) -> IntArray:
        """(Q,) rank when the truth comes last among its ties."""
        return self.above + self.tied

    def hits(self, k: int) -> RealArray:
        """(Q,) probability that the truth is among the first `k`."""
        return chance_within(self.above, self.tied, k)

    def reciprocal(self) -> RealArray:
        """(Q,) expected reciprocal rank: (H(above + tied) - H(above)) / tied."""
        mean: RealArray = (harmonic(self.above + self.tied) - harmonic(self.above)) / self.tied
        return mean

    def gains(self, k: int) -> RealArray:
        """(Q,) expected nDCG@k: with one relevant item the ideal is 1, the gain 1 / log2(rank + 1)."""
        discounts = np.zeros(self.pool + 1)
        upto = min(k, self.pool)
        discounts[1 : upto + 1] = np.cumsum(1 / np.log2(np.arange(2, upto + 2)))
        discounts[upto + 1 :] = discounts[upto]
        mean: RealArray = (discounts[self.above + self.tied] - discounts[self.above]) / self.tied
        return mean


def rank_truths(
    scores: npt.NDArray[np.floating[Any]],
    truth: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
) -> Ranks:
    """Rank each query's truth in a matrix of scores.

    Args:
        scores: (Q, N) scores of query q and item n; left untouched.
        truth: (Q,) column of each query's true item; without it query i's truth is item i.
        groups: (N,) group of each item (same music); a group counts as one candidate with its best score,
            and the truth is the group of the true item.

    Raises:
        WrongShape: shapes that do not fit.
        NotFinite: NaN or infinity among the scores (NaN compares False: a diverged model would rank first).

    >>> rank_truths(np.array([[0.9, 0.1], [0.5, 0.5]])).expected
    array([1. , 1.5])
    """
    if scores.ndim != 2 or 0 in scores.shape:
        raise WrongShape(f"scores must be (Q, N) with at least one query and one item, not {scores.shape}")
    columns = _truth_columns(truth, len(scores), scores.shape[1])
    blocks = (scores[rows] for rows in row_blocks(len(scores), scores.shape[1]))
    return _rank_blocks(blocks, columns, Grouping.of(groups, scores.shape[1]))


def rank_embeddings(
    queries: npt.NDArray[np.floating[Any]],
    items: npt.NDArray[np.floating[Any]],
    truth: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
) -> Ranks:
    """`rank_truths` of `queries @ items.T` without ever holding the matrix: any number of queries and items.

    Args:
        queries: (Q, D) embeddings.
        items: (N, D) embeddings.
        truth: as in `rank_truths`.
        groups: as in `rank_truths`.

    Raises:
        WrongShape, NotFinite: as in `rank_truths`.
    """
    if (
        queries.ndim != 2
        or items.ndim != 2
        or queries.shape[1] != items.shape[1]
        or not (len(queries) and len(items))
    ):
        raise unlike(queries, items)
    columns = _truth_columns(truth, len(queries), len(items))
    transposed = np.ascontiguousarray(items.T)
    with np.errstate(over="ignore", invalid="ignore"):  # the block check below reports what is not finite
        blocks = (queries[rows] @ transposed for rows in row_blocks(len(queries), len(items)))
        return _rank_blocks(blocks, columns, Grouping.of(groups, len(items)))


def check_finite(scores: npt.NDArray[np.floating[Any]], what: str = "scores") -> None:
    """Refuse NaN and infinity.

    Raises:
        NotFinite: says how many values of how many.
    """
    # min and max carry NaN and infinity along and need no temporary array
    if scores.size and not (np.isfinite(scores.min()) and np.isfinite(scores.max())):
        broken = int(np.count_nonzero(~np.isfinite(scores)))
        raise NotFinite(f"{what} hold NaN or infinity: {broken} of {scores.size} values; the model diverged")


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of rows with about two million scores each.

    >>> list(row_blocks(3, 1 << 20))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    step = max(1, _BLOCK_SCORES // max(1, columns))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """How columns collapse: `order` sorts them by group, `starts` are the first columns of each group in
    that order."""

    group_of: IntArray  # (N,) 0 .. count - 1
    count: int
    order: IntArray
    starts: IntArray

    @classmethod
    def of(cls, groups: npt.ArrayLike | None, columns: int) -> Grouping | None:
        """The grouping, or None where every item is its own group."""
        if groups is None:
            return None
        labels = np.asarray(groups)
        if labels.shape != (columns,):
            raise WrongShape(f"groups must be one per item, ({columns},), not {labels.shape}")
        unique, group_of = np.unique(labels, return_inverse=True)
        if len(unique) == columns:
            return None
        order = np.argsort(group_of, kind="stable")
        starts = np.searchsorted(group_of[order], np.arange(len(unique)))
        return cls(group_of=group_of, count=len(unique), order=order, starts=starts)

    def collapse(self, block: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
        """(q, N) scores -> (q, groups) best scores."""
        best: npt.NDArray[np.floating[Any]] = np.maximum.reduceat(block[:, self.order], self.starts, axis=1)
        return best


def _truth_columns(truth: npt.ArrayLike | None, queries: int, items: int) -> IntArray:
    if truth is None:
        if queries > items:
            raise WrongShape(
                f"{queries} queries cannot each have their own of {items} items; say which is whose"
            )
        return np.arange(queries)
    columns = np.asarray(truth)
    if columns.shape != (queries,) or not np.issubdtype(columns.dtype, np.integer):
        raise WrongShape(f"truth must be one column number per query, ({queries},), not {columns.shape}")
    if columns.min() < 0 or columns.max() >= items:
        raise DataError(
            f"truth names column {columns.max()} (least {columns.min()}), but there are {items} items"
        )
    return columns.astype(np.int64)


def _rank_blocks(
    blocks: Iterator[npt.NDArray[np.floating[Any]]], columns: IntArray, grouping: Grouping | None
) -> Ranks:
    if grouping is not None:
        columns = grouping.group_of[columns]
    above: list[IntArray] = []
    tied: list[IntArray] = []
    start = pool = 0
    for scores in blocks:
        check_finite(scores)
        block = scores if grouping is None else grouping.collapse(scores)
        own = np.take_along_axis(block, columns[start : start + len(block), None], axis=1)
        above.append(_count(block > own))
        tied.append(_count(block >= own) - above[-1])
        start, pool = start + len(block), block.shape[1]
    return Ranks(above=np.concatenate(above), tied=np.concatenate(tied), pool=pool)


def _count(flags: npt.NDArray[np.bool_]) -> IntArray:
    # np.count_nonzero of one contiguous row uses SIMD; with an axis it adds up 8-byte integers
    return np.fromiter((np.count_nonzero(row) for row in flags), np.int64, len(flags))


@dataclass(frozen=True, kw_only=True)
class RankSummary:
    """What a table prints of `Ranks`; every value is a mean over queries except the median.

    Attributes:
        recall: K -> expected Recall@K; `optimistic` and `pessimistic` bound it over the orders of ties.
        recall_percent: Recall at 1 % of the pool (at least one item), comparable between pools.
        mean_tied: mean number of items that share the truth's score, itself included.
        tied_share: share of queries whose truth shares its score.
    """

    queries: int
    pool: int
    recall: dict[int, float]
    optimistic: dict[int, float]
    pessimistic: dict[int, float]
    recall_percent: float
    median_rank: float
    mrr: float
    ndcg: dict[int, float]
    mean_tied: float
    tied_share: float


def summarise(ranks: Ranks, ks: Sequence[int] = (1, 5, 10)) -> RankSummary:
    """Recall@K with bounds, median rank, MRR and nDCG@K of `ranks`."""
    return RankSummary(
        queries=len(ranks),
        pool=ranks.pool,
        recall={k: float(ranks.hits(k).mean()) for k in ks},
        optimistic={k: float((ranks.optimistic <= k).mean()) for k in ks},
        pessimistic={k: float((ranks.pessimistic <= k).mean()) for k in ks},
        recall_percent=float(ranks.hits(max(1, round(ranks.pool / 100))).mean()),
        median_rank=float(np.median(ranks.expected)),
        mrr=float(ranks.reciprocal().mean()),
        ndcg={k: float(ranks.gains(k).mean()) for k in ks},
        mean_tied=float(ranks.tied.mean()),
        tied_share=float((ranks.tied > 1).mean()),
    )


def unlike(queries: npt.NDArray[np.floating], items: npt.NDArray[np.floating]) -> WrongShape:
    """What is said of embeddings that cannot be multiplied."""
    return WrongShape(f"embeddings must be (Q, D) and (N, D), not {queries.shape} and {items.shape}")

"""Where the relevant items of each query stand, exact under ties; every list metric is a sum over them.

A relevant item has `above` higher-scored candidates and shares its score with `tied`, itself included. Over
the orders of the tied items its rank is uniform on above + 1 .. above + tied, which gives each metric a
closed form and saves sorting items that are not relevant. Source: McSherry and Najork, "Computing
information retrieval performance measures efficiently in the presence of tied scores", ECIR 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.metrics.chance import hit_chance
from mvr.metrics.harmonic import chance_within, harmonic

IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Positions:
    """The retrieved relevant items of Q queries, in the order of the queries and then of their scores.

    Attributes:
        query: (P,) which query, ascending.
        above: (P,) candidates with a higher score.
        tied: (P,) candidates with the same score, itself included.
        before: (P,) relevant ones among `above`.
        among: (P,) relevant ones among `tied`, itself included.
        relevant: (Q,) relevant items of each query, retrieved or not; at least 1.
        pool: (Q,) candidates of each query.
    """

    query: IntArray
    above: IntArray
    tied: IntArray
    before: IntArray
    among: IntArray
    relevant: IntArray
    pool: IntArray

    def __len__(self) -> int:
        return len(self.relevant)

    def _sum(self, values: RealArray) -> RealArray:
        sums: RealArray = np.bincount(self.query, values, minlength=len(self)).astype(np.float64)
        return sums

    def within(self, k: int) -> RealArray:
        """(P,) probability that the item is among the first `k`."""
        return chance_within(self.above, self.tied, k)

    def precision(self, k: int) -> RealArray:
        """(Q,) relevant share of the first `k` (or of the pool, where it is smaller)."""
        shares: RealArray = self._sum(self.within(k)) / np.minimum(k, self.pool)
        return shares

    def recall(self, k: int) -> RealArray:
        """(Q,) share of the relevant items that are among the first `k`."""
        shares: RealArray = self._sum(self.within(k)) / self.relevant
        return shares

    def average_precision(self) -> RealArray:
        """(Q,) average precision.

        An item at place i of its tie group has before + 1 + (i - 1) d relevant items down to itself on
        average, with d = (among - 1) / (tied - 1); the mean of (c + d i) / (above + i) over i is
        d + (c - d above) (H(above + tied) - H(above)) / tied, where c = before + 1 - d.
        """
        d = (self.among - 1) / np.maximum(self.tied - 1, 1)
        inverse = (harmonic(self.above + self.tied) - harmonic(self.above)) / self.tied
        precisions = d + (self.before + 1 - d - d * self.above) * inverse
        averages: RealArray = self._sum(precisions) / self.relevant
        return averages

    def ndcg(self, k: int) -> RealArray:
        """(Q,) nDCG@k with gain 1 for a relevant item and discount 1 / log2(rank + 1)."""
        totals = discount_totals(int(self.pool.max(initial=1)), k)
        best: RealArray = self._sum(self.discounts(k)) / totals[np.minimum(self.relevant, len(totals) - 1)]
        return best

    def discounts(self, k: int) -> RealArray:
        """(P,) expected discount 1 / log2(rank + 1) of each item, 0 beyond rank `k`."""
        totals = discount_totals(int((self.above + self.tied).max(initial=1)), k)
        means: RealArray = (totals[self.above + self.tied] - totals[self.above]) / self.tied
        return means

    def reciprocal(self) -> RealArray:
        """(Q,) expected reciprocal rank of the first relevant item; 0 where none is retrieved."""
        values = np.zeros(len(self))
        for item in self._first():
            start, tied, among = int(self.above[item]), int(self.tied[item]), int(self.among[item])
            if tied == 1:
                values[self.query[item]] = 1 / (start + 1)
            else:
                values[self.query[item]] = _first_places(tied, among) @ (1 / (start + np.arange(1, tied + 1)))
        return values

    def first_rank(self) -> RealArray:
        """(Q,) expected rank of the first relevant item; pool + 1 where none is retrieved."""
        values = (self.pool + 1).astype(np.float64)
        first = self._first()
        values[self.query[first]] = self.above[first] + (self.tied[first] + 1) / (self.among[first] + 1)
        return values

    def hits(self, k: int) -> RealArray:
        """(Q,) probability that at least one relevant item is among the first `k`."""
        values = np.zeros(len(self))
        for item in self._first():
            left = k - int(self.above[item])
            if left > 0:
                values[self.query[item]] = hit_chance(int(self.tied[item]), int(self.among[item]), left)
        return values

    def _first(self) -> IntArray:
        """Index of one first relevant item of each query that has one."""
        return np.unique(self.query, return_index=True)[1]


def discount_totals(ranks: int, k: int) -> RealArray:
    """(ranks + 1,) running totals of the discounts 1 / log2(rank + 1), which stop growing at rank `k`.

    >>> discount_totals(3, 2).round(4).tolist()
    [0.0, 1.0, 1.6309, 1.6309]
    """
    discounts = 1 / np.log2(np.arange(2, ranks + 2))
    discounts[k:] = 0
    return np.concatenate([[0.0], np.cumsum(discounts)])


def _first_places(tied: int, among: int) -> RealArray:
    """(tied,) probability that the first of `among` relevant items stands at place 1..tied of their tie
    group."""
    places = np.arange(tied)
    none_before = np.cumprod(np.concatenate([[1.0], np.clip(1 - among / (tied - places[:-1]), 0, 1)]))
    probabilities: RealArray = none_before * np.minimum(1.0, among / (tied - places))
    return probabilities


def locate(scores: npt.NDArray[np.floating[Any]], relevant: BoolArray) -> tuple[IntArray, ...]:
    """Positions (above, tied, before, among) of one query's relevant items, best first.

    Args:
        scores: (N,) finite scores of the candidates.
        relevant: (N,) which of them are relevant.
    """
    everything = np.sort(scores)
    own = np.sort(scores[relevant])
    values = own[::-1]
    above, tied = _above_and_tied(everything, values)
    before, among = _above_and_tied(own, values)
    return above, tied, before, among


def _above_and_tied(
    ascending: npt.NDArray[np.floating[Any]], values: npt.NDArray[np.floating[Any]]
) -> tuple[IntArray, IntArray]:
    right = np.searchsorted(ascending, values, side="right")
    return len(ascending) - right, right - np.searchsorted(ascending, values, side="left")


def gather(located: Sequence[tuple[IntArray, ...]], relevant: IntArray, pool: IntArray) -> Positions:
    """Put the positions of Q queries together.

    Args:
        located: what `locate` gave for each query.
        relevant: (Q,) number of relevant items, retrieved or not.
        pool: (Q,) number of candidates.
    """
    query = np.repeat(np.arange(len(located)), [len(one[0]) for one in located])
    above, tied, before, among = (
        np.concatenate([one[column] for one in located] or [np.zeros(0, np.int64)]) for column in range(4)
    )
    return Positions(
        query=query, above=above, tied=tied, before=before, among=among, relevant=relevant, pool=pool
    )


def chance_positions(positions: Positions) -> Positions:
    """What a random order gives: the positions of a scorer that ties all candidates of every query."""
    query = np.repeat(np.arange(len(positions)), positions.relevant)
    return Positions(
        query=query,
        above=np.zeros_like(query),
        tied=positions.pool[query],
        before=np.zeros_like(query),
        among=positions.relevant[query],
        relevant=positions.relevant,
        pool=positions.pool,
    )

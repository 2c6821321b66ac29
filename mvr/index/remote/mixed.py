"""A mixture of systems over a place: what is asked of each member, and what is found.

A mixture adds up its members' scores, each standardised by mean and spread over all items that every member has. The
place compares every row of every member and hands out the items with the best sums; here they are scored exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.index.mixture import ALIKE, CANCELLED, mixed_lengths, mixed_query
from mvr.index.remote.place import Holding, Place, Space, StoredRows, Wanted, query_slack
from mvr.index.remote.search import EVERYTHING, FIRST_FETCH, FoundItem, exact_scores, held


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is asked of one member.

    Attributes:
        space: where its rows are.
        query: (S, B, D) unit-length branch vectors of the query's segments.
        weights: (B,) of the branches.
        share: its weight in the sum; those of all members add up to 1.
    """

    space: Space
    query: FloatArray
    weights: FloatArray
    share: float

    @property
    def weighted(self) -> FloatArray:
        """(S, B * D): inner products with a row are its scores times the length of the row's mixture."""
        rows = [
            (self.weights[:, None] * mixed_query(vectors, self.weights)).ravel() for vectors in self.query
        ]
        return np.array(rows, np.float32)

    def slack(self, rounding: float) -> float:
        """By how much an inner product may be off."""
        weighted = self.weighted
        return query_slack(weighted, weighted, len(self.weights), rounding)


@dataclass(frozen=True, kw_only=True)
class MixedCandidates:
    """Items of one search, best first; fewer than asked for when there are no more.

    Attributes:
        items: how many every member has.
        means, spreads: (M,) of each member's scores over all of them.
        positions: (n, M) of the found ones in each member's space.
        values: (n,) what they are ordered by.
        slacks: (M,) by how much each member's inner products may be off.
    """

    items: int
    means: npt.NDArray[np.float64]
    spreads: npt.NDArray[np.float64]
    positions: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    slacks: npt.NDArray[np.float64]

    def standard(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Members' scores (..., M) less their means over their spreads; 0 where all are alike."""
        alike = self.spreads <= ALIKE
        return np.where(alike, 0.0, (scores - self.means) / np.where(alike, 1.0, self.spreads))


@dataclass(frozen=True, kw_only=True)
class MixedItem:
    """One item: the sum, and of each member its best pair of segments, and that score standardised (M,)."""

    score: float
    best: tuple[FoundItem, ...]
    standard: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class FoundMixture:
    """The best items, best first; `proven` as in `Found`, the rest of what the place found out."""

    items: tuple[MixedItem, ...]
    proven: bool
    candidates: MixedCandidates
    announced: int


def search_mixture(place: Place, parts: Sequence[Part], k: int, wanted: Wanted = EVERYTHING) -> FoundMixture:
    """The k best items of those that every member has.

    Raises:
        UsageError: the place holds nothing of a member. IndexUnreachable: it does not answer.
    """
    holdings, count = [held(place, part.space) for part in parts], max(FIRST_FETCH, 4 * k)
    while True:
        found = place.mixed(parts, count, wanted)
        items = _scored(place, parts, found)
        proven = len(found.values) < count or _is_complete(
            found, items[:k], k, _error(found, parts, holdings)
        )
        if proven:
            announced = max(holding.announced for holding in holdings)
            return FoundMixture(items=tuple(items[:k]), proven=proven, candidates=found, announced=announced)
        count *= 2


def _scored(place: Place, parts: Sequence[Part], found: MixedCandidates) -> list[MixedItem]:
    """The candidates with exact scores, best first; of equal ones the first member's first. What somebody took out
    since is left out."""
    best = [
        _best_pairs(place.rows_of(part.space, at), part)
        for part, at in zip(parts, found.positions.T, strict=True)
    ]
    items = []
    for at in found.positions.tolist():
        pairs = tuple(
            of_one[position] for of_one, position in zip(best, at, strict=True) if position in of_one
        )
        if len(pairs) < len(parts):
            continue
        standard = found.standard(np.array([pair.score for pair in pairs], np.float64))
        score = float(standard @ [part.share for part in parts])
        items.append(MixedItem(score=score, best=pairs, standard=tuple(standard.tolist())))
    return sorted(items, key=lambda item: (-item.score, item.best[0].position))


def _best_pairs(rows: StoredRows, part: Part) -> dict[int, FoundItem]:
    """Position -> its best pair of segments: of equal ones the item's earliest, then the query's."""
    table = np.stack([exact_scores(rows, weighted, part.weights) for weighted in part.weighted])  # (S, rows)
    scores, asked = table.max(axis=0), table.argmax(axis=0)
    pairs: dict[int, FoundItem] = {}
    for at in np.lexsort((rows.numbers, -scores)):
        position, segment = int(rows.positions[at]), int(asked[at])
        if position not in pairs:
            pairs[position] = FoundItem(
                position=position,
                number=int(rows.numbers[at]),
                asked=segment,
                score=float(scores[at]),
                branches=tuple(
                    float(q @ t) for q, t in zip(part.query[segment], rows.vectors[at], strict=True)
                ),
            )
    return pairs


def _error(found: MixedCandidates, parts: Sequence[Part], holdings: Sequence[Holding]) -> float:
    """By how much a value may differ from the exact sum."""
    error = 0.0
    for part, holding, slack, spread in zip(parts, holdings, found.slacks, found.spreads, strict=True):
        shortest = float(mixed_lengths(holding.least_gram[None], part.weights)[0])
        if spread > ALIKE:
            error += part.share * float(slack / spread) / shortest if shortest > CANCELLED else np.inf
    return error


def _is_complete(found: MixedCandidates, best: Sequence[MixedItem], k: int, error: float) -> bool:
    """Whether no item that was not handed out can belong to the k best."""
    return len(best) == k and best[-1].score > float(found.values[-1]) + error

"""A query's scores over a whole library, before anything is filtered: of one system, or of a mixture of several.

A mixture adds up its members' scores, each standardised over all items that every member has embedded: mean and spread
belong to the query and the library and are stored with the list, so a filter changes no score. All items are scored by
every member; nothing is claimed of items beyond the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, JsonDict, branch_weights, mix_branches
from mvr.embeddings.system import SegmentFeatures, System
from mvr.index import CrossProducts
from mvr.library import Item, Library, LibraryIndex
from mvr.retrieval.facts import facts_of_item
from mvr.retrieval.query import Query
from mvr.retrieval.ranked import Result

Positions = npt.NDArray[np.int64]


def above(scores: FloatArray, position: int) -> float:
    """Standard deviations of one item's score above the average of all; 0 where all score alike.

    >>> round(above(np.array([1.0, 1.0, 1.0, 5.0], np.float32), 3), 3)
    1.732
    """
    spread = float(scores.std())
    return float(scores[position] - scores.mean()) / spread if spread > 1e-9 else 0.0


@dataclass(frozen=True)
class Compared:
    """A query against a library: products per query segment, and the index they belong to."""

    index: LibraryIndex
    products: tuple[CrossProducts, ...]

    @property
    def bytes(self) -> int:
        """What it takes beyond the index's own arrays."""
        return sum(each.products.nbytes for each in self.products)


class Ranking(Protocol):
    """Scores (I,) of the items (I) of a library for one query; `missing` items are not embedded yet."""

    @property
    def items(self) -> tuple[Item, ...]:
        """In the library's order."""

    @property
    def scores(self) -> FloatArray:
        """Higher is better."""

    @property
    def missing(self) -> int:
        """Items that are not embedded."""

    def vectors(self, positions: Positions) -> FloatArray:
        """(n, D) unit-length vectors of some items, to measure likeness between them."""

    @property
    def music(self) -> Positions:
        """(I,) a number for each item's piece of music: copies of one share it."""

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """(I,) whether an item's file was there when it was last looked for."""

    def results(self, positions: Positions) -> list[Result]:
        """The items at some positions as the lines of a list, from rank 1."""

    def mixture(self) -> list[JsonDict]:
        """Of a mixture: weight, alpha, mean and spread of each member's scores; else nothing."""


class OneRanking:
    """Of one system at one alpha: an item scores by its best pair of segments.

    Attributes:
        scores: (I,) cosine of the best pair; `rows` its row of the index, `asked` its query segment: of equal ones
            the earliest row, then the earliest query segment.
    """

    def __init__(
        self, library: Library, system: System, query: Query, compared: Compared, alpha: float
    ) -> None:
        self._library, self._system, self._query, self._compared = library, system, query, compared
        self._weights = branch_weights(alpha, len(system.branches))
        self.scores, self.rows, self.asked = _best_pairs(compared, self._weights)

    @property
    def items(self) -> tuple[Item, ...]:
        """In the library's order."""
        return self._compared.index.items

    @property
    def missing(self) -> int:
        """Items that the system has not embedded."""
        return self._compared.index.missing

    def vectors(self, positions: Positions) -> FloatArray:
        """Mixed vectors of the items' best segments."""
        rows = np.asarray(self._compared.index.index.vectors[self.rows[positions]], np.float32)
        return mix_branches(rows, self._weights)

    def mixture(self) -> list[JsonDict]:
        """Nothing: it is none."""
        return []

    @property
    def music(self) -> Positions:
        """See `Ranking.music`."""
        return self._compared.index.music

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """See `Ranking.present`."""
        return self._compared.index.present

    def results(self, positions: Positions) -> list[Result]:
        """Where each item fits best, and what that rests on; features of all of them are read at once."""
        found = self._library.features_of_all([self.items[at] for at in positions], self._system)
        return [self._result(rank, int(at), found) for rank, at in enumerate(positions, start=1)]

    def _result(self, rank: int, position: int, found: Mapping[str, SegmentFeatures]) -> Result:
        row, asked = int(self.rows[position]), int(self.asked[position])
        segment, pair = self._compared.index.segments[row], self._compared.products[asked].products[row]
        return Result(
            rank=rank,
            item=self.items[position],
            score=float(self.scores[position]),
            beats=float(np.mean(self.scores < self.scores[position])),
            above=above(self.scores, position),
            start_s=segment.start_s,
            end_s=segment.end_s,
            query_start_s=self._query.segments[asked].start_s,
            query_end_s=self._query.segments[asked].end_s,
            branches={name: float(pair[b, b]) for b, name in enumerate(self._system.branches)},
            facts=self._facts(position, row, found.get(self.items[position].id)),
        )

    def _facts(self, position: int, row: int, found: SegmentFeatures | None) -> dict[str, float]:
        index, owner = self._compared.index, self.items[position]
        if found is None:  # taken out of the library by somebody else since
            return {}
        segment = found.features[row - int(index.starts[position])]
        return facts_of_item(owner, self._system.backbone(owner.modality), segment)


@dataclass(frozen=True, kw_only=True)
class Share:
    """One member of a mixture: its ranking, and where the mixture's items are in it."""

    name: str
    weight: float
    alpha: float
    ranking: OneRanking
    places: Positions

    @property
    def mean(self) -> float:
        """Mean score over the mixture's items."""
        return float(self._scores.mean()) if len(self._scores) else 0.0

    @property
    def spread(self) -> float:
        """Standard deviation over the mixture's items."""
        return float(self._scores.std()) if len(self._scores) else 0.0

    @property
    def _scores(self) -> npt.NDArray[np.float64]:
        return self.ranking.scores[self.places].astype(np.float64)

    def standard(self) -> npt.NDArray[np.float64]:
        """Scores less their mean over their spread; 0 where all are alike."""
        spread = self.spread
        return (self._scores - self.mean) / spread if spread > 0 else np.zeros(len(self.places))


class MixedRanking:
    """The weighted sum of its members' standardised scores, in deviations; see the module."""

    def __init__(self, members: Sequence[tuple[str, float, float, OneRanking]]) -> None:
        shared = set.intersection(*({item.id for item in ranking.items} for *_, ranking in members))
        first = members[0][3]
        self.items: tuple[Item, ...] = tuple(item for item in first.items if item.id in shared)
        self.missing = first.missing + len(first.items) - len(self.items)
        self._shares = []
        for name, weight, alpha, ranking in members:
            place = {item.id: at for at, item in enumerate(ranking.items)}
            places = np.array([place[item.id] for item in self.items], np.int64)
            self._shares.append(Share(name=name, weight=weight, alpha=alpha, ranking=ranking, places=places))
        weights = np.array([share.weight for share in self._shares])
        self._standard = np.stack([share.standard() for share in self._shares])  # (members, I)
        self.scores: FloatArray = (weights @ self._standard / max(weights.sum(), 1e-9)).astype(np.float32)

    def vectors(self, positions: Positions) -> FloatArray:
        """The first member's."""
        first = self._shares[0]
        return first.ranking.vectors(first.places[positions])

    def mixture(self) -> list[JsonDict]:
        """What each member's scores were standardised by."""
        return [
            {
                "system": share.name,
                "weight": share.weight,
                "alpha": share.alpha,
                "mean": round(share.mean, 6),
                "spread": round(share.spread, 6),
            }
            for share in self._shares
        ]

    @property
    def music(self) -> Positions:
        """See `Ranking.music`."""
        first = self._shares[0]
        return first.ranking.music[first.places]

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """See `Ranking.present`."""
        first = self._shares[0]
        return first.ranking.present[first.places]

    def results(self, positions: Positions) -> list[Result]:
        """Times are those of the member that likes the item most; facts of all."""
        lines = [share.ranking.results(share.places[positions]) for share in self._shares]
        return [self._result(int(at), of) for at, of in zip(positions, zip(*lines, strict=True), strict=True)]

    def _result(self, position: int, lines: Sequence[Result]) -> Result:
        likes = int(self._standard[:, position].argmax())
        facts: dict[str, float] = {}
        for line in lines:
            facts |= line.facts
        chosen = lines[likes]
        return Result(
            rank=chosen.rank,
            item=self.items[position],
            score=float(self.scores[position]),
            beats=float(np.mean(self.scores < self.scores[position])),
            above=above(self.scores, position),
            start_s=chosen.start_s,
            end_s=chosen.end_s,
            query_start_s=chosen.query_start_s,
            query_end_s=chosen.query_end_s,
            branches={share.name: line.score for share, line in zip(self._shares, lines, strict=True)},
            facts=facts,
        )


def _best_pairs(compared: Compared, weights: FloatArray) -> tuple[FloatArray, Positions, Positions]:
    """Best pair of segments per item: its score, row of the index and query segment."""
    index = compared.index
    if not len(index):
        nothing = np.zeros(0, np.int64)
        return np.zeros(0, np.float32), nothing, nothing
    table = np.stack([products.scores(weights) for products in compared.products])  # (S, N)
    asked = table.argmax(axis=0)
    rows = table.max(axis=0)
    best = np.maximum.reduceat(rows, index.starts)
    at_best = np.flatnonzero(rows >= best[index.owner])
    owners = index.owner[at_best]  # ascending, since the rows of an item are neighbours
    first = at_best[np.concatenate([[True], owners[1:] != owners[:-1]])]
    return best, first, asked[first]

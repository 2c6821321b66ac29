"""A query's scores over a whole library, before anything is filtered: of one system, or of a mixture of several.

A mixture adds up its members' scores, each standardised over all items that every member has embedded: mean and spread
belong to the query and the library and are stored with the list, so a filter changes no score. All items are scored by
every member; nothing is claimed of items beyond the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, JsonDict, branch_weights, mix_branches
from mvr.embeddings.system import SegmentFeatures, System
from mvr.index import CrossProducts
from mvr.index.mixture import mixed_lengths
from mvr.library import Item, Library, LibraryIndex
from mvr.retrieval.facts import facts_of_item
from mvr.retrieval.query import Query
from mvr.retrieval.ranked import Result

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How some items' scores stand among all.

    Attributes:
        beats: share of all that score less; above: deviations above the average of all, 0 where all score alike.
    """

    beats: tuple[float, ...]
    above: tuple[float, ...]


def standing(scores: FloatArray, positions: Positions) -> Standing:
    """Where the items at some positions stand; all scores are looked at once.

    >>> found = standing(np.array([1.0, 1.0, 1.0, 5.0], np.float32), np.array([3, 0]))
    >>> found.beats, round(found.above[0], 3)
    ((0.75, 0.0), 1.732)
    """
    wanted = scores[positions]
    if not len(wanted):
        return Standing(beats=(), above=())
    least = np.sort(wanted)
    near = scores[scores >= least[0]]
    reached = np.bincount(np.searchsorted(least, near, side="right"), minlength=len(least) + 1)
    below = len(scores) - np.cumsum(reached[::-1])[::-1][1:]  # of the n-th least: all that do not reach it
    mean, spread = float(scores.mean()), float(scores.std())
    return Standing(
        beats=tuple((below[np.searchsorted(least, wanted)] / len(scores)).tolist()),
        above=tuple((float(score) - mean) / spread if spread > 1e-9 else 0.0 for score in wanted),
    )


@dataclass(frozen=True)
class Compared:
    """A query against a library: products per query segment, and the index they belong to."""

    index: LibraryIndex
    products: tuple[CrossProducts, ...]

    @classmethod
    def of(cls, index: LibraryIndex, vectors: FloatArray, before: Compared | None = None) -> Compared:
        """Products with every row.

        Args:
            index: of the library.
            vectors: (S, B, D) of the query.
            before: with the same rows as far as there were any.
        """
        count = len(index.times)
        if before is None:
            return cls(index, tuple(_cut(index.index.cross(segment), count) for segment in vectors))
        known = before.products[0].products.shape[-1]
        if known >= count:
            return cls(index, before.products)
        more = [_cut(index.index.cross(segment, known), count - known) for segment in vectors]
        grams = np.concatenate([before.products[0].rows, more[0].rows])
        both = zip(before.products, more, strict=True)
        joined = [(old, np.concatenate([old.products, new.products], axis=-1)) for old, new in both]
        return cls(index, tuple(replace(old, products=products, rows=grams) for old, products in joined))

    @property
    def bytes(self) -> int:
        """What it takes beyond the index's own arrays."""
        return sum(each.products.nbytes for each in self.products)


def _cut(found: CrossProducts, count: int) -> CrossProducts:
    """Without rows that came meanwhile."""
    return replace(found, products=found.products[..., :count], rows=found.rows[:count])


class Ranking(Protocol):
    """Scores (I,) of the items (I) of a library for one query; `missing` items are not embedded yet."""

    @property
    def items(self) -> tuple[Item, ...]:
        """In the library's order."""

    @property
    def scores(self) -> FloatArray:
        """Scores of all items; higher is better."""

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

    @property
    def written(self) -> object:
        """Stays the same object while nothing that is written about the items changes, their order neither."""

    def results(self, positions: Positions) -> list[Result]:
        """The items at some positions as the lines of a list, from rank 1."""

    def mixture(self) -> list[JsonDict]:
        """Of a mixture: weight, alpha, mean and spread of each member's scores; else nothing."""


class OneRanking:
    """Of one system at one alpha: an item scores by its best pair of segments.

    Attributes:
        scores: (I,) cosine of the best pair.
    """

    def __init__(
        self, library: Library, system: System, query: Query, compared: Compared, alpha: float
    ) -> None:
        self._library, self._system, self._query, self._compared = library, system, query, compared
        self._weights = branch_weights(alpha, len(system.branches))
        lengths = mixed_lengths(compared.products[0].rows, self._weights)
        self._tables = [products.scores(self._weights, lengths) for products in compared.products]
        rows = self._tables[0]
        for table in self._tables[1:]:
            rows = np.maximum(rows, table)
        self.scores: FloatArray = compared.index.best_of(rows)

    @property
    def items(self) -> tuple[Item, ...]:
        """In the library's order."""
        return self._compared.index.items

    @property
    def missing(self) -> int:
        """Items that the system has not embedded."""
        return self._compared.index.missing

    def best_pair(self, position: int) -> tuple[int, int]:
        """An item's row of the index and the query segment that score best together: of equal ones the earliest row,
        then the earliest query segment."""
        first = int(self._compared.index.starts[position])
        end = int(self._compared.index.ends[position])
        span = np.stack([table[first:end] for table in self._tables])
        row = int(span.max(axis=0).argmax())
        return first + row, int(span[:, row].argmax())

    def vectors(self, positions: Positions) -> FloatArray:
        """Mixed vectors of the items' best segments."""
        at = [self.best_pair(int(position))[0] for position in positions]
        return mix_branches(np.asarray(self._compared.index.index.vectors[at], np.float32), self._weights)

    def mixture(self) -> list[JsonDict]:
        """Empty: a single system has no members."""
        return []

    @property
    def music(self) -> Positions:
        """See `Ranking.music`."""
        return self._compared.index.music

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """See `Ranking.present`."""
        return self._compared.index.present

    @property
    def written(self) -> object:
        """See `Ranking.written`."""
        return self._compared.index.written

    def results(self, positions: Positions) -> list[Result]:
        """Where each item fits best, and what that rests on; features of all of them are read at once."""
        found = self._library.features_of_all([self.items[at] for at in positions], self._system)
        stand = None if self._compared.index.partial else standing(self.scores, positions)
        return [
            replace(
                self._result(rank, int(at), found),
                beats=None if stand is None else stand.beats[rank - 1],
                above=None if stand is None else stand.above[rank - 1],
            )
            for rank, at in enumerate(positions, start=1)
        ]

    def _result(self, rank: int, position: int, found: Mapping[str, SegmentFeatures]) -> Result:
        row, asked = self.best_pair(position)
        segment, pair = self._compared.index.segment(row), self._compared.products[asked].products[:, :, row]
        return Result(
            rank=rank,
            item=self.items[position],
            score=float(self.scores[position]),
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


class Joined:
    """The items that every member of a mixture has embedded, and where they are in each member's index."""

    def __init__(self, indexes: Sequence[LibraryIndex]) -> None:
        shared = set.intersection(*({item.id for item in index.items} for index in indexes))
        self.indexes = tuple(indexes)
        self.items = tuple(item for item in indexes[0].items if item.id in shared)
        self.missing = indexes[0].missing + len(indexes[0].items) - len(self.items)
        self.places = []
        for index in indexes:
            place = {item.id: at for at, item in enumerate(index.items)}
            self.places.append(np.array([place[item.id] for item in self.items], np.int64))
        self.written = object()

    def is_of(self, indexes: Sequence[LibraryIndex]) -> bool:
        """Whether nothing has changed since."""
        return all(mine is other for mine, other in zip(self.indexes, indexes, strict=True))


class MixedRanking:
    """The weighted sum of its members' standardised scores, in deviations; see the module."""

    def __init__(self, members: Sequence[tuple[str, float, float, OneRanking]], joined: Joined) -> None:
        self.items, self.missing, self.written = joined.items, joined.missing, joined.written
        self._shares = [
            Share(name=name, weight=weight, alpha=alpha, ranking=ranking, places=places)
            for (name, weight, alpha, ranking), places in zip(members, joined.places, strict=True)
        ]
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
        stand = standing(self.scores, positions)
        return [
            replace(self._result(int(at), of), beats=beats, above=above)
            for at, of, beats, above in zip(
                positions, zip(*lines, strict=True), stand.beats, stand.above, strict=True
            )
        ]

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
            start_s=chosen.start_s,
            end_s=chosen.end_s,
            query_start_s=chosen.query_start_s,
            query_end_s=chosen.query_end_s,
            branches={share.name: line.score for share, line in zip(self._shares, lines, strict=True)},
            facts=facts,
        )

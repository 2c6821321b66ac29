"""What an index in a database does, whatever the database: it keeps rows and hands out candidates.

A place holds spaces: the rows of one modality under one system. A row is a segment of an item: B unit-length branch
vectors laid end to end, as float16, with the inner products between its branches. A search asks for the n best rows by
score, or for rows that codes of them point at (`mvr.index.remote.codes`). Exact scores and the proof that nothing
better is left are `mvr.index.remote.search`'s, the same for every place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, JsonDict
from mvr.errors import DataError, NotFinite, WrongShape
from mvr.index.index import UNIT_TOLERANCE
from mvr.index.recall import Measured

if TYPE_CHECKING:
    from mvr.index.remote.mixed import MixedCandidates, Part


@dataclass(frozen=True, kw_only=True)
class Space:
    """Rows that can be compared.

    Attributes:
        system: identity of the system whose embeddings they are.
        modality: of the items.
        branches: B names; dim: D, width of one branch.
    """

    system: str
    modality: str
    branches: tuple[str, ...]
    dim: int

    @property
    def width(self) -> int:
        """B * D, numbers in one row."""
        return len(self.branches) * self.dim

    @property
    def key(self) -> str:
        """A name for tables: letters, digits and underscores."""
        key = f"{self.system}_{self.modality}".lower()
        assert re.fullmatch(r"[a-z0-9_]+", key), (
            key
        )  # an identity is hexadecimal digits: it stands inside statements
        return key


@dataclass(frozen=True, kw_only=True)
class StoredItem:
    """One item with its segments.

    Attributes:
        id: of the catalogue.
        content: a digest of what is written of it; an item with another one is written anew.
        document: everything that a list shows of it.
        genre, mood, commercial, duration_s, tempo_bpm: what can be filtered by.
        licence: in the form that filters compare.
        times: (S, 2) start and end of each segment in seconds.
        vectors: (S, B, D) unit-length.
        facts: per segment, what can be heard or seen of it.
        origin: the library that it was first pushed from.
    """

    id: str
    content: str
    document: JsonDict
    times: npt.NDArray[np.float64]
    vectors: FloatArray
    facts: Sequence[Mapping[str, float]] = ()
    genre: tuple[str, ...] = ()
    mood: tuple[str, ...] = ()
    licence: str = ""
    commercial: bool = False
    duration_s: float | None = None
    tempo_bpm: float | None = None
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which items may be found; all that are given must hold, and an item that lacks the fact is left out."""

    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    commercial: bool = False
    least: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)
    ids: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What one search asks a place for.

    Attributes:
        unit: (D,) the query's mixture, of unit length.
        weights: (B,) of the branches.
        count: how many rows.
        wanted: which items they may belong to.
    """

    unit: FloatArray
    weights: FloatArray
    count: int
    wanted: Wanted

    @property
    def weighted(self) -> FloatArray:
        """(B * D,): its inner product with a row is the row's score times the length of the row's mixture."""
        flat: FloatArray = (self.weights[:, None] * self.unit).ravel().astype(np.float32)
        return flat


@dataclass(frozen=True, kw_only=True)
class StoredRows:
    """Rows as they are stored.

    Attributes:
        positions: (n,) of the items, in the order of their first writing, from 1 on.
        numbers: (n,) of the segment in its item.
        vectors: (n, B, D) float32.
    """

    positions: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    vectors: FloatArray


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What was written and taken out of a space between two versions.

    Attributes:
        version, stamp: up to which this is.
        before: the stamp of the version that it follows, as it is written down here; 0 for the empty index.
        positions: (m,) of the items, each once.
        rows: of those that are there now.
    """

    version: int
    stamp: int
    before: int
    positions: npt.NDArray[np.int64]
    rows: StoredRows


@dataclass(frozen=True, kw_only=True)
class Candidates(StoredRows):
    """Rows of one search, best first; fewer than asked for when there are no more.

    Attributes:
        values: (n,) float64, what they are ordered by: scores as the place computed them.
        slack: by how much an inner product may be off, the query's rounding included.
    """

    values: npt.NDArray[np.float64]
    slack: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One found segment with its item."""

    item: str
    document: JsonDict
    start_s: float
    end_s: float
    facts: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Holding:
    """How much of a space is there.

    Attributes:
        items, rows: held now.
        announced: items of every library's last push; more than `items` while one runs, or when it was stopped.
        least_gram: (B, B) elementwise minimum over all rows of the inner products between a row's branches.
        version: one more with every write and removal.
        stamp: drawn for each version, so another one's where the index was taken back to an older state (a backup) and
            written to since; 0 before the first write.
        identity: drawn when the space was made, so another one's once it was dropped and made anew; "" in a database
            that was last pushed to before there were any.
        measured: how much searches by codes miss, once that was measured.
    """

    items: int
    rows: int
    announced: int
    least_gram: npt.NDArray[np.float64] = field(compare=False)  # a version has one
    version: int
    stamp: int = 0
    identity: str = ""
    measured: Measured | None = None


class Finder(Protocol):
    """Finds rows sooner than by comparing every one; see `mvr.index.remote.codes`."""

    def near(self, space: Space, holding: Holding, sought: Sought) -> StoredRows | None:
        """Some `sought.count` rows near a query; None where every row must be compared."""


class Place(Protocol):
    """Where indexes of libraries are kept.

    Attributes:
        finder: asked first by searches without filters, where there is one.
    """

    finder: Finder | None

    def holding(self, space: Space) -> Holding | None:
        """What is there of a space; None for nothing."""

    def contents(self, space: Space) -> dict[str, str]:
        """Item -> content of what is there already, so that a push goes on where another one stopped."""

    def owned(self, space: Space, origin: str) -> set[str]:
        """Items that were pushed from one library."""

    def announce(self, space: Space, items: int, origin: str = "") -> None:
        """A push begins, after which so many items are of its library; makes the space where there is none."""

    def write(self, space: Space, items: Sequence[StoredItem]) -> None:
        """Write items with all their rows, each as a whole or not at all; one that is there is replaced and keeps its
        origin."""

    def remove(self, space: Space, ids: Sequence[str]) -> None:
        """Take items out."""

    def candidates(self, space: Space, sought: Sought) -> Candidates:
        """The best rows by score."""

    def mixed(self, parts: Sequence[Part], count: int, wanted: Wanted) -> MixedCandidates:
        """The items with the best sums of their members' standardised scores; every row is compared."""

    def stored(
        self, space: Space, positions: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]
    ) -> StoredRows:
        """The rows (n,) of these places, in any order, without those that are gone."""

    def rows_of(self, space: Space, positions: npt.NDArray[np.int64]) -> StoredRows:
        """All rows of the items at some positions, in any order."""

    def changes(self, space: Space, since: int, until: int) -> Changes:
        """What was changed after version `since`, up to `until` or to the last one there is."""

    def keep_measured(self, space: Space, measured: Measured) -> None:
        """Write down how much searches by codes miss."""

    def rows(self, space: Space, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Row]:
        """Rows by item position and segment number, without those that are gone."""

    def close(self) -> None:
        """Let go of connections."""


def check_item(item: StoredItem, space: Space) -> FloatArray:
    """An item's vectors as stored (S, B, D), refused before a database could misread them.

    A zero vector stands first in one database's order and nowhere in another's; NaN is above every number.

    Raises:
        WrongShape, NotFinite, DataError: vectors that do not fit, hold NaN, or are not of unit length.
    """
    shape = (len(item.times), len(space.branches), space.dim)
    if item.vectors.shape != shape or not len(item.times):
        raise WrongShape(f"item {item.id}: vectors of shape {item.vectors.shape}, the index needs {shape}")
    if not np.isfinite(item.vectors).all():
        raise NotFinite(f"item {item.id}: its vectors hold NaN or infinity")
    stored = item.vectors.astype(np.float16).astype(np.float32)
    lengths = np.linalg.norm(stored, axis=-1)
    if (np.abs(lengths - 1) > UNIT_TOLERANCE).any():
        raise DataError(
            f"item {item.id}: a vector has length {lengths.flat[np.abs(lengths - 1).argmax()]:.4g}, not 1"
        )
    return stored


def query_slack(weighted: FloatArray, sent: npt.NDArray[Any], branches: int, rounding: float) -> float:
    """By how much products with what was `sent` may differ from those with `weighted`: Cauchy and Schwarz, rows being
    sqrt(branches) long, and `rounding` of the sum itself."""
    lost = float(np.linalg.norm(weighted.astype(np.float64) - sent.astype(np.float64)))
    return 1.01 * float(np.sqrt(branches)) * (lost + rounding)

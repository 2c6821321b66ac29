"""An index over a library's items, with the item and segment that each row stands for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.config.extras import has
from mvr.datatypes import FloatArray, Modality, Segment
from mvr.embeddings.system import SegmentFeatures, System
from mvr.index import Index, create_index
from mvr.index.exact import NumpyIndex
from mvr.index.recall import Measured
from mvr.library.item import Item

# Up to here rows stay as the head made them, float32; of larger libraries they are kept as float16, half the memory,
# and lists are exact for the rows as kept
_FLOAT32_ITEMS = 20_000
_BLOCK_ITEMS = 4096  # read and encoded together, so that memory holds the index and little else

# Above, codes of faiss find candidates where it is installed. Measured (`python -m eval.index.threshold`, LOG.md): at a
# million rows of 2 x 128 a clip of three segments is compared with every row in 0.41 s, and a move of the slider then
# takes 22 ms; codes need 29 ms for either, but 33 s to build instead of 2. Beyond, one waits for the first search
APPROXIMATE_ROWS = 1_000_000

Numbers = npt.NDArray[np.int64]
FeaturesOf = Callable[[Sequence[Item]], Mapping[str, SegmentFeatures]]


@dataclass(frozen=True, kw_only=True)
class LibraryIndex:
    """Rows of one modality under one system; the rows of an item are neighbours, and of rows that belong to none (any
    more) nothing is said.

    Attributes:
        index: over all segments, row ids "ITEM/NUMBER".
        items: the items that have rows, in the order of adding.
        times: (N, 2) start and end of what each row stands for, in seconds; the index may hold more by now.
        starts, ends: (I,) first row of each item, and the one behind its last.
        missing: items of the library that this system has not embedded.
        written: stays the same object while nothing that is written about the items changes.
        measured: of an approximate index, which libraries above `APPROXIMATE_ROWS` have: how much it misses.
        partial: these are not all items of the library.
    """

    index: Index
    items: tuple[Item, ...]
    times: npt.NDArray[np.float64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    missing: int = 0
    written: object = field(default_factory=object)
    measured: Measured | None = None
    partial: bool = False

    @cached_property
    def music(self) -> npt.NDArray[np.int64]:
        """(I,) a number for each item's piece of music: copies of one share it."""
        return music_of(self.items)

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """(I,) whether an item's file was there when it was last looked for."""
        return np.array([not item.missing for item in self.items], bool)

    @cached_property
    def owner(self) -> npt.NDArray[np.int64]:
        """(N,) position in `items` of each row; -1 where it belongs to none."""
        owner = np.full(len(self.times), -1, np.int64)
        owner[self.rows] = np.repeat(np.arange(len(self.items)), self.ends - self.starts)
        return owner

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """All rows of its items, in their order."""
        return rows_of(self.starts, self.ends, np.arange(len(self.items)))[1]

    @cached_property
    def _spans(self) -> npt.NDArray[np.int64] | None:
        """For `best_of`: where each item begins and ends; None where they lie one after another, and nothing else."""
        edges = np.concatenate([[0], self.ends])
        if np.array_equal(edges, np.append(self.starts, len(self.times))):
            return None
        pairs: npt.NDArray[np.int64] = np.stack([self.starts, self.ends], axis=1).ravel()
        return pairs

    def best_of(self, values: FloatArray) -> FloatArray:
        """(I,) the highest value of each item, of one for each row (N,)."""
        if not len(self.items):
            return values[:0]
        if self._spans is None:
            packed: FloatArray = np.maximum.reduceat(values[: len(self.times)], self.starts)
            return packed
        best: FloatArray = np.maximum.reduceat(np.append(values, values[:1]), self._spans)[::2]
        return best

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where in `items` each id is."""
        return {item.id: at for at, item in enumerate(self.items)}

    def segment(self, row: int) -> Segment:
        """The time span that a row stands for."""
        return Segment(start_s=float(self.times[row, 0]), end_s=float(self.times[row, 1]))

    def again(self, *, forgotten: Collection[str] = (), **changes: Any) -> LibraryIndex:
        """The same with some attributes changed; what was found of it already stays, but for what is `forgotten`."""
        other = replace(self, **changes)
        found = {name: value for name, value in self.__dict__.items() if name not in other.__dict__}
        other.__dict__.update({name: value for name, value in found.items() if name not in forgotten})
        return other

    def part(self, positions: npt.NDArray[np.int64]) -> LibraryIndex:
        """Some of its items, by ascending position, with all their rows; exact."""
        starts, rows = rows_of(self.starts, self.ends, positions)
        settings = self.index.settings
        index = create_index("half", settings.dim, settings.branches, system=settings.system)
        index.add([str(row) for row in rows], np.asarray(self.index.vectors[rows], np.float32))
        return replace(
            self, index=index, items=tuple(self.items[at] for at in positions), times=self.times[rows],
            starts=starts, ends=np.append(starts[1:], len(rows)), partial=True,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.items)


def music_of(items: tuple[Item, ...]) -> npt.NDArray[np.int64]:
    """(I,) a number for each item's piece of music: copies of one share it."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(i.same_as or i.id, len(numbers)) for i in items], np.int64)


def build_index(
    system: System,
    modality: Modality,
    items: Sequence[Item],
    features_of: FeaturesOf,
    *,
    kind: str | None = None,
) -> LibraryIndex:
    """Encode every item's features through the system's head and index them, block by block.

    Args:
        system: whose head.
        modality: of all items.
        items: those without features are counted as missing.
        features_of: some items' features by id.
        kind: of index; None chooses by the number of items and rows.
    """
    index: Index | None = None
    held: list[Item] = []
    counts: list[int] = []
    times = []
    for at in range(0, len(items), _BLOCK_ITEMS):
        block = items[at : at + _BLOCK_ITEMS]
        found = features_of(block)
        here = [item for item in block if item.id in found]
        if not here:
            continue
        features = [found[item.id] for item in here]
        embeddings = system.encode(np.concatenate([each.features for each in features]), modality)
        sizes = [len(each.features) for each in features]
        if index is None:
            expected = sum(sizes) * len(items) // len(here)
            options = {"rows": expected + expected // 50}
            chosen = kind or kind_for(len(items), expected)
            index = create_index(
                chosen, system.head.dim, system.branches, system=system.identity, options=options
            )
        ids = [f"{item.id}/{n}" for item, size in zip(here, sizes, strict=True) for n in range(size)]
        index.add(ids, embeddings.vectors, system=system.identity)
        times.append(np.array([(s.start_s, s.end_s) for each in features for s in each.segments]))
        held += here
        counts += sizes
    empty = create_index("numpy", system.head.dim, system.branches, system=system.identity)
    ends = np.cumsum(np.array(counts, np.int64))
    return LibraryIndex(
        index=index or empty,
        items=tuple(held),
        times=np.concatenate([np.zeros((0, 2)), *times]),
        starts=ends - np.array(counts, np.int64),
        ends=ends,
        missing=len(items) - len(held),
    )


def kind_for(items: int, rows: int) -> str:
    """The kind of index for so many items and rows."""
    if rows > APPROXIMATE_ROWS and has("faiss"):
        return "rabitq"
    return "numpy" if items <= _FLOAT32_ITEMS else "half"


def rows_of(starts: Numbers, ends: Numbers, positions: Numbers) -> tuple[Numbers, Numbers]:
    """Of the items at some positions, one after another: where each begins then, and (n,) all their rows.

    >>> starts, rows = rows_of(np.array([0, 2, 5]), np.array([2, 5, 6]), np.array([2, 0]))
    >>> starts.tolist(), rows.tolist()
    ([0, 1], [5, 0, 1])
    """
    wanted = (ends - starts)[positions]
    first = np.cumsum(np.append(0, wanted))[:-1].astype(np.int64)
    return first, np.repeat(starts[positions] - first, wanted) + np.arange(wanted.sum())


def packed(index: LibraryIndex) -> LibraryIndex:
    """The same without rows that belong to no item."""
    settings, before = index.index.settings, index.index
    starts, rows = rows_of(index.starts, index.ends, np.arange(len(index)))
    exact = create_index(settings.kind, settings.dim, settings.branches, system=settings.system)
    assert isinstance(exact, NumpyIndex) and isinstance(before, NumpyIndex)
    exact.attach([before.ids[row] for row in rows.tolist()], before.vectors[rows], before.grams[rows])
    return replace(
        index, index=exact, times=index.times[rows], starts=starts, ends=np.append(starts[1:], len(rows))
    )

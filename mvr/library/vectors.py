"""An index over a library's items, with the item and segment that each row stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mvr.config.extras import has
from mvr.datatypes import JsonDict, Modality, Segment
from mvr.embeddings.system import SegmentFeatures, System
from mvr.index import Index, create_index
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

FeaturesOf = Callable[[Sequence[Item]], Mapping[str, SegmentFeatures]]


@dataclass(frozen=True, kw_only=True)
class LibraryIndex:
    """Rows of one modality under one system; the rows of an item are neighbours.

    Attributes:
        index: over all segments, row ids "ITEM/NUMBER".
        items: the items that have rows, in row order.
        times: (N, 2) start and end of what each row stands for, in seconds.
        starts: (I,) first row of each item.
        missing: items of the library that this system has not embedded.
        written: stays the same object while nothing that is written about the items changes.
        measured: of an approximate index, which libraries above `APPROXIMATE_ROWS` have: how much it misses.
        partial: these are not all items of the library.
    """

    index: Index
    items: tuple[Item, ...]
    times: npt.NDArray[np.float64]
    starts: npt.NDArray[np.int64]
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
        """(N,) position in `items` of each row."""
        return np.repeat(np.arange(len(self.items)), np.diff(self.starts, append=len(self.times)))

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {item.id: at for at, item in enumerate(self.items)}

    def segment(self, row: int) -> Segment:
        """The time span that a row stands for."""
        return Segment(start_s=float(self.times[row, 0]), end_s=float(self.times[row, 1]))

    def end(self, position: int) -> int:
        """The row behind an item's last one."""
        return int(self.starts[position + 1]) if position + 1 < len(self.starts) else len(self.times)

    def seen_again(self, items: Iterable[Item]) -> LibraryIndex:
        """The same with some items whose files went missing or came back; nothing else of them has changed."""
        changed, present = list(self.items), self.present.copy()
        for item in items:
            at = self._positions.get(item.id)
            if at is not None:
                changed[at], present[at] = item, not item.missing
        again = replace(self, items=tuple(changed))
        kept: JsonDict = {"present": present}
        for name in ("music", "owner", "_positions"):  # cached properties that have not changed go on
            if name in self.__dict__:
                kept[name] = self.__dict__[name]
        again.__dict__.update(kept)
        return again

    def part(self, positions: npt.NDArray[np.int64]) -> LibraryIndex:
        """Some of its items, by ascending position, with all their rows; exact."""
        ends = np.append(self.starts[1:], len(self.times))
        counts = (ends - self.starts)[positions]
        first = np.cumsum(np.append(0, counts))[:-1].astype(np.int64)
        rows = np.repeat(self.starts[positions] - first, counts) + np.arange(counts.sum())
        settings = self.index.settings
        index = create_index("half", settings.dim, settings.branches, system=settings.system)
        index.add([str(row) for row in rows], np.asarray(self.index.vectors[rows], np.float32))
        return replace(
            self, index=index, items=tuple(self.items[at] for at in positions), times=self.times[rows],
            starts=first, partial=True,
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
            chosen = kind or _kind(len(items), expected)
            index = create_index(
                chosen, system.head.dim, system.branches, system=system.identity, options=options
            )
        ids = [f"{item.id}/{n}" for item, size in zip(here, sizes, strict=True) for n in range(size)]
        index.add(ids, embeddings.vectors, system=system.identity)
        times.append(np.array([(s.start_s, s.end_s) for each in features for s in each.segments]))
        held += here
        counts += sizes
    empty = create_index("numpy", system.head.dim, system.branches, system=system.identity)
    return LibraryIndex(
        index=index or empty,
        items=tuple(held),
        times=np.concatenate([np.zeros((0, 2)), *times]),
        starts=(np.cumsum([0, *counts])[:-1]).astype(np.int64),
        missing=len(items) - len(held),
    )


def _kind(items: int, rows: int) -> str:
    if rows > APPROXIMATE_ROWS and has("faiss"):
        return "rabitq"
    return "numpy" if items <= _FLOAT32_ITEMS else "half"

"""An index over a library's items, with the item and segment that each row stands for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mvr.datatypes import Modality, Segment
from mvr.embeddings.system import SegmentFeatures, System
from mvr.index import Index, create_index
from mvr.library.item import Item


@dataclass(frozen=True, kw_only=True)
class LibraryIndex:
    """Rows of one modality under one system; the rows of an item are neighbours.

    Attributes:
        index: over all segments, row ids "ITEM/NUMBER".
        items: the items that have rows, in row order.
        segments: per row, the time span it stands for.
        starts: (I,) first row of each item.
        owner: (N,) position in `items` of each row.
        missing: items of the library that this system has not embedded.
    """

    index: Index
    items: tuple[Item, ...]
    segments: tuple[Segment, ...]
    starts: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]
    missing: int = 0

    @cached_property
    def music(self) -> npt.NDArray[np.int64]:
        """(I,) a number for each item's piece of music: copies of one share it."""
        return music_of(self.items)

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """(I,) whether an item's file was there when it was last looked for."""
        return np.array([not item.missing for item in self.items], bool)

    def __len__(self) -> int:
        return len(self.items)


def music_of(items: tuple[Item, ...]) -> npt.NDArray[np.int64]:
    """(I,) a number for each item's piece of music: copies of one share it."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(i.same_as or i.id, len(numbers)) for i in items], np.int64)


def build_index(
    system: System,
    modality: Modality,
    items: list[tuple[Item, SegmentFeatures | None]],
    *,
    kind: str = "numpy",
) -> LibraryIndex:
    """Encode every item's features through the system's head and index them.

    Args:
        system: whose head.
        modality: of all items.
        items: items with their features; those without are counted as missing.
        kind: of index; the Retriever compares a query with every row once, which needs no second copy for faiss.
    """
    found = [(item, features) for item, features in items if features is not None]
    index = create_index(kind, system.head.dim, system.branches, system=system.identity)
    counts = [len(features.segments) for _, features in found]
    if found:
        features = np.concatenate([features.features for _, features in found])
        embeddings = system.encode(features, modality)
        ids = [f"{item.id}/{n}" for (item, _), count in zip(found, counts, strict=True) for n in range(count)]
        index.add(ids, embeddings.vectors, system=system.identity)
    return LibraryIndex(
        index=index,
        items=tuple(item for item, _ in found),
        segments=tuple(segment for _, features in found for segment in features.segments),
        starts=np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        if found
        else np.zeros(0, np.int64),
        owner=np.repeat(np.arange(len(found)), counts),
        missing=len(items) - len(found),
    )

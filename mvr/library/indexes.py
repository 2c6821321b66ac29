"""The indexes over a library's items, each made again only when the items have changed."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mvr.datatypes import Modality
from mvr.embeddings.system import System
from mvr.library.catalogue import Catalogue
from mvr.library.features import LibraryFeatures
from mvr.library.item import Item
from mvr.library.vectors import LibraryIndex, build_index

_LOOK_AGAIN_S = 5.0  # how long a file that was missing is taken to be so


@dataclass(frozen=True, kw_only=True)
class _Held:
    """An index, and what it was made of."""

    revision: int
    computed: int
    ids: tuple[str, ...]
    index: LibraryIndex


class LibraryIndexes:
    """One index per system and modality; safe to share between threads."""

    def __init__(self, catalogue: Catalogue, features: LibraryFeatures) -> None:
        self._catalogue, self._features = catalogue, features
        self._held: dict[tuple[str, Modality], _Held] = {}
        self._look_at = -math.inf
        self._lock = threading.RLock()

    def index(self, system: System, modality: Modality) -> LibraryIndex:
        """The index over all embedded items of a modality."""
        with self._lock:
            self._look_again()
            revision, computed = self._catalogue.revision(), self._features.computed
            key = (system.identity, modality)
            held = self._held.get(key)
            if held is not None and (held.revision, held.computed) == (revision, computed):
                return held.index
            items = self._catalogue.items(modality)
            ids = tuple(item.id for item in items)
            if held is not None and (held.ids, held.computed) == (ids, computed):  # other words, same vectors
                index = replace(held.index, items=_in_order(items, held.index.items))
            else:
                found = self._features.of_items(items, system)
                index = build_index(system, modality, [(item, found.get(item.id)) for item in items])
            embedded = {item.id for item in index.items}
            waiting = [
                item for item in items if item.id not in embedded and self._features.can_embed(item, system)
            ]
            index = replace(index, missing=len(waiting))
            self._held[key] = _Held(revision=revision, computed=computed, ids=ids, index=index)
            return index

    def _look_again(self) -> None:
        """Look, now and then, whether the files that were missing have come back."""
        began = time.monotonic()
        if began < self._look_at:
            return
        if ids := self._catalogue.missing_ids():
            self._catalogue.check(ids)
        done = time.monotonic()
        self._look_at = done + max(_LOOK_AGAIN_S, 50 * (done - began))  # a whole disk may be unplugged


def _in_order(items: Iterable[Item], wanted: Iterable[Item]) -> tuple[Item, ...]:
    """Items by the ids of others, in their order."""
    by_id = {item.id: item for item in items}
    return tuple(by_id[item.id] for item in wanted)

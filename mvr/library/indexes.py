"""The indexes over a library's items, each made again only when the items have changed."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from mvr.config.collector import collector_at_rest
from mvr.datatypes import Modality, branch_weights
from mvr.embeddings.system import System
from mvr.index.approximate import ApproximateIndex
from mvr.index.recall import ALPHAS, RECALL_QUERIES, Measured, calibrate
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
            with collector_at_rest():
                items = self._catalogue.items(modality)
                ids = tuple(item.id for item in items)
                # where words changed alone, the vectors are the same
                if held is not None and (held.ids, held.computed) == (ids, computed):
                    in_order = _in_order(items, held.index.items)
                    index = replace(held.index, items=in_order, written=object())
                else:
                    index = self._made(system, modality, items)
            embedded = {item.id for item in index.items}
            waiting = [
                item for item in items if item.id not in embedded and self._features.can_embed(item, system)
            ]
            index = replace(index, missing=len(waiting))
            self._held[key] = _Held(revision=revision, computed=computed, ids=ids, index=index)
            return index

    def _made(self, system: System, modality: Modality, items: list[Item]) -> LibraryIndex:
        index = build_index(system, modality, items, lambda some: self._features.of_items(some, system))
        return self._measured(index, system, modality)

    def check_files(self, ids: Sequence[str] | None) -> list[str]:
        """See `Catalogue.check`; what is held follows by itself, without reading all items again."""
        with self._lock:
            before = self._catalogue.revision()
            changed = self._catalogue.check(ids)
            if changed and self._catalogue.revision() == before + 1:  # changed by nobody but us
                items = self._catalogue.items_of(changed)
                for key, held in self._held.items():
                    if held.revision == before:
                        index = held.index.seen_again(items)
                        self._held[key] = replace(held, revision=before + 1, index=index)
        return changed

    def _measured(self, index: LibraryIndex, system: System, modality: Modality) -> LibraryIndex:
        """An index with what it misses, if it is an approximate one: asked with items of the other modality."""
        if not isinstance(index.index, ApproximateIndex):
            return index
        other = next(each for each in Modality if each is not modality)
        found = list(self._features.of_items(self._catalogue.items(other)[-RECALL_QUERIES:], system).values())
        if found:
            firsts = np.concatenate([each.features[:1] for each in found])
            queries = system.encode(firsts, other).vectors
            sample = f"{len(found)} of this library's {'videos' if other is Modality.VIDEO else 'tracks'}"
        else:
            rows = np.linspace(0, len(index.times) - 1, RECALL_QUERIES).astype(int)
            queries, sample = (
                np.asarray(index.index.vectors[rows], np.float32),
                f"{len(rows)} of its own rows",
            )
        weights = [branch_weights(alpha, len(system.branches)) for alpha in ALPHAS]
        recall = calibrate(index.index, queries, weights)
        today = datetime.now(UTC).date().isoformat()
        return replace(
            index, measured=Measured(recall=recall, sample=sample, date=today, fetch=index.index.effort)
        )

    def _look_again(self) -> None:
        """Look, now and then, whether the files that were missing have come back."""
        began = time.monotonic()
        if began < self._look_at:
            return
        if ids := self._catalogue.missing_ids():
            self.check_files(ids)
        done = time.monotonic()
        self._look_at = done + max(_LOOK_AGAIN_S, 50 * (done - began))  # a whole disk may be unplugged


def _in_order(items: Iterable[Item], wanted: Iterable[Item]) -> tuple[Item, ...]:
    """Items by the ids of others, in their order."""
    by_id = {item.id: item for item in items}
    return tuple(by_id[item.id] for item in wanted)

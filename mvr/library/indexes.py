"""The indexes over a library's items, each following what changes of them."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from mvr.config.collector import collector_at_rest
from mvr.config.threads import one_thread
from mvr.datatypes import Modality, branch_weights
from mvr.embeddings.system import System
from mvr.index.approximate import ApproximateIndex
from mvr.index.recall import ALPHAS, RECALL_QUERIES, Measured, calibrate
from mvr.library.catalogue import Catalogue
from mvr.library.features import LibraryFeatures
from mvr.library.following import Changes, Held, followed
from mvr.library.vectors import LibraryIndex, build_index

_FEW_CHANGES = 5000  # of more, all items are read
_LOOK_AGAIN_S = 5.0  # how long a file that was missing is taken to be so


class LibraryIndexes:
    """One index per system and modality; safe to share between threads."""

    def __init__(self, catalogue: Catalogue, features: LibraryFeatures) -> None:
        self._catalogue, self._features = catalogue, features
        self._held: dict[tuple[str, Modality], Held] = {}
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
            with collector_at_rest(), one_thread():
                found = self._followed(held, system, modality) or self._built(system, modality)
            index = found.index
            missing = sum(self._features.can_embed(item, system) for _, item in found.waiting.values())
            if index.missing != missing:
                index = index.again(missing=missing)
            self._held[key] = replace(found, revision=revision, computed=computed, index=index)
            return index

    def _built(self, system: System, modality: Modality) -> Held:
        """The index of all items."""
        placed = self._catalogue.listing.placed(modality)
        index = build_index(
            system,
            modality,
            [item for _, item in placed],
            lambda some: self._features.of_items(some, system),
        )
        return Held.of(self._measured(index, system, modality), placed)

    def _followed(self, held: Held | None, system: System, modality: Modality) -> Held | None:
        """The index that there was as it is now; None where there was none, or it has to be built anew."""
        if held is None:
            return None
        touched = self._catalogue.touched(held.revision)
        if touched is None or len(touched) > _FEW_CHANGES:
            there = self._catalogue.listing.placed(modality)
            touched = [*held.index.positions, *held.waiting, *(placed.item.id for placed in there)]
        else:
            there = self._catalogue.listing.placed(modality, touched)
        return followed(
            held,
            Changes(touched=touched, there=there),
            lambda items, kind: build_index(
                system, modality, items, lambda some: self._features.of_items(some, system), kind=kind
            ),
        )

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
            self._catalogue.check(ids)
        done = time.monotonic()
        self._look_at = done + max(_LOOK_AGAIN_S, 50 * (done - began))  # a whole disk may be unplugged

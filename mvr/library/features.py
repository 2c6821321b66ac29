"""The features of a library's items: kept, computed where they are missing, and what is guessed from them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from mvr.backbones.soundscape import is_music
from mvr.datatypes import Modality
from mvr.embeddings.cache import FeatureCache, FeatureSource
from mvr.embeddings.system import SegmentFeatures, System
from mvr.errors import MediaError, NotFinite
from mvr.library.guesses import Guess, Guesser
from mvr.library.item import Item
from mvr.library.report import Progress, Skipped

_TOGETHER = 1000  # items whose features are read in one look where words are guessed from them


class LibraryFeatures:
    """Features by the content of files; safe to share between threads.

    Args:
        cache: where they are kept.
        shipped: where they are looked for first.

    Attributes:
        computed: how many were computed by this object: what was made of them before may lack some.
    """

    def __init__(self, cache: FeatureCache, shipped: Sequence[FeatureSource] = ()) -> None:
        self.computed = 0
        self._cache = cache
        self._sources: tuple[FeatureSource, ...] = (*shipped, cache)
        self._failed: set[tuple[str, str]] = (
            set()
        )  # (item, recipe) that could not be embedded: not tried again
        self._lock = threading.RLock()
        self._guesser = Guesser()
        self._guessed: dict[str, tuple[Guess, ...]] = {}
        self._lacked: dict[str, int] = {}  # what had no features to guess from, when so many were computed

    def of_items(self, items: Iterable[Item], system: System) -> dict[str, SegmentFeatures]:
        """Features of those items (id -> features) that have them under a system; one look for all of them."""
        wanted, found = list(items), dict[str, SegmentFeatures]()
        for modality in {item.modality for item in wanted}:
            recipe = system.recipe_hash(modality)
            for source in self._sources:
                left = [i.content for i in wanted if i.modality is modality and i.content not in found]
                found |= source.get_many(left, recipe)
        return {item.id: found[item.content] for item in wanted if item.content in found}

    def of_content(self, content: str, system: System, modality: Modality) -> SegmentFeatures | None:
        """Features of a file's content (its SHA-256) under a system, if they were computed."""
        recipe = system.recipe_hash(modality)
        for source in self._sources:
            found = source.get(content, recipe)
            if found is not None:
                return found
        return None

    def ensure(self, item: Item, system: System) -> bool:
        """Features under a system and, for a track, those that words are guessed from; True if any of the system's
        had to be computed. Errors as `System.features_of_file`."""
        computed = [self._ensure_one(item, part) for part in system.parts]
        if item.modality is Modality.AUDIO:
            for part in self._guesser.systems:
                self._ensure_one(item, part)
        return any(computed)

    def _ensure_one(self, item: Item, system: System) -> bool:
        if self.of_content(item.content, system, item.modality) is not None:
            return False
        computed = system.features_of_file(item.path, item.modality)
        self._cache.put(item.content, system.recipe_hash(item.modality), computed)
        with self._lock:
            self.computed += 1
        return True

    def ensure_all(
        self, items: Sequence[Item], system: System, progress: Progress | None = None
    ) -> list[Skipped]:
        """See `ensure`; returns the files that could not be read (any more), which are not tried again."""
        skipped = []
        for done, item in enumerate(items):
            if progress is not None:
                progress(done, len(items), item.name)
            try:
                self.ensure(item, system)
            except (MediaError, NotFinite, OSError) as error:
                skipped.append(Skipped(str(item.path), str(error)))
                self._failed.add((item.id, system.recipe_hash(item.modality)))
        return skipped

    def can_embed(self, item: Item, system: System) -> bool:
        """Whether its file is there, and has not failed before."""
        return not item.missing and (item.id, system.recipe_hash(item.modality)) not in self._failed

    def guesses(self, items: Sequence[Item]) -> list[tuple[Guess, ...]]:
        """Words guessed for tracks, in one look at the features of those that are not known yet; none for a video, or
        before its features were computed (`add` does it)."""
        if not self._guesser.ready:
            return [()] * len(items)
        with self._lock:
            tracks = [item for item in items if item.modality is Modality.AUDIO]
            todo = [
                item
                for item in tracks
                if item.content not in self._guessed and self._lacked.get(item.content) != self.computed
            ]
            for at in range(0, len(todo), _TOGETHER):
                some = todo[at : at + _TOGETHER]
                found = {id(part): self.of_items(some, part) for part in self._guesser.systems}
                for item in some:
                    held = {part: features.get(item.id) for part, features in found.items()}
                    if any(features is None for features in held.values()):
                        self._lacked[item.content] = self.computed
                    else:
                        self._guessed[item.content] = self._guesser.guess(_by_part(held))
            return [self._guessed.get(item.content, ()) for item in items]

    def held(self, contents: Sequence[str], system: System, modality: Modality) -> set[str]:
        """Those contents whose features are there, without reading them."""
        recipe, found = system.recipe_hash(modality), set[str]()
        for source in self._sources:
            found |= source.held([content for content in contents if content not in found], recipe)
        return found

    def is_music(self, path: Path, content: str) -> bool:
        """Whether the sound of a file is music: no speech, noise or silence; measured where it was not before."""
        check = self._guesser.systems[1]
        found = self.of_content(content, check, Modality.AUDIO) or check.features_of_file(
            path, Modality.AUDIO
        )
        return is_music(found.features)


def _by_part(held: Mapping[int, SegmentFeatures | None]) -> Callable[[System], SegmentFeatures | None]:
    return lambda part: held[id(part)]

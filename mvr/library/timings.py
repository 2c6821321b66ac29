"""Timings of a library's tracks and videos: kept beside its features, measured when something is added or
asked for.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mvr.datatypes import Modality
from mvr.errors import MediaError, NotFinite
from mvr.library.item import Item
from mvr.library.report import Progress, Skipped
from mvr.media.watching import LONG_S, watching
from mvr.signal.picture import Watcher
from mvr.timing.film import FilmTiming, film_timing, measure_film_file
from mvr.timing.music import MusicTiming, measure_music_file
from mvr.timing.store import TimingStore

Decoded = TypeVar("Decoded")
WATCHED_S = LONG_S
_GAP_S = 0.3


class Timings:
    """Timings by a file's content.

    Args:
        store: where they are kept.
        heard: is told the content and the timing of each track that was measured and is kept on disk.
    """

    def __init__(
        self, store: TimingStore, heard: Callable[[str, MusicTiming], None] = lambda content, timing: None
    ) -> None:
        self.store = store
        self._heard = heard

    def music(self, content: str) -> MusicTiming | None:
        """Of a track, if it was measured."""
        return self.store.music(content)

    def film(self, content: str) -> FilmTiming | None:
        """Of a clip, if it was measured."""
        return self.store.film(content)

    def of(self, content: str, modality: Modality) -> MusicTiming | FilmTiming | None:
        """Of a file taken as a track or as a clip, if it was measured."""
        return self.music(content) if modality is Modality.AUDIO else self.film(content)

    def known(self, content: str, modality: Modality) -> bool:
        """Whether a file was measured."""
        return self.store.holds(content, "music" if modality is Modality.AUDIO else "film")

    def measure(
        self,
        path: Path,
        content: str,
        modality: Modality,
        progress: Callable[[float], None] | None = None,
        *,
        on_disk: bool = True,
    ) -> None:
        """Measure a file that was not measured yet, in one decode; `on_disk`: see `TimingStore.put`.

        Raises:
            MediaError: it cannot be used.
        """
        if self.of(content, modality) is None:
            audio = modality is Modality.AUDIO
            timing = measure_music_file(path) if audio else measure_film_file(path, progress)
            self.store.put(content, timing, on_disk=on_disk)
            if isinstance(timing, MusicTiming) and on_disk:
                self._heard(content, timing)

    def embed_and_measure(self, item: Item, embed: Callable[[Item], bool]) -> bool:
        """Embed an item and measure it, a short clip in one decode; True if features had to be computed.

        An item that can be embedded but not measured is kept: lists leave its start as it is.
        """
        if self.known(item.content, item.modality):
            return embed(item)
        computed = self.look_on(item.path, item.content, item.modality, lambda: embed(item))
        with contextlib.suppress(MediaError, NotFinite):
            self.measure(item.path, item.content, item.modality)
        return computed

    def look_on(
        self,
        path: Path,
        content: str,
        modality: Modality,
        decode: Callable[[], Decoded],
        *,
        on_disk: bool = True,
    ) -> Decoded:
        """Run what decodes a file, and keep the timing of a clip of at most 30 s that was seen on the way."""
        if modality is Modality.AUDIO or self.known(content, modality):
            return decode()
        from mvr.media.probe import probe

        duration_s = probe(path, needs=("picture",)).duration_s
        if duration_s > WATCHED_S:
            return decode()
        watcher = Watcher()
        with watching(watcher.see):
            decoded = decode()
        self._keep_watched(content, watcher, duration_s, on_disk=on_disk)
        return decoded

    def _keep_watched(self, content: str, watcher: Watcher, duration_s: float, *, on_disk: bool) -> None:
        """Keep what was seen of a clip while it was embedded, unless too much of it was not decoded."""
        changes = watcher.changes()
        times = [0.0, *changes.times_s.tolist(), duration_s]
        gaps = [after - before for before, after in itertools.pairwise(times)]
        if len(watcher) < 2 or max(gaps) > max(_GAP_S, duration_s / 20):
            return
        self.store.put(content, film_timing(changes, duration_s), on_disk=on_disk)

    def missing(self, items: list[Item]) -> list[Item]:
        """Items that were not measured yet and whose file is there."""
        return [item for item in items if not self.known(item.content, item.modality) and item.path.is_file()]

    def measure_missing(self, items: list[Item], progress: Progress | None = None) -> list[Skipped]:
        """Measure what `missing` lists; returns the files that cannot be read."""
        skipped, todo = [], self.missing(items)
        for done, item in enumerate(todo):
            if progress is not None:
                progress(done, len(todo), item.name)
            try:
                self.measure(item.path, item.content, item.modality)
            except (MediaError, NotFinite, OSError) as error:
                skipped.append(Skipped(str(item.path), str(error)))
        return skipped

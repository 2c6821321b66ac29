"""A library: the user's tracks and videos in one folder's catalogue, embedded and ready to be ranked.

    library = Library.open("~/Music/.mvr")
    report = library.add(["~/Music"], load_system("control-mvr-mini"))
    print(report.sentence())

Files stay where they are. Each file is finished before the next begins (features first, then its catalogue entry), so
a killed run is resumed by running it again. One process adds at a time; any number may read.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from mvr.backbones.soundscape import is_music
from mvr.config.digest import content_hash
from mvr.datatypes import Modality
from mvr.embeddings.cache import FeatureCache, FeatureSource
from mvr.embeddings.system import SegmentFeatures, System
from mvr.errors import DataError, MediaError, NotFinite, NotInLibrary, UsageError
from mvr.library.adding import Adding
from mvr.library.catalogue import Catalogue, display_name
from mvr.library.guesses import Guess, Guesser
from mvr.library.item import Item
from mvr.library.licences import read_licence
from mvr.library.report import AddReport, Progress, Skipped
from mvr.library.scan import scan
from mvr.library.schema import WRITER_LOCK
from mvr.library.tags import split_labels
from mvr.library.timings import Timings
from mvr.library.vectors import LibraryIndex, build_index
from mvr.lines import one_line
from mvr.timing.store import TimingStore

CATALOGUE = "catalogue.sqlite"
EDITABLE = ("title", "artist", "genre", "licence", "credit")
_LOOK_AGAIN_S = 5.0  # how long a file that was missing is taken to be so


class Library:
    """Tracks and videos with their features; safe to share between threads. Use `Library.open`.

    Args:
        root: the library's own folder (catalogue, features, renditions), not where the media lie.
        catalogue: its items.
        cache: where features are kept.
        shipped: where features are looked for first.
        shipped_timings: folders where timings are looked for first.
    """

    def __init__(
        self,
        root: Path,
        catalogue: Catalogue,
        cache: FeatureCache,
        shipped: Sequence[FeatureSource] = (),
        *,
        shipped_timings: tuple[Path, ...] = (),
    ) -> None:
        self.root = root
        self.timings = Timings(TimingStore(root / "timing", shipped_timings))
        self._catalogue = catalogue
        self._cache = cache
        self._sources: tuple[FeatureSource, ...] = (*shipped, cache)
        self._indexes: dict[tuple[str, Modality], _HeldIndex] = {}
        self._failed: set[tuple[str, str]] = (
            set()
        )  # (item, recipe) that could not be embedded: not tried again
        self._look_at = -math.inf
        self._computed = 0  # features computed by this object: an index made before may lack them
        self._lock = threading.RLock()
        self._guesser = Guesser()
        self._guessed: dict[tuple[str, int], tuple[Guess, ...]] = {}

    @classmethod
    def open(cls, root: Path | str) -> Library:
        """Open a library, or begin an empty one.

        Raises:
            UsageError: the folder cannot be made. DataError: a catalogue of a newer version, or a damaged one.
        """
        folder = Path(root).expanduser()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"a library cannot be kept in {folder}: {error.strerror}") from error
        return cls(folder, Catalogue(folder / CATALOGUE), FeatureCache(folder / "features"))

    def __len__(self) -> int:
        return self._catalogue.count()

    def items(self, modality: Modality | None = None) -> list[Item]:
        """Items in the order of adding, of one modality or all."""
        return self._catalogue.items(modality)

    def paths(self) -> list[Path]:
        """Every file that an item was found in, copies too."""
        return self._catalogue.paths()

    def item(self, item_id: str) -> Item:
        """One item by its id. Raises NotInLibrary."""
        return self._catalogue.item(item_id)

    def find(self, name: str) -> Item:
        """An item by id, or by the path of its file.

        Raises:
            NotInLibrary: neither.
        """
        path = Path(name)
        if path.is_file():
            item = self._catalogue.of_content(content_hash(path))
            if item is not None:
                return item
            raise NotInLibrary(f"{name} is not in the library; `mvr library add` adds it")
        return self.item(name)

    def edit(self, item_id: str, **words: str | None) -> Item:
        """Lay the user's own words over an item; they are kept here and never written into the file.

        Args:
            item_id: which item.
            words: `EDITABLE` names with their new words; "" takes an edit back, so that the file's own word shows
                again, and None leaves it as it is. Several genres are separated by `;`.

        Raises:
            NotInLibrary: no such id. UsageError: a word that cannot be edited, or a library that is only read.
        """
        unknown = sorted(set(words) - set(EDITABLE))
        if unknown:
            raise UsageError(f"{unknown[0]!r} cannot be edited; choose from {', '.join(EDITABLE)}")
        edits: dict[str, object] = {}
        for name, word in words.items():
            if word is None:
                continue
            text = one_line(word).strip()
            if name == "genre":
                edits[name] = list(split_labels(text)) or None
            elif name == "licence":
                licence = read_licence(text)
                edits |= {
                    "licence": licence.name if text else None,
                    "licence_url": licence.url if text else None,
                }
            else:
                edits[name] = text or None
        self._catalogue.edit(item_id, edits)
        return self.item(item_id)

    def remove(self, ids: Iterable[str]) -> None:
        """Remove items; their files stay, and until the next `add` they can be restored.

        Raises:
            NotInLibrary: one of them is not there; nothing is removed. UsageError: a library that is only read.
        """
        self._catalogue.remove(list(ids))

    def removed(self) -> list[Item]:
        """Items that can be restored, the last removed first."""
        return self._catalogue.removed()

    def restore(self, ids: Iterable[str] | None = None) -> list[Item]:
        """Bring removed items back: those named, or all that were removed together last.

        Raises:
            NotInLibrary: one of them was not removed, or files were added since; none is brought back.
        """
        wanted = self._catalogue.last_removed() if ids is None else list(ids)
        if not wanted:
            raise NotInLibrary(
                "nothing was removed since files were last added; there is nothing to bring back"
            )
        self._catalogue.restore(wanted)
        return [self.item(item_id) for item_id in wanted]

    def purge(self) -> list[Item]:
        """Let go of removed items for good, as every `add` does first; returns them, so that copies can go too."""
        return self._catalogue.purge()

    def check_files(self, ids: Iterable[str] | None = None) -> list[str]:
        """Look whether items' files are there: all items, or some. Ids of those that went missing or came back.

        What is missing is marked (`Item.missing`) and not ranked; it comes back when its file does.
        """
        return self._catalogue.check(None if ids is None else list(ids))

    def file_of(self, item: Item) -> Path:
        """The file of an item, if it is there and still holds what was added: before its credit line is printed.

        Raises:
            DataError: it is gone, or holds something else now.
        """
        if not item.path.is_file():
            self.check_files([item.id])
            raise DataError(f"the file of {item.title} is gone: {one_line(str(item.path))}")
        if item.on_server:
            raise DataError(
                f"the file of {item.title} is on its server; add it again with --keep to have it here"
            )
        seen, stat = self._catalogue.seen(item.path), item.path.stat()
        unchanged = seen is not None and (seen.size_bytes, seen.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
        if not unchanged and content_hash(item.path) != item.content:
            raise DataError(
                f"{one_line(str(item.path))} has changed since it was added; add it again with `mvr library add`"
            )
        return item.path

    def add(
        self,
        paths: Iterable[Path | str],
        system: System,
        *,
        modality: Modality | None = None,
        progress: Progress | None = None,
    ) -> AddReport:
        """Add files, and media files in folders; see `mvr.library.adding`.

        Args:
            paths: files or folders.
            system: embeds them.
            modality: take every file as a track (its sound) or a video; None: a file with a picture is a video.
            progress: see `mvr.library.report.Progress`.

        Raises:
            UsageError: a path that does not exist; another process is adding to this library; it is only read.
            WeightsError: the system is not ready.
        """
        found = scan(paths)
        embedded = 0
        with self.adding(system, modality) as run:
            for done, path in enumerate(found.files):
                if progress is not None:
                    progress(done, len(found.files), display_name(path))
                embedded += run.add(path)
            for folder in found.folders:
                run.look_for_gone(folder, set(found.files))
        if progress is not None:
            progress(len(found.files), len(found.files), "")
        notes = [*found.unreadable, *run.tables.notes]
        return replace(run.report, embedded=embedded, ignored=found.ignored, notes=notes)

    @contextmanager
    def adding(self, system: System, modality: Modality | None = None) -> Iterator[Adding]:
        """A run of adding, file by file, as the library's one writer.

        Raises:
            UsageError: another process is adding to this library; it is only read.
        """
        with self._writing():
            self.purge()
            yield Adding(self._catalogue, lambda item: self._ensure_timed(item, system), modality)

    def features(self, item: Item, system: System) -> SegmentFeatures | None:
        """Features of an item under a system, if they were computed."""
        return self.features_of(item.content, system, item.modality)

    def features_of_all(self, items: Sequence[Item], system: System) -> dict[str, SegmentFeatures]:
        """Features of those items (id -> features) that have them under a system; one look for all of them."""
        found: dict[str, SegmentFeatures] = {}
        for modality in {item.modality for item in items}:
            recipe = system.recipe_hash(modality)
            for source in self._sources:
                left = [i.content for i in items if i.modality is modality and i.content not in found]
                found |= source.get_many(left, recipe)
        return {item.id: found[item.content] for item in items if item.content in found}

    def features_of(self, content: str, system: System, modality: Modality) -> SegmentFeatures | None:
        """Features of a file's content (its SHA-256) under a system, if they were computed."""
        recipe = system.recipe_hash(modality)
        for source in self._sources:
            found = source.get(content, recipe)
            if found is not None:
                return found
        return None

    def _ensure_timed(self, item: Item, system: System) -> bool:
        """Features and timing; True if features had to be computed."""
        return self.timings.embed_and_measure(item, lambda each: self._ensure_all(each, system))

    def _ensure_features(self, item: Item, system: System) -> bool:
        """True if they had to be computed."""
        if self.features(item, system) is not None:
            return False
        computed = system.features_of_file(item.path, item.modality)
        self._cache.put(item.content, system.recipe_hash(item.modality), computed)
        with self._lock:
            self._computed += 1
        return True

    def _ensure_all(self, item: Item, system: System) -> bool:
        """Features under a system and, for a track, those that words are guessed from; True if any of the system's
        had to be computed."""
        computed = [self._ensure_features(item, part) for part in system.parts]
        if item.modality is Modality.AUDIO:
            for part in self._guesser.systems:
                self._ensure_features(item, part)
        return any(computed)

    def guesses(self, item: Item) -> tuple[Guess, ...]:
        """Words guessed for a track; none for a video, or before its features were computed (`add` does it)."""
        if item.modality is not Modality.AUDIO or not self._guesser.ready:
            return ()
        with self._lock:
            key = (item.content, self._computed)
            if key not in self._guessed:
                self._guessed[key] = self._guesser.guess(lambda system: self.features(item, system))
            return self._guessed[key]

    def is_music(self, path: Path, content: str) -> bool:
        """Whether the sound of a file is music: no speech, noise or silence; measured where it was not before."""
        check = self._guesser.systems[1]
        found = self.features_of(content, check, Modality.AUDIO) or check.features_of_file(
            path, Modality.AUDIO
        )
        return is_music(found.features)

    def missing(self, system: System, modality: Modality) -> list[Item]:
        """Items that this system has not embedded yet (they were added with another one) and whose file is there."""
        items = [item for item in self.items(modality) if self._can_embed(item, system)]
        here = [self.features_of_all(items, part) for part in system.parts]
        return [item for item in items if any(item.id not in found for found in here)]

    def embed_missing(
        self, system: System, modality: Modality, progress: Progress | None = None
    ) -> list[Skipped]:
        """Embed what `missing` lists; returns the files that could not be read (any more)."""
        skipped, todo = [], self.missing(system, modality)
        for done, item in enumerate(todo):
            if progress is not None:
                progress(done, len(todo), item.name)
            try:
                self._ensure_all(item, system)
            except (MediaError, NotFinite, OSError) as error:
                skipped.append(Skipped(str(item.path), str(error)))
                self._failed.add((item.id, system.recipe_hash(modality)))
        return skipped

    def index(self, system: System, modality: Modality) -> LibraryIndex:
        """The index over all embedded items of a modality; rebuilt only when the items have changed."""
        with self._lock:
            self._look_again()
            revision, key = self._catalogue.revision(), (system.identity, modality)
            held = self._indexes.get(key)
            if held is not None and (held.revision, held.computed) == (revision, self._computed):
                return held.index
            items = self.items(modality)
            ids = tuple(item.id for item in items)
            if held is not None and (held.ids, held.computed) == (
                ids,
                self._computed,
            ):  # other words, same vectors
                index = replace(held.index, items=_in_order(items, held.index.items))
            else:
                found = self.features_of_all(items, system)
                index = build_index(system, modality, [(item, found.get(item.id)) for item in items])
            embedded = {item.id for item in index.items}
            waiting = [item for item in items if item.id not in embedded and self._can_embed(item, system)]
            index = replace(index, missing=len(waiting))
            self._indexes[key] = _HeldIndex(revision, self._computed, ids, index)
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

    def _can_embed(self, item: Item, system: System) -> bool:
        return not item.missing and (item.id, system.recipe_hash(item.modality)) not in self._failed

    def _writing(self) -> _Writing:
        if not self._catalogue.writable:
            raise UsageError(f"the library {self.root} cannot be written to; it can only be read")
        return _Writing(self.root)


@dataclass(frozen=True)
class _HeldIndex:
    """An index, and what it was made of."""

    revision: int
    computed: int
    ids: tuple[str, ...]
    index: LibraryIndex


def _in_order(items: Iterable[Item], wanted: Iterable[Item]) -> tuple[Item, ...]:
    """Items by the ids of others, in their order."""
    by_id = {item.id: item for item in items}
    return tuple(by_id[item.id] for item in wanted)


class _Writing:
    """The one writer of a library."""

    def __init__(self, root: Path) -> None:
        self._file_lock = FileLock(root / WRITER_LOCK, timeout=0)
        self._root = root

    def __enter__(self) -> None:
        try:
            self._file_lock.acquire()
        except Timeout:
            raise UsageError(
                f"another process is adding to the library {self._root}; wait for it to finish"
            ) from None

    def __exit__(self, *_error: object) -> None:
        self._file_lock.release()

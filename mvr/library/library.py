"""A library: the user's tracks and videos in one folder's catalogue, embedded and ready to be ranked.

    library = Library.open("~/Music/.mvr")
    report = library.add(["~/Music"], load_system("control-mvr-mini"))
    print(report.sentence())

Files stay where they are. Each file is finished before the next begins (features first, then its catalogue entry), so
a killed run is resumed by running it again. One process adds at a time; any number may read.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from mvr.config.digest import content_hash
from mvr.config.outputs import drawn_once
from mvr.datatypes import Modality
from mvr.embeddings.cache import FeatureCache, FeatureSource
from mvr.embeddings.system import SegmentFeatures, System
from mvr.errors import DataError, NotInLibrary, UsageError
from mvr.library.adding import Adding
from mvr.library.catalogue import Catalogue, display_name, only_read
from mvr.library.features import LibraryFeatures
from mvr.library.guesses import Guess
from mvr.library.indexes import LibraryIndexes
from mvr.library.item import Item
from mvr.library.licences import read_licence
from mvr.library.listing import Listing
from mvr.library.report import AddReport, Progress, Skipped, Stop
from mvr.library.scan import scan
from mvr.library.schema import WRITER_LOCK
from mvr.library.tags import read_tags, split_labels
from mvr.library.timings import Timings
from mvr.library.vectors import LibraryIndex
from mvr.lines import one_line
from mvr.timing.music import MusicTiming
from mvr.timing.store import TimingStore

CATALOGUE = "catalogue.sqlite"
EDITABLE = ("title", "artist", "genre", "licence", "credit")


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
        self.timings = Timings(TimingStore(root / "timing", shipped_timings), self._hear)
        self._catalogue = catalogue
        self._features = LibraryFeatures(cache, shipped)
        self._indexes = LibraryIndexes(catalogue, self._features)

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

    @property
    def listing(self) -> Listing:
        """The same by pages and by words, for lists that people look through."""
        return self._catalogue.listing

    @property
    def origin(self) -> str:
        """A name of this library, for an index that several are pushed to: drawn once, kept in its folder.

        Raises:
            UsageError: it cannot be written there.
        """
        kept = self.root / "origin"
        try:
            return drawn_once(kept, f"origin-{uuid.uuid4().hex}".encode()).decode("ascii")
        except OSError as error:
            raise UsageError(f"the library cannot be given a name in {kept}: {error.strerror}") from error

    def paths(self) -> list[Path]:
        """Every file that an item was found in, copies too."""
        return self._catalogue.paths()

    def item(self, item_id: str) -> Item:
        """One item by its id. Raises NotInLibrary."""
        return self._catalogue.item(item_id)

    def holds_no(self, kind: str) -> DataError:
        """What is said where something of a kind ("tracks") is needed and there is none."""
        return DataError(f"the library {self.root} holds no {kind}; add some with `mvr library add PATH`")

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
        embedded = done = 0
        count = len(found.files)
        with self.adding(system, modality) as run, suppress(Stop):
            for path in found.files:
                if progress is not None:
                    progress(done, count, display_name(path))
                embedded += run.add(path)
                done += 1
            for folder in found.folders:
                run.look_for_gone(folder, set(found.files))
            if progress is not None:
                progress(count, count, "")
        notes = [*found.unreadable, *run.tables.notes]
        return replace(run.report, embedded=embedded, ignored=found.ignored, notes=notes, left=count - done)

    @contextmanager
    def adding(self, system: System, modality: Modality | None = None) -> Iterator[Adding]:
        """A run of adding, file by file, as the library's one writer.

        Raises:
            UsageError: another process is adding to this library; it is only read.
        """
        with self._writing():
            self.purge()
            yield Adding(self._catalogue, lambda item: self._ensure(item, system), modality)

    def _ensure(self, item: Item, system: System) -> bool:
        """Features and timing; True if features had to be computed."""
        return self.timings.embed_and_measure(item, lambda each: self._features.ensure(each, system))

    def _hear(self, content: str, timing: MusicTiming) -> None:
        """The tempo of a track that was measured anew is that of its beats."""
        item = self._catalogue.of_content(content) if self._catalogue.writable else None
        if item is not None:
            measured = None if timing.tempo_bpm is None else round(timing.tempo_bpm, 1)
            self._catalogue.hear(item.id, measured, read_tags(item.path).tempo_bpm)

    def features(self, item: Item, system: System) -> SegmentFeatures | None:
        """Features of an item under a system, if they were computed."""
        return self._features.of_content(item.content, system, item.modality)

    def features_of_all(self, items: Sequence[Item], system: System) -> dict[str, SegmentFeatures]:
        """Features of those items (id -> features) that have them under a system; one look for all of them."""
        return self._features.of_items(items, system)

    def features_of(self, content: str, system: System, modality: Modality) -> SegmentFeatures | None:
        """Features of a file's content (its SHA-256) under a system, if they were computed."""
        return self._features.of_content(content, system, modality)

    def guesses(self, item: Item) -> tuple[Guess, ...]:
        """Words guessed for a track; none for a video, or before its features were computed (`add` does it)."""
        return self._features.guesses([item])[0]

    def guesses_of(self, items: Sequence[Item]) -> list[tuple[Guess, ...]]:
        """Words guessed for each of some items; those not known yet are made in one look at the features."""
        return self._features.guesses(items)

    def is_music(self, path: Path, content: str) -> bool:
        """Whether the sound of a file is music: no speech, noise or silence; measured where it was not before."""
        return self._features.is_music(path, content)

    def missing(self, system: System, modality: Modality) -> list[Item]:
        """Items that this system has not embedded yet (they were added with another one) and whose file is there."""
        items = [item for item in self.items(modality) if self._features.can_embed(item, system)]
        contents = [item.content for item in items]
        here = [self._features.held(contents, part, modality) for part in system.parts]
        return [item for item in items if any(item.content not in found for found in here)]

    def embed_missing(
        self, system: System, modality: Modality, progress: Progress | None = None
    ) -> list[Skipped]:
        """Embed what `missing` lists; returns the files that could not be read (any more)."""
        return self._features.ensure_all(self.missing(system, modality), system, progress)

    def index(self, system: System, modality: Modality) -> LibraryIndex:
        """The index over all embedded items of a modality; rebuilt only when the items have changed."""
        return self._indexes.index(system, modality)

    def _writing(self) -> _Writing:
        if not self._catalogue.writable:
            raise only_read(self.root)
        return _Writing(self.root)


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

"""A library: the user's tracks and videos in one folder's catalogue, embedded and ready to be ranked.

    library = Library.open("~/Music/.mvr")
    report = library.add(["~/Music"], load_system("control-mvr-mini"))
    print(report.sentence())

Files stay where they are. Each file is finished before the next begins (features first, then its catalogue entry), so
a killed run is resumed by running it again. One process adds at a time; any number may read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mvr.datatypes import Modality
from mvr.embeddings.cache import FeatureCache, FeatureSource
from mvr.embeddings.digest import content_hash
from mvr.embeddings.system import SegmentFeatures, System
from mvr.errors import MediaError, NotFinite, NotInLibrary, UsageError
from mvr.library.catalogue import Catalogue, display_name
from mvr.library.duplicates import find_same_music
from mvr.library.item import Item
from mvr.library.measure import Measures, measure, modality_of
from mvr.library.report import AddReport, Progress, SameMusic, Skipped
from mvr.library.scan import scan
from mvr.library.tags import Tags, read_tags
from mvr.library.vectors import LibraryIndex, build_index

CATALOGUE = "catalogue.sqlite"


class Library:
    """Tracks and videos with their features; safe to share between threads. Use `Library.open`.

    Args:
        root: the library's own folder (catalogue, features, renditions), not where the media lie.
        catalogue: its items.
        cache: where features are kept.
        shipped: where features are looked for first.
    """

    def __init__(
        self, root: Path, catalogue: Catalogue, cache: FeatureCache, shipped: Sequence[FeatureSource] = ()
    ) -> None:
        self.root = root
        self._catalogue = catalogue
        self._cache = cache
        self._sources: tuple[FeatureSource, ...] = (*shipped, cache)
        self._indexes: dict[tuple[str, Modality], tuple[tuple[int, int], LibraryIndex]] = {}
        self._computed = 0  # features computed by this object: an index made before may lack them
        self._lock = threading.RLock()

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
        return len(self.items())

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

    def remove(self, ids: Iterable[str]) -> None:
        """Remove items; their files stay. Raises NotInLibrary, and then removes nothing."""
        self._catalogue.remove(list(ids))

    def add(
        self,
        paths: Iterable[Path | str],
        system: System,
        *,
        modality: Modality | None = None,
        progress: Progress | None = None,
    ) -> AddReport:
        """Add files, and media files in folders.

        Args:
            paths: files or folders.
            system: embeds them.
            modality: take every file as a track (its sound) or a video; None: a file with a picture is a video.
            progress: see `mvr.library.report.Progress`.

        Raises:
            UsageError: a path that does not exist; another process is adding to this library.
            WeightsError: the system is not ready.
        """
        found = scan(paths)
        report = AddReport(ignored=found.ignored)
        embedded = 0
        with self._writing():
            for done, path in enumerate(found.files):
                if progress is not None:
                    progress(done, len(found.files), display_name(path))
                embedded += self._add_file(path, system, modality, report)
        if progress is not None:
            progress(len(found.files), len(found.files), "")
        return AddReport(**{**vars(report), "embedded": embedded})

    def _add_file(self, path: Path, system: System, modality: Modality | None, report: AddReport) -> int:
        """Add one file to catalogue and report; 1 if its features were computed."""
        shown = str(path).encode("utf-8", "replace").decode()
        try:
            stat = path.stat()
            known = self._catalogue.of_file(path, stat.st_size, stat.st_mtime_ns)
            if known is None:
                content = content_hash(path)
                item = self._catalogue.of_content(content)
                known = None if item is None else item.id
            if known is not None:
                self._catalogue.saw(path, stat, known)
                report.known.append(shown)
                return int(self._ensure_features(self.item(known), system))
            item, signature = self._examine(path, content, modality)
            computed = self._ensure_features(item, system)
        except (MediaError, NotFinite) as error:
            report.skipped.append(Skipped(shown, str(error)))
            return 0
        except OSError as error:
            report.skipped.append(Skipped(shown, f"{display_name(path)}: cannot be read ({error.strerror})"))
            return 0
        self._catalogue.add(item, signature)
        self._catalogue.saw(path, stat, item.id)
        report.added.append(item)
        if item.same_as is not None:
            report.same_music.append(SameMusic(shown, item.same_as))
        return int(computed)

    def _examine(self, path: Path, content: str, modality: Modality | None) -> tuple[Item, bytes | None]:
        from mvr.media.probe import probe

        info = probe(path)
        kind = modality or modality_of(info)
        measures = measure(path, info, kind)
        same_as = None
        if measures.signature is not None:
            same_as = find_same_music(path, measures.signature, self._catalogue)
        item = make_item(path, content, kind, measures, read_tags(path), same_as=same_as)
        return item, measures.signature

    def features(self, item: Item, system: System) -> SegmentFeatures | None:
        """Features of an item under a system, if they were computed."""
        return self.features_of(item.content, system, item.modality)

    def features_of(self, content: str, system: System, modality: Modality) -> SegmentFeatures | None:
        """Features of a file's content (its SHA-256) under a system, if they were computed."""
        recipe = system.recipe_hash(modality)
        for source in self._sources:
            found = source.get(content, recipe)
            if found is not None:
                return found
        return None

    def _ensure_features(self, item: Item, system: System) -> bool:
        """True if they had to be computed."""
        if self.features(item, system) is not None:
            return False
        computed = system.features_of_file(item.path, item.modality)
        self._cache.put(item.content, system.recipe_hash(item.modality), computed)
        with self._lock:
            self._computed += 1
        return True

    def missing(self, system: System, modality: Modality) -> list[Item]:
        """Items that this system has not embedded yet (they were added with another one)."""
        return [item for item in self.items(modality) if self.features(item, system) is None]

    def embed_missing(
        self, system: System, modality: Modality, progress: Progress | None = None
    ) -> list[Skipped]:
        """Embed what `missing` lists; returns the files that could not be read (any more)."""
        skipped, todo = [], self.missing(system, modality)
        for done, item in enumerate(todo):
            if progress is not None:
                progress(done, len(todo), item.name)
            try:
                self._ensure_features(item, system)
            except (MediaError, NotFinite, OSError) as error:
                skipped.append(Skipped(str(item.path), str(error)))
        return skipped

    def index(self, system: System, modality: Modality) -> LibraryIndex:
        """The index over all embedded items of a modality; rebuilt only when the items have changed."""
        with self._lock:
            revision = (self._catalogue.revision(), self._computed)
            key = (system.identity, modality)
            held = self._indexes.get(key)
            if held is not None and held[0] == revision:
                return held[1]
            index = build_index(
                system, modality, [(item, self.features(item, system)) for item in self.items(modality)]
            )
            self._indexes[key] = (revision, index)
            return index

    def _writing(self) -> _Writing:
        return _Writing(self.root)


class _Writing:
    """The one writer of a library."""

    def __init__(self, root: Path) -> None:
        self._file_lock = FileLock(root / "writer.lock", timeout=0)
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


def make_item(
    path: Path,
    content: str,
    modality: Modality,
    measures: Measures,
    tags: Tags,
    *,
    same_as: str | None = None,
) -> Item:
    """Join what is known of a file."""
    return Item(
        id=content[:16],
        content=content,
        modality=modality,
        path=path,
        name=display_name(path),
        title=tags.title or Path(display_name(path)).stem,
        artist=tags.artist,
        album=tags.album,
        genre=tags.genre,
        mood=tags.mood,
        licence=tags.licence,
        credit=tags.credit,
        source=tags.source,
        duration_s=measures.duration_s,
        tempo_bpm=tags.tempo_bpm or measures.tempo_bpm,
        loudness_lufs=measures.loudness_lufs,
        true_peak_dbtp=measures.true_peak_dbtp,
        width_px=measures.width_px,
        height_px=measures.height_px,
        size_bytes=path.stat().st_size,
        same_as=same_as,
        added_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )

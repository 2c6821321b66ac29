"""Features that were computed once: keyed by the content of the file and the recipe that read it.

A folder holds `cache.db` (SQLite: which rows belong to which file) and per recipe `RECIPE.f32` (float32 rows end to
end). Rows are written and flushed before the database says that they are there: a writer killed in between leaves
bytes beyond the last committed row, which the next writer overwrites. One writer at a time (file lock), any readers.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from mvr.config.outputs import written_whole
from mvr.config.sqlite import ONE_OF, listed, may_write, read_only_address, write_ahead
from mvr.datatypes import FloatArray, Segment
from mvr.embeddings.system import SegmentFeatures
from mvr.errors import DataError

_OF = f"FROM features WHERE recipe = ? AND content IN {ONE_OF}"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS features (
    recipe TEXT NOT NULL, content TEXT NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
    dim INTEGER NOT NULL, times BLOB NOT NULL, PRIMARY KEY (recipe, content)) WITHOUT ROWID
"""


class FeatureSource(Protocol):
    """Where features may be found."""

    def get(self, content: str, recipe: str) -> SegmentFeatures | None:
        """Features of a file's content (its SHA-256) by a recipe (its hash); None when they are not here."""

    def get_many(self, contents: Sequence[str], recipe: str) -> dict[str, SegmentFeatures]:
        """Features of those contents that are here."""

    def held(self, contents: Sequence[str], recipe: str) -> set[str]:
        """Those contents whose features are here."""


class FeatureCache:
    """Features on disk; safe for several threads and processes.

    Args:
        folder: made when missing. One that cannot be written is read, and what is new is kept in memory.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._in_memory: dict[tuple[str, str], SegmentFeatures] | None = None
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
        if not may_write(self.folder / "cache.db"):
            self._in_memory = {}
            return
        with self._connection() as connection:
            write_ahead(connection)
            connection.execute(_SCHEMA)

    def get(self, content: str, recipe: str) -> SegmentFeatures | None:
        """See `FeatureSource.get`."""
        if self._in_memory is not None and (
            (content, recipe) in self._in_memory or not (self.folder / "cache.db").exists()
        ):
            return self._in_memory.get((content, recipe))
        with self._connection() as connection:
            row = connection.execute(
                "SELECT first, count, dim, times FROM features WHERE recipe = ? AND content = ?",
                (recipe, content),
            ).fetchone()
        if row is None:
            return None
        first, count, dim, times = row
        rows = np.fromfile(self._rows(recipe), np.float32, count * dim, offset=first * dim * 4)
        self._check_length(len(rows) == count * dim, recipe)
        return SegmentFeatures(segments=unpack_times(times), features=rows.reshape(count, dim))

    def get_many(self, contents: Sequence[str], recipe: str) -> dict[str, SegmentFeatures]:
        """See `FeatureSource.get_many`; one connection and one mapped file for all of them."""
        if self._in_memory is not None:
            found = ((content, self.get(content, recipe)) for content in contents)
            return {content: features for content, features in found if features is not None}
        lines = self._lines("content, first, count, dim, times", contents, recipe)
        if not lines:
            return {}
        dim = lines[0][3]
        mapped = np.memmap(self._rows(recipe), np.float32, "r")
        table = mapped[: len(mapped) // dim * dim].reshape(-1, dim)
        self._check_length(max(first + count for _, first, count, _, _ in lines) <= len(table), recipe)
        return {
            content: SegmentFeatures(segments=unpack_times(times), features=table[first : first + count])
            for content, first, count, _, times in lines
        }

    def held(self, contents: Sequence[str], recipe: str) -> set[str]:
        """See `FeatureSource.held`."""
        if self._in_memory is not None:
            return set(self.get_many(contents, recipe))
        return {line[0] for line in self._lines("content", contents, recipe)}

    def _lines(self, columns: str, contents: Sequence[str], recipe: str) -> list[tuple[Any, ...]]:
        """Lines of the database of those contents."""
        with self._connection() as connection:
            return connection.execute(f"SELECT {columns} {_OF}", (recipe, listed(contents))).fetchall()

    def _check_length(self, enough: bool, recipe: str) -> None:
        if not enough:
            raise DataError(
                f"{self._rows(recipe)} is shorter than {self.folder / 'cache.db'} says; delete both files"
            )

    def put(self, content: str, recipe: str, found: SegmentFeatures) -> None:
        """Keep features durably; a second time under the same key changes nothing."""
        if self._in_memory is not None:
            self._in_memory.setdefault((content, recipe), found)
            return
        count, dim = found.features.shape
        with FileLock(self.folder / "cache.lock"), self._connection() as connection:
            if self._has(connection, content, recipe):
                return
            first = connection.execute(
                "SELECT COALESCE(MAX(first + count), 0) FROM features WHERE recipe = ?", (recipe,)
            ).fetchone()[0]
            self._append(recipe, first * dim * 4, found.features)
            connection.execute(
                "INSERT INTO features VALUES (?, ?, ?, ?, ?, ?)",
                (recipe, content, first, count, dim, pack_times(found.segments)),
            )

    def _has(self, connection: sqlite3.Connection, content: str, recipe: str) -> bool:
        query = "SELECT 1 FROM features WHERE recipe = ? AND content = ?"
        return connection.execute(query, (recipe, content)).fetchone() is not None

    def _append(self, recipe: str, offset: int, features: FloatArray) -> None:
        path = self._rows(recipe)
        path.touch()
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(np.ascontiguousarray(features, np.float32).tobytes())
            file.flush()
            os.fsync(file.fileno())

    def _rows(self, recipe: str) -> Path:
        return self.folder / f"{recipe}.f32"

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        file = self.folder / "cache.db"
        read_only = self._in_memory is not None
        connection = sqlite3.connect(
            read_only_address(file) if read_only else file, timeout=30, uri=read_only
        )
        try:
            with connection:
                yield connection
        finally:
            connection.close()


class BakedFeatures:
    """Features that ship with the project: one safetensors file, read-only.

    Tensors are named `RECIPE/CONTENT/features` (S, D) float32 and `RECIPE/CONTENT/times` (S, 2) float64.
    """

    def __init__(self, path: Path | str) -> None:
        from safetensors.numpy import load_file

        self._tensors = load_file(path) if Path(path).is_file() else {}

    def get(self, content: str, recipe: str) -> SegmentFeatures | None:
        """See `FeatureSource.get`."""
        features = self._tensors.get(f"{recipe}/{content}/features")
        if features is None:
            return None
        times = self._tensors[f"{recipe}/{content}/times"]
        return SegmentFeatures(segments=unpack_times(times.tobytes()), features=features)

    def get_many(self, contents: Sequence[str], recipe: str) -> dict[str, SegmentFeatures]:
        """See `FeatureSource.get_many`."""
        found = ((content, self.get(content, recipe)) for content in contents)
        return {content: features for content, features in found if features is not None}

    def held(self, contents: Sequence[str], recipe: str) -> set[str]:
        """See `FeatureSource.held`."""
        return {content for content in contents if f"{recipe}/{content}/features" in self._tensors}


def bake_features(path: Path | str, found: dict[tuple[str, str], SegmentFeatures]) -> None:
    """Write a file that `BakedFeatures` reads.

    Args:
        path: the file; replaced in one step.
        found: (recipe, content) -> features.
    """
    from safetensors.numpy import save_file

    tensors: dict[str, npt.NDArray[Any]] = {}
    for (recipe, content), item in found.items():
        tensors[f"{recipe}/{content}/features"] = np.ascontiguousarray(item.features, np.float32)
        tensors[f"{recipe}/{content}/times"] = np.frombuffer(pack_times(item.segments)).reshape(-1, 2).copy()
    with written_whole(path) as part:
        save_file(tensors, part)


def pack_times(segments: tuple[Segment, ...]) -> bytes:
    """Starts and ends as float64 bytes."""
    return np.array([(s.start_s, s.end_s) for s in segments], np.float64).tobytes()


def unpack_times(times: bytes) -> tuple[Segment, ...]:
    """The segments that `pack_times` packed."""
    pairs = np.frombuffer(times, np.float64).reshape(-1, 2).tolist()
    return tuple(Segment(start_s=start, end_s=end) for start, end in pairs)

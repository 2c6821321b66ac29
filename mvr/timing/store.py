"""Where timings are kept: one file per content, curves as float16, times as float64, beside the feature store."""

from __future__ import annotations

import dataclasses
import io
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mvr.config.outputs import written_whole
from mvr.datatypes import JsonDict
from mvr.timing.film import FilmTiming
from mvr.timing.music import MusicTiming

VERSION = 9  # raise it whenever a number changes: older files are measured anew
_HELD = 2048  # timings in memory: about 20 KB each
_CURVES = ("loudness_db", "onset", "novelty", "energy", "strokes", "motion")
Timing = TypeVar("Timing", MusicTiming, FilmTiming)


class TimingStore:
    """Timings by the SHA-256 of a file's bytes; a folder that cannot be written to is only read.

    Args:
        root: the folder; made when something is put, if the one that it lies in is there.
        shipped: folders that are looked in first and never written to.
    """

    def __init__(self, root: Path, shipped: tuple[Path, ...] = ()) -> None:
        self._root = root
        self._shipped = shipped
        self._held: dict[tuple[str, str], MusicTiming | FilmTiming] = {}

    def music(self, content: str) -> MusicTiming | None:
        """Of a track, if it was measured."""
        return self._get(content, "music", MusicTiming)

    def film(self, content: str) -> FilmTiming | None:
        """Of a clip, if it was measured."""
        return self._get(content, "film", FilmTiming)

    def holds(self, content: str, kind: str) -> bool:
        """Whether a timing ("music" or "film") is kept: of its file both ends are read, for libraries are large."""
        paths = [self._path(folder, content, kind) for folder in (*self._shipped, self._root)]
        return (content, kind) in self._held or any(_is_whole(path) for path in paths)

    def put(self, content: str, timing: MusicTiming | FilmTiming, *, on_disk: bool = True) -> None:
        """Keep a timing, in memory alone where it is of a visitor's file or the folder cannot be written to."""
        kind = "music" if isinstance(timing, MusicTiming) else "film"
        self._hold((content, kind), timing)
        if not on_disk:
            return
        path = self._path(self._root, content, kind)
        try:
            self._root.mkdir(exist_ok=True)  # without parents: a library that is gone is not made again
            path.parent.mkdir(exist_ok=True)
            with written_whole(path) as part:
                part.write_bytes(pack(timing))
        except OSError:  # read-only: measured again in the next process
            return

    def _get(self, content: str, kind: str, made: type[Timing]) -> Timing | None:
        held = self._held.get((content, kind))
        if isinstance(held, made):
            return held
        for folder in (*self._shipped, self._root):
            path = self._path(folder, content, kind)
            if path.is_file() and (timing := unpack(path.read_bytes(), made)) is not None:
                self._hold((content, kind), timing)
                return timing
        return None

    def _hold(self, key: tuple[str, str], timing: MusicTiming | FilmTiming) -> None:
        self._held[key] = timing
        while len(self._held) > _HELD:
            self._held.pop(next(iter(self._held)), None)

    @staticmethod
    def _path(folder: Path, content: str, kind: str) -> Path:
        return folder / content[:2] / f"{content}.{kind}.npz"


def pack(timing: MusicTiming | FilmTiming) -> bytes:
    """A timing as bytes."""
    values: dict[str, Any] = {"version": VERSION}
    for field in dataclasses.fields(timing):
        value = getattr(timing, field.name)
        kind = np.float16 if field.name in _CURVES else np.float64
        values[field.name] = np.asarray(np.nan if value is None else value, kind)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **values)
    return buffer.getvalue()


def unpack(data: bytes, made: type[Timing]) -> Timing | None:
    """The timing that `pack` wrote; None for another version and for damaged bytes, which are measured anew."""
    try:
        with np.load(io.BytesIO(data)) as stored:
            if int(stored["version"]) != VERSION:
                return None
            return made(**{field.name: _value(field, stored) for field in dataclasses.fields(made)})
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def _is_whole(path: Path) -> bool:
    """Whether a file begins as `pack` begins one of this version, and ends as a zip archive does."""
    version = io.BytesIO()
    np.save(version, np.asarray(VERSION))
    try:
        with path.open("rb") as file:
            head = file.read(256)
            file.seek(-22, os.SEEK_END)
            ends = file.read(4) == b"PK\x05\x06"
        lengths = struct.unpack_from("<HH", head, 26)  # of the first entry's name and extra field
        first = zlib.decompressobj(-zlib.MAX_WBITS).decompress(head[30 + sum(lengths) :])
    except (OSError, struct.error, zlib.error):
        return False
    return ends and first == version.getvalue()


def _value(field: Any, stored: JsonDict | Any) -> Any:
    value = stored[field.name]
    if field.name in _CURVES:
        return value.astype(np.float32)
    if field.name == "fades_s":
        return tuple((float(start), float(end)) for start, end in value.reshape(-1, 2))
    if value.ndim:
        return value
    number = float(value)
    if np.isnan(number):
        return None
    return int(number) if field.name == "bar_beats" else number

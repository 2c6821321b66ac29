"""Which files of a folder are looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mvr.errors import UsageError

# What is tried when a folder is scanned; a file that is named itself is always tried.
MEDIA_ENDINGS = frozenset(
    f".{ending}"
    for line in (
        "3gp aac ac3 aif aiff alac amr avi flac flv m2ts m4a m4b m4v mka mkv mov mp2 mp3 mp4 mpeg mpg mts",
        "oga ogg ogv opus ts wav webm wma wmv",
    )
    for ending in line.split()
)


@dataclass(frozen=True)
class Scan:
    """Media files in a fixed order, and how many other files were passed over."""

    files: list[Path]
    ignored: int


def scan(paths: Iterable[Path | str]) -> Scan:
    """Files that are named, and media files in folders that are named, subfolders included.

    Hidden files and folders (a leading dot: also what macOS leaves on foreign disks) are passed over.

    Raises:
        UsageError: a path that does not exist.
    """
    files: dict[Path, None] = {}  # in order, each once
    ignored = 0
    for given in paths:
        path = Path(os.path.abspath(given))  # links stay links: the user's own names are shown  # noqa: PTH100
        if not path.exists():
            raise UsageError(f"there is no file or folder {given}")
        for found in _walk(path) if path.is_dir() else [path]:
            if path.is_dir() and found.suffix.lower() not in MEDIA_ENDINGS:
                ignored += 1
            else:
                files[found] = None
    return Scan(list(files), ignored)


def _walk(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(at) / name for name in sorted(names) if not name.startswith("."))

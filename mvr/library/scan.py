"""Which files of a folder are looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mvr.errors import UsageError
from mvr.library.playlists import ENDINGS, read_playlist
from mvr.lines import one_line

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
    """Media files in a fixed order, how many other files were passed over, and the folders as they were named.

    Attributes:
        unreadable: one sentence for each folder that cannot be looked into and each playlist's entry that is no file.
    """

    files: list[Path]
    ignored: int
    folders: tuple[Path, ...] = ()
    unreadable: tuple[str, ...] = ()


def scan(paths: Iterable[Path | str]) -> Scan:
    """Files that are named, those that a named playlist lists, and media files in named folders, subfolders included.

    Hidden files and folders (a leading dot: also what macOS leaves on foreign disks) are passed over.

    Raises:
        UsageError: a path that does not exist.
    """
    files: dict[Path, None] = {}  # in order, each once
    ignored = 0
    folders: list[Path] = []
    unreadable: list[str] = []
    for given in paths:
        path = Path(os.path.abspath(given))  # links stay links: the user's own names are shown  # noqa: PTH100
        if not path.exists():
            raise UsageError(f"there is no file or folder {one_line(str(given))}")
        if path.suffix.lower() in ENDINGS and path.is_file():
            listed, notes = read_playlist(path)
            files |= dict.fromkeys(listed)
            unreadable += notes
            continue
        folder = path.is_dir()
        folders += [path] if folder else []
        for found in _walk(path, unreadable) if folder else [path]:
            if folder and found.suffix.lower() not in MEDIA_ENDINGS:
                ignored += 1
            else:
                files[found] = None
    return Scan(list(files), ignored, tuple(folders), tuple(unreadable))


def _walk(folder: Path, unreadable: list[str]) -> Iterator[Path]:
    def note(error: OSError) -> None:
        unreadable.append(f"the folder {one_line(str(error.filename))} cannot be opened: {error.strerror}")

    for at, folders, names in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(at) / name for name in sorted(names) if not name.startswith("."))

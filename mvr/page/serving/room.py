"""Room on the disk: a folder of made files keeps to a size, and what is said where there is none left."""

from __future__ import annotations

import contextlib
from pathlib import Path

from mvr.config.disk import has_no_room
from mvr.page import texts

_NEWEST_KEPT = 4


def fault_of_ours(error: Exception) -> str:
    """What a visitor is told of an error that is not theirs."""
    return texts.NO_ROOM if has_no_room(error) else texts.INTERNAL


def make_room(folder: Path, pattern: str, kept_bytes: int) -> None:
    """Delete what was not asked for longest, by the files' times, until `kept_bytes` are left; the newest four stay.

    Another server on the same folder may delete at the same time.
    """
    files = []
    for path in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
            files.append((path, path.stat()))
    total = sum(stat.st_size for _, stat in files)
    for path, stat in sorted(files, key=lambda one: one[1].st_mtime)[:-_NEWEST_KEPT]:
        if total <= kept_bytes:
            break
        total -= stat.st_size
        path.unlink(missing_ok=True)

"""SQLite files that may be read where they may not be written: another user's folder, a disk mounted for reading."""

from __future__ import annotations

import os
from pathlib import Path


def may_write(path: Path) -> bool:
    """Whether a database can be written, or made: SQLite writes files beside it, so its folder must allow it, too."""
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def read_only_address(path: Path) -> str:
    """The address of a database that is read and never written, for `sqlite3.connect(..., uri=True)`.

    In WAL mode even a reader makes files beside the database. Where it cannot, and nobody else has it open (there is no
    `-wal` file with something in it), the file is read as one that does not change.
    """
    wal = path.with_name(f"{path.name}-wal")
    alone = not (wal.exists() and wal.stat().st_size)
    immutable = "&immutable=1" if alone and not os.access(path.parent, os.W_OK) else ""
    return f"{path.absolute().as_uri()}?mode=ro{immutable}"

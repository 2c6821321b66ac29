"""SQLite files: their connections; and reading them where they may not be written (another user's folder, a disk)."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


ONE_OF = "(SELECT value FROM json_each(?))"
"""The right side of SQL's IN for `listed` values: SQLite takes 32,766 parameters of their own as a rule."""


def listed(values: Iterable[str | int]) -> str:
    """Any number of values as the one parameter of `ONE_OF`.

    >>> listed(["a", "b"])
    '["a", "b"]'
    """
    return json.dumps(list(values))


class Database:
    """A SQLite database and its connections: each is lent to one thread at a time and kept for the next.

    Args:
        source: the file, which is kept in WAL mode; or the one connection of a database in memory, lent to one thread
            after another.
    """

    def __init__(self, source: Path | sqlite3.Connection) -> None:
        self._path = source if isinstance(source, Path) else None
        self._idle = [] if isinstance(source, Path) else [source]
        self._in_turn = contextlib.nullcontext() if self._path else threading.RLock()
        weakref.finalize(self, _close, self._idle)

    def ask(self, query: str, *values: object) -> list[sqlite3.Row]:
        """All rows of one query."""
        with self.reading() as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection whose rows are known by their columns' names."""
        with self._in_turn:
            connection = self._idle[-1] if self._path is None else self._taken(self._path)
            try:
                yield connection
            finally:
                if self._path is not None:
                    self._idle.append(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: kept if all goes well, else nothing of it is."""
        with self.reading() as connection, connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        _close(self._idle)

    def _taken(self, path: Path) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            connection = sqlite3.connect(path, timeout=PATIENCE_S, check_same_thread=False)
            return prepared(connection)


PATIENCE_S = 30.0


def write_ahead(connection: sqlite3.Connection) -> None:
    """Put a database into WAL mode, however many do so at the same moment.

    SQLite waits for other locks by itself; whoever meets another at this change is told "locked" at once.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A connection with rows by name, that loses nothing when the power fails and keeps keys that point to rows."""
    connection.row_factory = sqlite3.Row
    write_ahead(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _close(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()

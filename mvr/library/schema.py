"""The catalogue's tables, and how a catalogue of an earlier version becomes one of this version."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from filelock import FileLock, Timeout

from mvr.config.sqlite import PATIENCE_S, read_only_address, write_ahead
from mvr.errors import DataError, UsageError

VERSION = 4
WRITER_LOCK = "writer.lock"
_LOCK_S = 20.0

# columns by table, in the order of the first version and then as they came
TABLES = {
    "items": {
        "id": "VARCHAR NOT NULL PRIMARY KEY",
        "content": "VARCHAR NOT NULL UNIQUE",
        "modality": "VARCHAR NOT NULL",
        "path": "BLOB NOT NULL",  # a file name is bytes: not every one is Unicode
        "name": "VARCHAR NOT NULL",
        "title": "VARCHAR NOT NULL",
        "artist": "VARCHAR NOT NULL",
        "album": "VARCHAR NOT NULL",
        "genre": "JSON NOT NULL",
        "mood": "JSON NOT NULL",
        "licence": "VARCHAR NOT NULL",
        "credit": "VARCHAR NOT NULL",
        "source": "VARCHAR NOT NULL",
        "duration_s": "FLOAT NOT NULL",
        "tempo_bpm": "FLOAT",
        "loudness_lufs": "FLOAT",
        "true_peak_dbtp": "FLOAT",
        "width_px": "INTEGER",
        "height_px": "INTEGER",
        "size_bytes": "INTEGER NOT NULL",
        "same_as": "VARCHAR",
        "added_at": "VARCHAR NOT NULL",
        "signature": "BLOB",
        "position": "INTEGER NOT NULL",
        # since version 2
        "composer": "VARCHAR DEFAULT '' NOT NULL",
        "publisher": "VARCHAR DEFAULT '' NOT NULL",
        "year": "INTEGER",
        "isrc": "VARCHAR DEFAULT '' NOT NULL",
        "iswc": "VARCHAR DEFAULT '' NOT NULL",
        "ipi": "VARCHAR DEFAULT '' NOT NULL",
        "licence_url": "VARCHAR DEFAULT '' NOT NULL",
        "measured_bpm": "FLOAT",  # `tempo_bpm` is the tagged one where there is one
        "edits": "JSON DEFAULT '{}' NOT NULL",  # what the user wrote over the file's own tags
        "missing": "BOOLEAN DEFAULT '0' NOT NULL",
        "removed_at": "VARCHAR",  # set until the next add, so that a removal can be undone
    },
    "files": {
        "path": "BLOB NOT NULL PRIMARY KEY",
        "size_bytes": "INTEGER NOT NULL",
        "mtime_ns": "INTEGER NOT NULL",
        "item": "VARCHAR NOT NULL REFERENCES items (id) ON DELETE CASCADE",
        # since version 2: what the tags were read by (reader and row of a table); another one is read again
        "read_by": "VARCHAR DEFAULT '' NOT NULL",
    },
    # since version 3: what `mvr.library.sketches` finds the nearest signatures by; empty until the first is compared
    "sketch_axes": {
        "fitted": "INTEGER NOT NULL PRIMARY KEY",
        "width": "INTEGER NOT NULL",
        "axes": "BLOB NOT NULL",
    },
    "sketches": {
        "number": "INTEGER NOT NULL PRIMARY KEY",
        "positions": "BLOB NOT NULL",
        "sketches": "BLOB NOT NULL",
    },
    "changes": {"revision": "INTEGER NOT NULL PRIMARY KEY"},
    # since version 4: the items that each revision touched, so that what was read before it need not be read again
    "journal": {"revision": "INTEGER NOT NULL", "item": "VARCHAR NOT NULL"},
}
_INDEXES = (  # adding one file looks for these; without them it reads the whole table each time
    "CREATE INDEX IF NOT EXISTS files_item ON files (item)",
    "CREATE INDEX IF NOT EXISTS items_position ON items (position)",
    "CREATE INDEX IF NOT EXISTS items_path ON items (path)",
    "CREATE INDEX IF NOT EXISTS items_same_as ON items (same_as) WHERE same_as IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS items_removed_at ON items (removed_at) WHERE removed_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS items_missing ON items (missing)",
    "CREATE INDEX IF NOT EXISTS journal_revision ON journal (revision)",
)
# The database itself writes the journal, whoever changes an item; a transaction is the revision that it ends with
_TRIGGERS = tuple(
    f"CREATE TRIGGER IF NOT EXISTS journal_{event} AFTER {event} ON items "
    f"BEGIN INSERT INTO journal SELECT revision + 1, {row}.id FROM changes; END"
    for event, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old"))
)


def prepare(path: Path) -> None:
    """Make a catalogue, or bring one of an earlier version up to date, in one transaction under the library's lock.

    Raises:
        DataError: a newer version wrote it, or it is no catalogue. UsageError: an earlier version is adding to it.
    """
    with closing(sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)) as connection:
        try:
            write_ahead(connection)
            if version_of(connection, path) == VERSION:
                return
            with FileLock(
                path.with_name(WRITER_LOCK), timeout=_LOCK_S
            ):  # of several that open it, one does the work
                connection.execute("BEGIN IMMEDIATE")
                migrate(connection)
                connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise unreadable(path, error) from error
        except Timeout:
            raise UsageError(
                f"an earlier version of mvr is adding to the library {path.parent}; wait for it to finish"
            ) from None


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Format of a catalogue; 0 for a new file.

    Raises:
        DataError: newer than this program.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise DataError(f"{path} was written by a newer version of mvr (format {version}); update mvr")
    return version


def migrate(connection: sqlite3.Connection) -> None:
    """Bring an open catalogue of an earlier version, or an empty database, to `VERSION`.

    Items, ids and what they hold stay as they are, but for tempos of the first version: it told every sound one, the
    half of it above 160 bpm, and not whether it was tagged. Items whose file is there have none until it is measured.
    """
    for table, columns in TABLES.items():
        have = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        if not have:
            described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"CREATE TABLE {table} ({described})")
            continue
        for name in (name for name in columns if name not in have):
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")
            if name == "measured_bpm":
                connection.create_function("is_there", 1, lambda path: Path(os.fsdecode(path)).exists())
                connection.execute("UPDATE items SET tempo_bpm = NULL WHERE is_there(path)")
    connection.execute("INSERT INTO changes SELECT 0 WHERE NOT EXISTS (SELECT * FROM changes)")
    for statement in (*_INDEXES, *_TRIGGERS):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def empty_in_memory() -> sqlite3.Connection:
    """A new catalogue, as a database in memory."""
    memory = sqlite3.connect(":memory:", check_same_thread=False)
    migrate(memory)
    memory.commit()
    return memory


def copy_to_memory(path: Path) -> sqlite3.Connection:
    """A catalogue that cannot be written, as a database in memory, brought up to date there.

    Raises:
        DataError: it cannot be read.
    """
    memory = sqlite3.connect(":memory:", check_same_thread=False)
    try:
        with closing(sqlite3.connect(read_only_address(path), uri=True)) as source:
            source.backup(memory)
        if version_of(memory, path) != VERSION:
            migrate(memory)
            memory.commit()
    except sqlite3.DatabaseError as error:
        memory.close()
        raise unreadable(path, error) from error
    return memory


def unreadable(path: Path, error: Exception) -> DataError:
    """What is said of a damaged catalogue."""
    return DataError(f"{path} cannot be read as a library's catalogue: {error}")

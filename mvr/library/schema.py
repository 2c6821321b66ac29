"""The catalogue's tables, and how a catalogue of an earlier version becomes one of this version."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.dialects import sqlite

from mvr.config.sqlite import read_only_address
from mvr.errors import DataError, UsageError

VERSION = 3
WRITER_LOCK = "writer.lock"
_LOCK_S = 20.0

METADATA = sa.MetaData()
ITEMS = sa.Table(
    "items",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("content", sa.String, nullable=False, unique=True),
    sa.Column("modality", sa.String, nullable=False),
    sa.Column("path", sa.LargeBinary, nullable=False),  # a file name is bytes: not every one is Unicode
    sa.Column("name", sa.String, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("artist", sa.String, nullable=False),
    sa.Column("album", sa.String, nullable=False),
    sa.Column("genre", sa.JSON, nullable=False),
    sa.Column("mood", sa.JSON, nullable=False),
    sa.Column("licence", sa.String, nullable=False),
    sa.Column("credit", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("duration_s", sa.Float, nullable=False),
    sa.Column("tempo_bpm", sa.Float),
    sa.Column("loudness_lufs", sa.Float),
    sa.Column("true_peak_dbtp", sa.Float),
    sa.Column("width_px", sa.Integer),
    sa.Column("height_px", sa.Integer),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("same_as", sa.String),
    sa.Column("added_at", sa.String, nullable=False),
    sa.Column("signature", sa.LargeBinary),
    sa.Column("position", sa.Integer, nullable=False),
    # since version 2
    sa.Column("composer", sa.String, nullable=False, server_default=""),
    sa.Column("publisher", sa.String, nullable=False, server_default=""),
    sa.Column("year", sa.Integer),
    sa.Column("isrc", sa.String, nullable=False, server_default=""),
    sa.Column("iswc", sa.String, nullable=False, server_default=""),
    sa.Column("ipi", sa.String, nullable=False, server_default=""),
    sa.Column("licence_url", sa.String, nullable=False, server_default=""),
    sa.Column("measured_bpm", sa.Float),  # `tempo_bpm` is the tagged one where there is one
    sa.Column(
        "edits", sa.JSON, nullable=False, server_default="{}"
    ),  # what the user wrote over the file's own tags
    sa.Column("missing", sa.Boolean, nullable=False, server_default="0"),
    sa.Column("removed_at", sa.String),  # set until the next add, so that a removal can be undone
)
FILES = sa.Table(
    "files",
    METADATA,
    sa.Column("path", sa.LargeBinary, primary_key=True),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("mtime_ns", sa.Integer, nullable=False),
    sa.Column("item", sa.String, sa.ForeignKey("items.id", ondelete="CASCADE"), nullable=False),
    # since version 2: what the tags were read by (reader and row of a table); another one is read again
    sa.Column("read_by", sa.String, nullable=False, server_default=""),
)
# since version 3: what `mvr.library.sketches` finds the nearest signatures by; empty until the first track is compared
SKETCH_AXES = sa.Table(
    "sketch_axes",
    METADATA,
    sa.Column("fitted", sa.Integer, primary_key=True),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("axes", sa.LargeBinary, nullable=False),
)
SKETCHES = sa.Table(
    "sketches",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("positions", sa.LargeBinary, nullable=False),
    sa.Column("sketches", sa.LargeBinary, nullable=False),
)
CHANGES = sa.Table("changes", METADATA, sa.Column("revision", sa.Integer, primary_key=True))
_DIALECT = sqlite.dialect()
_INDEXES = (  # adding one file looks for these; without them it reads the whole table each time
    "CREATE INDEX IF NOT EXISTS files_item ON files (item)",
    "CREATE INDEX IF NOT EXISTS items_position ON items (position)",
    "CREATE INDEX IF NOT EXISTS items_path ON items (path)",
    "CREATE INDEX IF NOT EXISTS items_same_as ON items (same_as) WHERE same_as IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS items_removed_at ON items (removed_at) WHERE removed_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS items_missing ON items (missing)",
)


def prepare(path: Path) -> None:
    """Make a catalogue, or bring one of an earlier version up to date, in one transaction under the library's lock.

    Raises:
        DataError: a newer version wrote it, or it is no catalogue. UsageError: an earlier version is adding to it.
    """
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            if version_of(connection, path) == VERSION:
                return
            with FileLock(
                path.with_name(WRITER_LOCK), timeout=_LOCK_S
            ):  # of several that open it, one does the work
                connection.execute("BEGIN IMMEDIATE")
                migrate(connection, version_of(connection, path))
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


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring an open catalogue from `version` to `VERSION`; items, ids and what they hold stay as they are."""
    if version == 1:
        for table in (ITEMS, FILES):
            have = {row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")}
            for column in table.columns:
                if column.name not in have:
                    added = sa.schema.CreateColumn(column).compile(dialect=_DIALECT)
                    connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {added}")
    for table in METADATA.sorted_tables:
        connection.execute(str(sa.schema.CreateTable(table, if_not_exists=True).compile(dialect=_DIALECT)))
    connection.execute("INSERT INTO changes SELECT 0 WHERE NOT EXISTS (SELECT * FROM changes)")
    for index in _INDEXES:
        connection.execute(index)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def copy_to_memory(path: Path) -> sqlite3.Connection:
    """A catalogue that cannot be written, as a database in memory, brought up to date there.

    Raises:
        DataError: it cannot be read.
    """
    memory = sqlite3.connect(":memory:", check_same_thread=False)
    try:
        with closing(sqlite3.connect(read_only_address(path), uri=True)) as source:
            source.backup(memory)
        migrate_from = version_of(memory, path)
        if migrate_from != VERSION:
            migrate(memory, migrate_from)
            memory.commit()
    except sqlite3.DatabaseError as error:
        memory.close()
        raise unreadable(path, error) from error
    return memory


def unreadable(path: Path, error: Exception) -> DataError:
    """What is said of a damaged catalogue."""
    return DataError(f"{path} cannot be read as a library's catalogue: {error}")

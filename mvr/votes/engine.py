"""Engines for the two kinds of database: SQLite set up to lose nothing, PostgreSQL as it is.

SQLite runs in WAL mode with `synchronous=FULL`: every commit waits for `fdatasync`, so neither a killed
process nor a lost power supply takes back what was acknowledged.
"""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock

from mvr.config.paths import home_dir
from mvr.config.sqlite import may_write, write_ahead
from mvr.errors import NotSaved, UsageError

BUSY_TIMEOUT_MS = 60_000


def parse_url(url: str | Path | None) -> sa.URL:
    """The database that `url` names: a SQLAlchemy URL, a path of a SQLite file, or None for the user's own
    file.

    Raises:
        UsageError: neither SQLite nor PostgreSQL, or a SQLite database in memory (it would lose every vote).
    """
    if url is None:
        url = home_dir() / "votes.sqlite"
    if isinstance(url, Path) or "://" not in url:
        return sa.URL.create("sqlite", database=str(url))
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise UsageError(
            f"{url!r} is not a database URL; write sqlite:///FILE or postgresql://HOST/NAME"
        ) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise UsageError(f"votes need a SQLite file or PostgreSQL, not {parsed.render_as_string()!r}")
    return parsed


def create_engine(url: sa.URL) -> sa.Engine:
    """An engine whose connections are set up as the module's docstring says.

    Raises:
        NotSaved: a SQLite file that cannot be written.
    """
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True)
    path = Path(str(url.database)).expanduser()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    if not may_write(path):
        raise NotSaved(f"votes cannot be kept in {path}: it, or its folder, cannot be written to")
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "isolation_level": None})
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def opening_lock(url: sa.URL) -> AbstractContextManager[Any]:
    """Held while a SQLite file is opened and migrated, so that many processes may start at once."""
    return FileLock(f"{url.database}.lock", timeout=BUSY_TIMEOUT_MS / 1000)


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    write_ahead(connection)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # IMMEDIATE takes the write lock at once: a transaction that reads first and writes later could not wait
    # for it.
    options = connection.get_execution_options()
    connection.exec_driver_sql("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")

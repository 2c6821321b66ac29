"""Copies of votes in SQLite: a backup while a server writes, and one to read from where nothing can be written.

A server keeps its newest votes in a second file beside the first (`votes.sqlite-wal`), so the first one copied alone
lacks them, or all of them; SQLite's online copy takes both.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from mvr.config.outputs import written_whole
from mvr.config.sqlite import may_write, read_only_address
from mvr.errors import DataError, NotSaved, UsageError
from mvr.votes.engine import parse_url
from mvr.votes.records import Battle, Vote
from mvr.votes.store import VoteStore

_HINT = (
    "if it was copied while a server was running, the votes are in the file {name}-wal beside the original; "
    "copy with `mvr votes backup --db ORIGINAL --out COPY`"
)


def file_of(url: str | Path | None) -> Path:
    """The SQLite file of a URL.

    Raises:
        UsageError: votes on a server, or no such file.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise UsageError("this copies a SQLite file; copy votes on PostgreSQL with its own pg_dump")
    path = Path(str(parsed.database))
    if not path.is_file():
        raise UsageError(f"there are no votes at {path}")
    return path


def back_up(url: str | Path | None, out: Path) -> int:
    """Copy all votes into one new, complete file while others may write; returns how many votes it holds.

    Args:
        url: as of `VoteStore.open`; SQLite only.
        out: the file to write; it appears only when it is complete.

    Raises:
        UsageError: no such votes. DataError: no votes in it. OutputRefused: no folder for the copy. NotSaved: it cannot
            be written.
    """
    source = file_of(url)
    check_holds_votes(source)
    try:
        with (
            written_whole(out) as part,
            closing(sqlite3.connect(read_only_address(source), uri=True, timeout=60)) as original,
            closing(sqlite3.connect(part)) as copy,
        ):
            original.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # the copy needs no file beside it
            (votes,) = copy.execute("SELECT COUNT(*) FROM vote").fetchone()
    except (sqlite3.Error, OSError) as error:
        raise NotSaved(f"the votes of {source} could not be copied to {out}: {error}") from error
    return int(votes)


@contextmanager
def open_to_read(url: str | Path | None) -> Iterator[VoteStore]:
    """A store whose votes are read; where its file cannot be written, of a copy of it.

    Raises:
        UsageError: there are no such votes. DataError: the file holds none, or a newer program made it.
        NotSaved: the database cannot be used.
    """
    if parse_url(url).get_backend_name() != "sqlite":
        with VoteStore.open(url) as store:
            yield store
        return
    path = file_of(url)
    check_holds_votes(path)
    if may_write(path):
        with VoteStore.open(path) as store:
            yield store
        return
    with tempfile.TemporaryDirectory(prefix="mvr-votes-") as folder:
        back_up(path, Path(folder) / "votes.sqlite")
        with VoteStore.open(Path(folder) / "votes.sqlite") as store:
            yield store


def check_holds_votes(path: Path) -> None:
    """Raise DataError for a file without tables of votes: something else, or one copied alone."""
    try:
        with closing(sqlite3.connect(read_only_address(path), uri=True, timeout=60)) as connection:
            tables = {
                row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
    except sqlite3.Error as error:
        raise DataError(f"{path} cannot be read as votes: {error}") from error
    if Vote.table not in tables:
        raise DataError(f"{path} holds no votes; {_HINT.format(name=path.name)}")


def note_on_nothing(store: VoteStore) -> str:
    """One sentence where a SQLite store holds no battle and no vote; "" otherwise."""
    if not store.sqlite or store.count(Battle) or store.count(Vote):
        return ""
    path = Path(str(store.url.database))
    return f"{path} holds no votes; {_HINT.format(name=path.name)}"

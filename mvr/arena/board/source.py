"""Where a board's votes come from: a database URL, a SQLite file, or a folder of exported tables."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mvr.errors import UsageError
from mvr.votes.copies import open_to_read
from mvr.votes.formats.tables import import_tables
from mvr.votes.store import VoteStore


@contextmanager
def open_votes(source: str) -> Iterator[VoteStore]:
    """A store of these votes; an exported folder is imported into a temporary one.

    Raises:
        UsageError: nothing is there (a misspelt path must not become an empty board).
        DataError: the export cannot be read.
    """
    path = Path(source.removeprefix("sqlite:///"))
    if "://" not in source and path.is_dir():
        with tempfile.TemporaryDirectory() as folder, VoteStore.open(Path(folder) / "votes.sqlite") as store:
            import_tables(store, path)
            yield store
        return
    if not source.startswith("postgres") and not path.is_file():
        raise UsageError(
            f"there are no votes at {source}; give a database URL, a SQLite file or an exported folder"
        )
    with open_to_read(source) as store:
        yield store

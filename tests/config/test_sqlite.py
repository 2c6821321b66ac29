"""Connections of a database that several threads ask."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from mvr.config.sqlite import Database, prepared
from mvr.embeddings.cache import FeatureCache
from mvr.library import Library


def filled(source: Path | sqlite3.Connection) -> Database:
    database = Database(source)
    with database.writing() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS words (word VARCHAR PRIMARY KEY)")
        connection.execute("INSERT INTO words VALUES ('one')")
    return database


def words(database: Database) -> list[str]:
    with database.reading() as connection:
        return [row["word"] for row in connection.execute("SELECT word FROM words ORDER BY rowid")]


@pytest.fixture(params=["file", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "file":
        return filled(tmp_path / "a.sqlite")
    return filled(prepared(sqlite3.connect(":memory:", check_same_thread=False)))


def test_of_a_transaction_that_fails_nothing_is_kept(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError), database.writing() as connection:
        connection.execute("INSERT INTO words VALUES ('two')")
        connection.execute("INSERT INTO words VALUES ('one')")
    assert words(database) == ["one"]


def test_many_threads_ask_and_write_at_once(database: Database) -> None:
    def add(number: int) -> int:
        with database.writing() as connection:
            connection.execute("INSERT INTO words VALUES (?)", (f"{number}",))
        return len(words(database))

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(add, range(40)))
    assert sorted(words(database)) == sorted(["one", *map(str, range(40))])
    assert all(2 <= count <= 41 for count in counts)


def test_a_closed_database_in_a_file_opens_again(tmp_path: Path) -> None:
    database = filled(tmp_path / "a.sqlite")
    database.close()
    assert words(database) == ["one"]


OPENINGS: dict[str, Callable[[Path], object]] = {
    "a.sqlite": lambda folder: Database(folder / "a.sqlite").ask("SELECT 1"),
    "cache.db": FeatureCache,
    "catalogue.sqlite": Library.open,
}


@pytest.mark.parametrize("name", OPENINGS)
def test_who_opens_a_file_that_another_is_just_making_waits_for_it(tmp_path: Path, name: str) -> None:
    """SQLite lets the change to WAL wait for nobody: of eight that began at once one in sixty was told "locked"."""
    with closing(sqlite3.connect(tmp_path / name, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as pool:
            opened = pool.submit(OPENINGS[name], tmp_path)
            threading.Event().wait(0.2)
            other.execute("COMMIT")
            opened.result(60)

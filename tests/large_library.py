"""A catalogue of many tracks without their sound: rows as adding writes them, all of one file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from mvr.datatypes import Modality
from mvr.library.catalogue import Catalogue
from mvr.library.item import Item
from mvr.library.library import CATALOGUE
from mvr.library.rows import insert, row_of

ARTISTS = ("Anna Lind", "Bo Ek", "Çelik", "Dvořák Trio")
GENRES = ("ambient", "house", "orchestral", "folk", "drum and bass")


def track(number: int, path: Path) -> Item:
    """The track of a number; all that is written about it follows from the number."""
    content = f"{number:064x}"[::-1]
    return Item(
        id=content[:16], content=content, modality=Modality.AUDIO, path=path, name=f"take {number:05d}.wav",
        title=f"Take {number:05d}", artist=ARTISTS[number % len(ARTISTS)],
        genre=(GENRES[number % len(GENRES)],), mood=("calm",) if number % 3 else (),
        licence="CC BY 4.0" if number % 2 else "CC0 1.0", duration_s=180.0, tempo_bpm=60.0 + number % 100,
        added_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


def fill(folder: Path, path: Path, count: int) -> list[Item]:
    """Make a library's catalogue with `count` tracks that all lie in `path`; the tracks."""
    folder.mkdir(parents=True, exist_ok=True)
    Catalogue(folder / CATALOGUE).close()
    items = [track(number, path) for number in range(count)]
    rows = [row_of(item) | {"position": place, "edits": "{}"} for place, item in enumerate(items)]
    with closing(sqlite3.connect(folder / CATALOGUE)) as connection, connection:
        insert(connection, "items", *rows)
        connection.execute("UPDATE changes SET revision = 1")
    return items

"""A catalogue of many tracks without their sound: rows as adding writes them, all of one file."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from mvr.datatypes import Modality
from mvr.library.catalogue import Catalogue
from mvr.library.item import Item
from mvr.library.library import CATALOGUE
from mvr.library.rows import row_of
from mvr.library.schema import CHANGES, ITEMS

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
    rows = [row_of(item) | {"position": place, "edits": {}} for place, item in enumerate(items)]
    engine = sa.create_engine(f"sqlite:///{folder / CATALOGUE}")
    with engine.begin() as connection:
        connection.execute(sa.insert(ITEMS), rows)
        connection.execute(sa.update(CHANGES).values(revision=1))
    engine.dispose()
    return items

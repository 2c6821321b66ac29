"""A catalogue as people look through it: by pages, by words, and what one may choose from.

A page reads the rows that it shows and no others. What needs a look at every row (the text that is searched, the
choices) is read once per state of the catalogue: its revision, which every change of an item makes grow, also one of
another process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from mvr.datatypes import Modality
from mvr.library.item import Item
from mvr.library.rows import HELD, ITEM_COLUMNS, item_of
from mvr.library.schema import CHANGES, ITEMS

T = TypeVar("T")
_SEARCHED = ("title", "artist", "album", "name", "licence")
_LABELS = ("genre", "mood")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What one may choose from in a library, each in order."""

    genres: list[str]
    licences: list[str]
    moods: list[str]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some neighbours of a list.

    Attributes:
        items: in the order of adding.
        first: how many of the list come before them.
        total: how long the list is.
    """

    items: list[Item]
    first: int
    total: int


class Listing:
    """Lists of a catalogue's items; safe to share between threads.

    Args:
        engine: of the catalogue's database.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._held: dict[tuple[str, Modality | None], tuple[int, Any]] = {}
        self._lock = threading.Lock()

    def revision(self) -> int:
        """A number that grows with every change of the items."""
        with self._engine.connect() as connection:
            return int(connection.execute(sa.select(CHANGES.c.revision)).scalar_one())

    def holds(self, modality: Modality | None = None) -> bool:
        """Whether there is anything at all."""
        query = self._rows(modality, ITEMS.c.id).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def page(self, modality: Modality | None = None, words: str = "", *, first: int = 0, count: int) -> Page:
        """`count` items of a list from its item `first` on; of one that is not so long, its last ones.

        Args:
            modality: of which; None: all.
            words: every one occurs in what is written about an item: title, artist, album, file name, licence, genre,
                mood. Case does not matter.
            first: how many come before, a whole number of pages.
            count: how many at most.
        """
        if words.split():
            found = self._found(modality, words)
            first = _last_page(first, count, len(found))
            return Page(items=self.of(found[first : first + count]), first=first, total=len(found))
        total = self.count(modality)
        first = _last_page(first, count, total)
        query = self._rows(modality, *ITEM_COLUMNS).order_by(ITEMS.c.position).limit(count).offset(first)
        with self._engine.connect() as connection:
            items = [item_of(row) for row in connection.execute(query)]
        return Page(items=items, first=first, total=total)

    def count(self, modality: Modality | None = None) -> int:
        """How many items there are."""
        return self._per_state("count", modality, self._count)

    def of(self, ids: list[str]) -> list[Item]:
        """Those items that are (still) there, in the order of their ids."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(*ITEM_COLUMNS).where(ITEMS.c.id.in_(ids), HELD))
            found = {row.id: item_of(row) for row in rows}
        return [found[item_id] for item_id in ids if item_id in found]

    def choices(self, modality: Modality) -> Choices:
        """Genres, licences and moods that occur."""
        return self._per_state("choices", modality, self._choices)

    def _choices(self, modality: Modality | None) -> Choices:
        columns = (ITEMS.c.genre, ITEMS.c.mood, ITEMS.c.licence, ITEMS.c.edits)
        with self._engine.connect() as connection:
            rows = connection.execute(self._rows(modality, *columns).distinct())
            laid = [{**row._mapping, **row.edits} for row in rows]
        genres, moods = ({label for values in laid for label in values[name]} for name in _LABELS)
        licences = {str(values["licence"]) for values in laid}
        return Choices(genres=sorted(genres), licences=sorted(licences), moods=sorted(moods))

    def _found(self, modality: Modality | None, words: str) -> list[str]:
        """Ids of the items in which every word occurs."""
        wanted = words.casefold().split()
        texts = self._per_state("texts", modality, self._texts)
        return [item_id for item_id, text in texts if all(word in text for word in wanted)]

    def _texts(self, modality: Modality | None) -> list[tuple[str, str]]:
        columns = [ITEMS.c[name] for name in ("id", *_SEARCHED, *_LABELS, "edits")]
        query = self._rows(modality, *columns).order_by(ITEMS.c.position)
        with self._engine.connect() as connection:
            return [(row.id, _text({**row._mapping, **row.edits})) for row in connection.execute(query)]

    def _count(self, modality: Modality | None) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(self._rows(modality, sa.func.count())).scalar_one())

    def _rows(self, modality: Modality | None, *columns: Any) -> sa.Select[Any]:
        query = sa.select(*columns).select_from(ITEMS).where(HELD)
        return query if modality is None else query.where(ITEMS.c.modality == str(modality))

    def _per_state(self, name: str, modality: Modality | None, read: Callable[[Modality | None], T]) -> T:
        """What `read` gave for the present state of the catalogue."""
        with self._lock:
            revision = self.revision()  # before the rows: what changes meanwhile is read at the next question
            held = self._held.get((name, modality))
            if held is None or held[0] != revision:
                held = self._held[name, modality] = (revision, read(modality))
            value: T = held[1]
            return value


def _text(values: dict[str, Any]) -> str:
    """What is searched of an item."""
    parts = [values[name] for name in _SEARCHED]
    return " ".join([*parts, *(label for name in _LABELS for label in values[name])]).casefold()


def _last_page(first: int, count: int, total: int) -> int:
    """`first`, or where the last page begins.

    >>> _last_page(100, 50, 120), _last_page(150, 50, 120), _last_page(50, 50, 0)
    (100, 100, 0)
    """
    return min(first, max(0, (total - 1) // count * count))

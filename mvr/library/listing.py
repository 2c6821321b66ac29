"""A catalogue as people look through it: by pages, by words, and what one may choose from.

A page reads the rows that it shows and no others. What needs a look at every row (the text that is searched, the
choices) is read once per state of the catalogue: its revision, which every change of an item makes grow, also one of
another process.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from mvr.config.sqlite import ONE_OF, Database, listed
from mvr.datatypes import Modality
from mvr.library.item import Item
from mvr.library.rows import HELD, ITEM_COLUMNS, LISTS, item_of, laid

T = TypeVar("T")
_SEARCHED = ("title", "artist", "album", "name", "licence")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What one may choose from in a library, each in order."""

    genres: list[str]
    licences: list[str]
    moods: list[str]


class Placed(NamedTuple):
    """An item and its number in the order of adding."""

    position: int
    item: Item


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
        database: the catalogue's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[tuple[str, Modality | None], tuple[int, Any]] = {}
        self._lock = threading.Lock()

    def revision(self) -> int:
        """A number that grows with every change of the items."""
        return int(self._database.ask("SELECT revision FROM changes")[0][0])

    def holds(self, modality: Modality | None = None) -> bool:
        """Whether there is anything at all."""
        return bool(self._rows("id", modality, "LIMIT 1"))

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
        rows = self._rows(ITEM_COLUMNS, modality, "ORDER BY position LIMIT ? OFFSET ?", count, first)
        return Page(items=[item_of(row) for row in rows], first=first, total=total)

    def items(self, modality: Modality | None = None) -> list[Item]:
        """All items, or those of one modality, in the order of adding."""
        return [item_of(row) for row in self._rows(ITEM_COLUMNS, modality, "ORDER BY position")]

    def placed(self, modality: Modality, ids: Collection[str] | None = None) -> list[Placed]:
        """The same with their numbers, of one modality; of `ids` those that are there."""
        some = "" if ids is None else f"AND id IN {ONE_OF}"
        columns = f"{ITEM_COLUMNS}, position"
        rows = self._rows(
            columns, modality, f"{some} ORDER BY position", *([] if ids is None else [listed(ids)])
        )
        return [Placed(row["position"], item_of(row)) for row in rows]

    def count(self, modality: Modality | None = None) -> int:
        """How many items there are."""
        return self._per_state("count", modality, self._count)

    def of(self, ids: list[str]) -> list[Item]:
        """Those items that are (still) there, in the order of their ids."""
        rows = self._database.ask(
            f"SELECT {ITEM_COLUMNS} FROM items WHERE id IN {ONE_OF} AND {HELD}", listed(ids)
        )
        found = {row["id"]: item_of(row) for row in rows}
        return [found[item_id] for item_id in ids if item_id in found]

    def choices(self, modality: Modality) -> Choices:
        """Genres, licences and moods that occur."""
        return self._per_state("choices", modality, self._choices)

    def _choices(self, modality: Modality | None) -> Choices:
        written = [laid(row) for row in self._rows("DISTINCT genre, mood, licence, edits", modality)]
        genres, moods = ({label for values in written for label in values[name]} for name in LISTS)
        licences = {str(values["licence"]) for values in written}
        return Choices(genres=sorted(genres), licences=sorted(licences), moods=sorted(moods))

    def _found(self, modality: Modality | None, words: str) -> list[str]:
        """Ids of the items in which every word occurs."""
        wanted = words.casefold().split()
        texts = self._per_state("texts", modality, self._texts)
        return [item_id for item_id, text in texts if all(word in text for word in wanted)]

    def _texts(self, modality: Modality | None) -> list[tuple[str, str]]:
        columns = ", ".join(("id", *_SEARCHED, *LISTS, "edits"))
        return [(row["id"], _text(laid(row))) for row in self._rows(columns, modality, "ORDER BY position")]

    def _count(self, modality: Modality | None) -> int:
        return int(self._rows("COUNT(*)", modality)[0][0])

    def _rows(
        self, columns: str, modality: Modality | None, rest: str = "", *values: object
    ) -> list[sqlite3.Row]:
        """Columns of all items, or of those of one modality."""
        of = "" if modality is None else "AND modality = ?"
        given = values if modality is None else (str(modality), *values)
        return self._database.ask(f"SELECT {columns} FROM items WHERE {HELD} {of} {rest}", *given)

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
    return " ".join([*parts, *(label for name in LISTS for label in values[name])]).casefold()


def _last_page(first: int, count: int, total: int) -> int:
    """`first`, or where the last page begins.

    >>> _last_page(100, 50, 120), _last_page(150, 50, 120), _last_page(50, 50, 0)
    (100, 100, 0)
    """
    return min(first, max(0, (total - 1) // count * count))

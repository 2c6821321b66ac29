"""The catalogue: items and the files they were found in, in one SQLite database."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mvr.config.sqlite import ONE_OF, Database, listed, may_write, prepared
from mvr.datatypes import Modality
from mvr.errors import NotInLibrary, UsageError
from mvr.library.item import Item
from mvr.library.listing import Listing
from mvr.library.rows import HELD, ITEM_COLUMNS, insert, item_of, kept, path_of, row_of, update
from mvr.library.schema import copy_to_memory, empty_in_memory, prepare
from mvr.library.sketches import Sketches, add_sketch, read_sketches, signatures_at
from mvr.lines import one_line

JOURNAL = 1000  # revisions that are remembered
_HOLDS = "size_bytes >= 0"  # a file that holds something else now has -1 until it is read again


class Seen(NamedTuple):
    """What was written down of a file when it was last read."""

    item: str
    size_bytes: int
    mtime_ns: int
    read_by: str


class Catalogue:
    """Items in the order of adding.

    Args:
        path: the SQLite file, made when missing; None keeps everything in memory.

    Raises:
        DataError: a file that a newer version wrote, or no SQLite database. UsageError: none, where none can be made.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.writable = path is None or may_write(path)
        if path is None:
            self._database = Database(prepared(empty_in_memory()))
        elif self.writable:
            prepare(path)
            self._database = Database(path)
        elif path.exists():
            self._database = Database(prepared(copy_to_memory(path)))
        else:
            raise UsageError(f"a library cannot be kept in {path.parent}: it cannot be written to")
        self.listing = Listing(self._database)

    def items(self, modality: Modality | None = None) -> list[Item]:
        """All items, or those of one modality, in the order of adding."""
        return self.listing.items(modality)

    def item(self, item_id: str) -> Item:
        """One item.

        Raises:
            NotInLibrary: no such id.
        """
        found = self.listing.of([item_id])
        if not found:
            raise NotInLibrary(
                f"the library holds no item {one_line(item_id)!r}; `mvr library list` shows what it holds"
            )
        return found[0]

    def items_of(self, ids: Collection[str]) -> list[Item]:
        """Those items that are there, see `Listing.of`."""
        return self.listing.of(list(ids))

    def count(self) -> int:
        """How many items there are."""
        return self.listing.count()

    def paths(self) -> list[Path]:
        """Every file that an item was found in; an item's own file first."""
        rows = self._database.ask("SELECT path FROM items UNION ALL SELECT path FROM files")
        return [path_of(key) for key in dict.fromkeys(row["path"] for row in rows)]

    def of_content(self, content: str) -> Item | None:
        """The item with these bytes, if any."""
        rows = self._database.ask(f"SELECT {ITEM_COLUMNS} FROM items WHERE content = ? AND {HELD}", content)
        return item_of(rows[0]) if rows else None

    def seen(self, path: Path) -> Seen | None:
        """What is known of a file, if it was ever read."""
        query = "SELECT item, size_bytes, mtime_ns, read_by FROM files WHERE path = ?"
        rows = self._database.ask(query, os.fsencode(path))
        return Seen(*rows[0]) if rows else None

    def seen_under(self, folder: Path) -> list[Path]:
        """Files in a folder, subfolders included, that were ever read."""
        below = os.fsencode(folder).rstrip(b"/") + b"/"
        rows = self._database.ask(
            "SELECT path FROM files WHERE path > ? AND path < ?", below, below[:-1] + b"0"
        )
        return [path_of(row["path"]) for row in rows]

    def add(
        self,
        item: Item,
        signature: bytes | None = None,
        *,
        measured_bpm: float | None = None,
        instead_of: Item | None = None,
        keep_edits: bool = False,
    ) -> None:
        """Add an item that is not there yet.

        Args:
            item: as measured and tagged.
            signature: of its music, see `mvr.media.fingerprint`.
            measured_bpm: the tempo that was measured, whatever its tags say.
            instead_of: an item whose only file now holds `item`: it goes, and `item` takes its place in the order.
            keep_edits: the music is the same (its tags were changed), so what the user wrote stays.
        """
        values: dict[str, Any] = row_of(item) | {"signature": signature, "measured_bpm": measured_bpm}
        with self._begin() as connection:
            values["position"] = _last_position(connection) + 1
            if instead_of is not None:
                old = _row(connection, "position, edits", instead_of.id)
                values["position"] = old["position"]
                if keep_edits:
                    values["edits"] = old["edits"]
                _let_go(connection, [instead_of.id], heir=item.id if keep_edits else None)
            insert(connection, "items", values)
            if signature is not None:
                add_sketch(connection, values["position"], signature)
            _changed(connection)

    def add_new(self, items: Iterable[Item]) -> None:
        """Add items that are not there yet, in their order, in one transaction: each as `add` alone would."""
        with self._begin() as connection:
            last = _last_position(connection)
            rows = [row_of(item) | {"position": last + 1 + at} for at, item in enumerate(items)]
            if rows:
                insert(connection, "items", *rows)
                _changed(connection)

    def saw(self, path: Path, stat: os.stat_result, item_id: str, read_by: str) -> None:
        """Write down that a file holds an item; if the item's own file is gone, this one takes its place."""
        values = {
            "size_bytes": stat.st_size,
            "mtime_ns": stat.st_mtime_ns,
            "item": item_id,
            "read_by": read_by,
        }
        key = os.fsencode(path)
        with self._begin() as connection:
            connection.execute("DELETE FROM files WHERE path = ?", (key,))
            insert(connection, "files", {"path": key, **values})
            _settle(connection, [item_id])
            others = connection.execute("SELECT id FROM items WHERE path = ? AND id <> ?", (key, item_id))
            for (other,) in others.fetchall():  # it lay here before
                if connection.execute("SELECT path FROM files WHERE item = ?", (other,)).fetchone():
                    _settle(connection, [other])
                else:  # one item per path
                    _let_go(connection, [other])
                    _changed(connection)

    def lost(self, paths: Iterable[Path]) -> None:
        """Write down that files are not there any more, or (where they are) no longer hold what they held."""
        gone = [os.fsencode(path) for path in paths]
        replaced = [key for key in gone if path_of(key).exists()]
        with self._begin() as connection:
            owners = [
                connection.execute("SELECT item FROM files WHERE path = ?", (key,)).fetchone() for key in gone
            ]
            connection.executemany(
                "UPDATE files SET size_bytes = -1 WHERE path = ?", [(key,) for key in replaced]
            )
            _settle(connection, sorted({owner["item"] for owner in owners if owner is not None}))

    def other_file(self, item_id: str, than: Path) -> Path | None:
        """Another file that holds the item and is there."""
        rows = self._database.ask(
            "SELECT path FROM files WHERE item = ? AND path <> ?", item_id, os.fsencode(than)
        )
        return next((path for path in (path_of(row["path"]) for row in rows) if path.exists()), None)

    def check(self, ids: Collection[str] | None = None) -> list[str]:
        """Look whether items' files are there and write down what changed; all items, or some.

        Returns:
            Ids of items that went missing or came back.
        """
        some = "" if ids is None else f"AND id IN {ONE_OF}"
        rows = self._database.ask(
            f"SELECT id, path, missing FROM items WHERE {HELD} {some}",
            *([] if ids is None else [listed(ids)]),
        )
        changed = [row["id"] for row in rows if path_of(row["path"]).exists() == row["missing"]]
        if changed:
            with self._begin(quietly=True) as connection:
                _settle(connection, changed)
        return changed

    def missing_ids(self) -> list[str]:
        """Ids of items whose file was not there when it was last looked for."""
        return [row["id"] for row in self._database.ask(f"SELECT id FROM items WHERE missing = 1 AND {HELD}")]

    def retag(self, item_id: str, values: Mapping[str, object]) -> bool:
        """Update what an item's own file says, but not the user's edits; returns whether anything changed."""
        with self._begin() as connection:
            row = _row(connection, "*", item_id)
            wanted = kept(values)
            wanted["tempo_bpm"] = wanted.get("tempo_bpm") or row["measured_bpm"] or row["tempo_bpm"]
            fresh = {name: value for name, value in wanted.items() if row[name] != value}
            if fresh:
                update(connection, item_id, fresh)
                _changed(connection)
        return bool(fresh)

    def hear(self, item_id: str, measured_bpm: float | None, tagged_bpm: float | None) -> None:
        """Write down the measured tempo of a track, which is its tempo unless one is tagged."""
        with self._begin() as connection:
            row = _row(connection, "tempo_bpm, measured_bpm", item_id)
            fresh = {"tempo_bpm": tagged_bpm or measured_bpm, "measured_bpm": measured_bpm}
            if dict(row) != fresh:
                update(connection, item_id, fresh)
                _changed(connection)

    def edit(self, item_id: str, values: Mapping[str, object]) -> None:
        """Lay the user's own words over an item; None takes one back. Raises NotInLibrary."""
        self.item(item_id)
        with self._begin() as connection:
            edits = json.loads(_row(connection, "edits", item_id)["edits"])
            laid = {name: value for name, value in ({**edits, **values}).items() if value is not None}
            update(connection, item_id, {"edits": json.dumps(laid)})
            _changed(connection)

    def revision(self) -> int:
        """A number that grows with every change of the items."""
        return self.listing.revision()

    def touched(self, since: int) -> list[str] | None:
        """Ids of items that were added, changed, removed or let go after a revision; None where that is not known (any
        more): it is too long ago, or of another catalogue."""
        rows = self._database.ask("SELECT DISTINCT item FROM journal WHERE revision > ?", since)
        behind = self.revision() - since  # after the rows, of which the oldest may be forgotten meanwhile
        return [row["item"] for row in rows] if 0 <= behind <= JOURNAL else None

    def signature(self, item_id: str) -> bytes | None:
        """Signature of an item's music."""
        rows = self._database.ask("SELECT signature FROM items WHERE id = ?", item_id)
        return rows[0]["signature"] if rows else None

    def sketches(self, held: Sketches | None = None) -> Sketches:
        """Of all tracks' signatures, made where they are not there yet; `held` were read before."""
        with self._begin() as connection:
            return read_sketches(connection, held)

    def signatures_at(self, positions: npt.NDArray[np.int64]) -> list[tuple[int, str, bytes]]:
        """(position, id, signature) of the tracks at some positions that have one."""
        with self._database.reading() as connection:
            rows = signatures_at(connection, positions)
        return [(row["position"], row["id"], row["signature"]) for row in rows if row["removed_at"] is None]

    def remove(self, ids: list[str]) -> None:
        """Take items out; until `purge` they can be restored.

        Raises:
            NotInLibrary: one of them is not there; nothing is removed.
        """
        for item_id in ids:
            self.item(item_id)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with self._begin() as connection:
            connection.execute(f"UPDATE items SET removed_at = ? WHERE id IN {ONE_OF}", (now, listed(ids)))
            _changed(connection)

    def removed(self) -> list[Item]:
        """Items that can be restored, the last removed first."""
        order = "ORDER BY removed_at DESC, position"
        rows = self._database.ask(f"SELECT {ITEM_COLUMNS} FROM items WHERE removed_at IS NOT NULL {order}")
        return [item_of(row) for row in rows]

    def last_removed(self) -> list[str]:
        """Ids of the items that were removed together last."""
        newest = "SELECT MAX(removed_at) FROM items"
        rows = self._database.ask(f"SELECT id FROM items WHERE removed_at = ({newest}) ORDER BY position")
        return [row["id"] for row in rows]

    def restore(self, ids: Collection[str]) -> None:
        """Bring removed items back. Raises NotInLibrary, and then brings none back."""
        unknown = sorted(set(ids) - {item.id for item in self.removed()})
        if unknown:
            raise NotInLibrary(
                f"{one_line(unknown[0])!r} cannot be brought back: it was not removed, or files have been added since"
            )
        with self._begin() as connection:
            connection.execute(f"UPDATE items SET removed_at = NULL WHERE id IN {ONE_OF}", (listed(ids),))
            _changed(connection)

    def purge(self) -> list[Item]:
        """Let go of removed items for good; returns them."""
        gone = self.removed()
        if gone:
            with self._begin() as connection:
                _let_go(connection, [item.id for item in gone])
                _changed(connection)
        return gone

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def _begin(self, *, quietly: bool = False) -> AbstractContextManager[sqlite3.Connection]:
        """A transaction that writes; of a catalogue that is only read, `quietly` changes the copy in memory."""
        if not (self.writable or quietly):
            assert self.path is not None
            raise only_read(self.path.parent)
        return self._database.writing()


def display_name(path: Path) -> str:
    """A file's name as it can be shown, on one line; bytes that are no Unicode become a replacement character."""
    return one_line(path.name)


def _row(connection: sqlite3.Connection, columns: str, item_id: str) -> sqlite3.Row:
    row: sqlite3.Row = connection.execute(f"SELECT {columns} FROM items WHERE id = ?", (item_id,)).fetchone()
    return row


def _last_position(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT COALESCE(MAX(position), 0) FROM items").fetchone()[0])


def _settle(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Give items a file of their own that is there, or mark them as missing; two queries for any number of items."""
    files: dict[str, list[bytes]] = {}
    query, some = f"SELECT item, path FROM files WHERE item IN {ONE_OF} AND {_HOLDS}", (listed(ids),)
    for row in connection.execute(query, some):
        files.setdefault(row["item"], []).append(row["path"])
    columns = "id, path, missing, path IN (SELECT path FROM files) AS listed"
    changed = False
    for item in connection.execute(f"SELECT {columns} FROM items WHERE id IN {ONE_OF}", some).fetchall():
        own = files.get(item["id"], [] if item["listed"] else [item["path"]])  # a demo item is in no list
        keys = sorted(own, key=lambda key: key != item["path"])  # its present path first
        path = next((key for key in keys if path_of(key).exists()), None)
        wanted = (path is None, path or item["path"])
        if wanted != (item["missing"], item["path"]):
            name = display_name(path_of(wanted[1]))
            update(connection, item["id"], {"missing": wanted[0], "path": wanted[1], "name": name})
            changed = True
    if changed:
        _changed(connection)


def _let_go(connection: sqlite3.Connection, ids: Sequence[str], heir: str | None = None) -> None:
    """Delete items; of the tracks with the music of one of them, the earliest (or `heir`) stands for the rest."""
    some = listed(ids)
    copies = (
        f"SELECT id, same_as FROM items WHERE same_as IN {ONE_OF} AND id NOT IN {ONE_OF} ORDER BY position"
    )
    heads: dict[str, str] = {}
    for row in connection.execute(copies, (some, some)).fetchall():
        head = heir or heads.setdefault(row["same_as"], row["id"])
        update(connection, row["id"], {"same_as": None if head == row["id"] else head})
    connection.execute(f"DELETE FROM files WHERE item IN {ONE_OF}", (some,))
    connection.execute(f"DELETE FROM items WHERE id IN {ONE_OF}", (some,))


def _changed(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE changes SET revision = revision + 1")
    connection.execute("DELETE FROM journal WHERE revision <= (SELECT revision FROM changes) - ?", (JOURNAL,))


def only_read(folder: Path) -> UsageError:
    """What is said of a library that is asked to change."""
    return UsageError(f"the library {folder} cannot be written to; it can only be read")

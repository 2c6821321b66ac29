"""The catalogue: items and the files they were found in, in one SQLite database."""

from __future__ import annotations

import os
import weakref
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from mvr.config.sqlite import may_write
from mvr.datatypes import Modality
from mvr.errors import NotInLibrary, UsageError
from mvr.library.item import Item
from mvr.library.listing import Listing
from mvr.library.rows import HELD, ITEM_COLUMNS, item_of, path_of, row_of
from mvr.library.schema import CHANGES, FILES, ITEMS, METADATA, copy_to_memory, prepare
from mvr.library.sketches import Sketches, add_sketch, read_sketches, signatures_at
from mvr.lines import one_line

_HOLDS = FILES.c.size_bytes >= 0  # a file that holds something else now has -1 until it is read again


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
        if path is not None and self.writable:
            prepare(path)
            self._engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        else:
            shared: dict[str, Any] = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
            if path is not None:
                if not path.exists():
                    raise UsageError(f"a library cannot be kept in {path.parent}: it cannot be written to")
                memory = copy_to_memory(path)
                shared["creator"] = lambda: memory
            self._engine = sa.create_engine("sqlite://", **shared)
        self.listing = Listing(self._engine)
        weakref.finalize(self, self._engine.dispose)  # connections close with the catalogue's last user
        sa.event.listen(self._engine, "connect", _set_pragmas)
        if path is None:
            METADATA.create_all(self._engine)
            with self._engine.begin() as connection:
                connection.execute(sa.insert(CHANGES).values(revision=0))

    def items(self, modality: Modality | None = None) -> list[Item]:
        """All items, or those of one modality, in the order of adding."""
        query = sa.select(*ITEM_COLUMNS).where(HELD).order_by(ITEMS.c.position)
        if modality is not None:
            query = query.where(ITEMS.c.modality == str(modality))
        with self._engine.connect() as connection:
            return [item_of(row) for row in connection.execute(query)]

    def item(self, item_id: str) -> Item:
        """One item.

        Raises:
            NotInLibrary: no such id.
        """
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(*ITEM_COLUMNS).where(ITEMS.c.id == item_id, HELD)).first()
        if row is None:
            raise NotInLibrary(
                f"the library holds no item {one_line(item_id)!r}; `mvr library list` shows what it holds"
            )
        return item_of(row)

    def items_of(self, ids: Collection[str]) -> list[Item]:
        """Those items that are there, see `Listing.of`."""
        return self.listing.of(list(ids))

    def count(self) -> int:
        """How many items there are."""
        return self.listing.count()

    def paths(self) -> list[Path]:
        """Every file that an item was found in; an item's own file first."""
        with self._engine.connect() as connection:
            rows = [
                *connection.execute(sa.select(ITEMS.c.path)),
                *connection.execute(sa.select(FILES.c.path)),
            ]
        return [path_of(key) for key in dict.fromkeys(row.path for row in rows)]

    def of_content(self, content: str) -> Item | None:
        """The item with these bytes, if any."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(*ITEM_COLUMNS).where(ITEMS.c.content == content, HELD)).first()
        return None if row is None else item_of(row)

    def seen(self, path: Path) -> Seen | None:
        """What is known of a file, if it was ever read."""
        query = sa.select(FILES.c.item, FILES.c.size_bytes, FILES.c.mtime_ns, FILES.c.read_by)
        with self._engine.connect() as connection:
            row = connection.execute(query.where(FILES.c.path == os.fsencode(path))).first()
        return None if row is None else Seen(*row)

    def seen_under(self, folder: Path) -> list[Path]:
        """Files in a folder, subfolders included, that were ever read."""
        below = os.fsencode(folder).rstrip(b"/") + b"/"
        query = sa.select(FILES.c.path).where(FILES.c.path > below, FILES.c.path < below[:-1] + b"0")
        with self._engine.connect() as connection:
            return [path_of(row.path) for row in connection.execute(query)]

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
            last = connection.execute(sa.select(sa.func.max(ITEMS.c.position))).scalar()
            values["position"] = (last or 0) + 1
            if instead_of is not None:
                old = connection.execute(sa.select(ITEMS).where(ITEMS.c.id == instead_of.id)).one()
                values["position"] = old.position
                if keep_edits:
                    values["edits"] = old.edits
                _let_go(connection, [instead_of.id], heir=item.id if keep_edits else None)
            connection.execute(sa.insert(ITEMS).values(**values))
            if signature is not None:
                add_sketch(connection, values["position"], signature)
            _changed(connection)

    def add_new(self, items: Iterable[Item]) -> None:
        """Add items that are not there yet, in their order, in one transaction: each as `add` alone would."""
        with self._begin() as connection:
            last = connection.execute(sa.select(sa.func.max(ITEMS.c.position))).scalar() or 0
            rows = [row_of(item) | {"position": last + 1 + at} for at, item in enumerate(items)]
            if rows:
                connection.execute(sa.insert(ITEMS), rows)
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
            connection.execute(sa.delete(FILES).where(FILES.c.path == key))
            connection.execute(sa.insert(FILES).values(path=key, **values))
            _settle(connection, [item_id])
            others = sa.select(ITEMS.c.id).where(ITEMS.c.path == key, ITEMS.c.id != item_id)
            for other in connection.execute(others).scalars().all():  # it lay here before
                if connection.execute(sa.select(FILES.c.path).where(FILES.c.item == other)).first():
                    _settle(connection, [other])
                else:  # one item per path
                    _let_go(connection, [other])
                    _changed(connection)

    def lost(self, paths: Iterable[Path]) -> None:
        """Write down that files are not there any more, or (where they are) no longer hold what they held."""
        gone = [os.fsencode(path) for path in paths]
        replaced = [key for key in gone if path_of(key).exists()]
        with self._begin() as connection:
            query = sa.select(FILES.c.item).where(FILES.c.path.in_(gone)).distinct()
            owners = connection.execute(query).scalars().all()
            connection.execute(sa.update(FILES).where(FILES.c.path.in_(replaced)).values(size_bytes=-1))
            _settle(connection, owners)

    def other_file(self, item_id: str, than: Path) -> Path | None:
        """Another file that holds the item and is there."""
        query = sa.select(FILES.c.path).where(FILES.c.item == item_id, FILES.c.path != os.fsencode(than))
        with self._engine.connect() as connection:
            found = (path_of(row.path) for row in connection.execute(query))
            return next((path for path in found if path.exists()), None)

    def check(self, ids: Collection[str] | None = None) -> list[str]:
        """Look whether items' files are there and write down what changed; all items, or some.

        Returns:
            Ids of items that went missing or came back.
        """
        query = sa.select(ITEMS.c.id, ITEMS.c.path, ITEMS.c.missing).where(HELD)
        if ids is not None:
            query = query.where(ITEMS.c.id.in_(list(ids)))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        changed = [row.id for row in rows if path_of(row.path).exists() == row.missing]
        if changed:
            with self._begin(quietly=True) as connection:
                _settle(connection, changed)
        return changed

    def missing_ids(self) -> list[str]:
        """Ids of items whose file was not there when it was last looked for."""
        with self._engine.connect() as connection:
            return list(connection.execute(sa.select(ITEMS.c.id).where(ITEMS.c.missing, HELD)).scalars())

    def retag(self, item_id: str, values: Mapping[str, object]) -> bool:
        """Update what an item's own file says, but not the user's edits; returns whether anything changed."""
        with self._begin() as connection:
            row = connection.execute(sa.select(ITEMS).where(ITEMS.c.id == item_id)).one()
            wanted = dict(values)
            wanted["tempo_bpm"] = wanted.get("tempo_bpm") or row.measured_bpm or row.tempo_bpm
            fresh = {name: value for name, value in wanted.items() if row._mapping[name] != value}
            if fresh:
                connection.execute(sa.update(ITEMS).where(ITEMS.c.id == item_id).values(**fresh))
                _changed(connection)
        return bool(fresh)

    def edit(self, item_id: str, values: Mapping[str, object]) -> None:
        """Lay the user's own words over an item; None takes one back. Raises NotInLibrary."""
        self.item(item_id)
        with self._begin() as connection:
            edits = connection.execute(sa.select(ITEMS.c.edits).where(ITEMS.c.id == item_id)).scalar_one()
            laid = {name: value for name, value in ({**edits, **values}).items() if value is not None}
            connection.execute(sa.update(ITEMS).where(ITEMS.c.id == item_id).values(edits=laid))
            _changed(connection)

    def revision(self) -> int:
        """A number that grows with every change of the items."""
        return self.listing.revision()

    def signature(self, item_id: str) -> bytes | None:
        """Signature of an item's music."""
        with self._engine.connect() as connection:
            found: bytes | None = connection.execute(
                sa.select(ITEMS.c.signature).where(ITEMS.c.id == item_id)
            ).scalar()
        return found

    def sketches(self, held: Sketches | None = None) -> Sketches:
        """Of all tracks' signatures, made where they are not there yet; `held` were read before."""
        with self._begin() as connection:
            return read_sketches(connection, held)

    def signatures_at(self, positions: npt.NDArray[np.int64]) -> list[tuple[int, str, bytes]]:
        """(position, id, signature) of the tracks at some positions that have one."""
        with self._engine.connect() as connection:
            rows = signatures_at(connection, positions)
        return [(row.position, row.id, row.signature) for row in rows if row.removed_at is None]

    def remove(self, ids: list[str]) -> None:
        """Take items out; until `purge` they can be restored.

        Raises:
            NotInLibrary: one of them is not there; nothing is removed.
        """
        for item_id in ids:
            self.item(item_id)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with self._begin() as connection:
            connection.execute(sa.update(ITEMS).where(ITEMS.c.id.in_(ids)).values(removed_at=now))
            _changed(connection)

    def removed(self) -> list[Item]:
        """Items that can be restored, the last removed first."""
        query = sa.select(*ITEM_COLUMNS).where(~HELD).order_by(ITEMS.c.removed_at.desc(), ITEMS.c.position)
        with self._engine.connect() as connection:
            return [item_of(row) for row in connection.execute(query)]

    def last_removed(self) -> list[str]:
        """Ids of the items that were removed together last."""
        newest = sa.select(sa.func.max(ITEMS.c.removed_at)).scalar_subquery()
        query = sa.select(ITEMS.c.id).where(ITEMS.c.removed_at == newest).order_by(ITEMS.c.position)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def restore(self, ids: Collection[str]) -> None:
        """Bring removed items back. Raises NotInLibrary, and then brings none back."""
        unknown = sorted(set(ids) - {item.id for item in self.removed()})
        if unknown:
            raise NotInLibrary(
                f"{one_line(unknown[0])!r} cannot be brought back: it was not removed, or files have been added since"
            )
        with self._begin() as connection:
            connection.execute(sa.update(ITEMS).where(ITEMS.c.id.in_(list(ids))).values(removed_at=None))
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
        self._engine.dispose()

    def _begin(self, *, quietly: bool = False) -> Any:
        """A transaction that writes; of a catalogue that is only read, `quietly` changes the copy in memory."""
        if not (self.writable or quietly):
            assert self.path is not None
            raise only_read(self.path.parent)
        return self._engine.begin()


def display_name(path: Path) -> str:
    """A file's name as it can be shown, on one line; bytes that are no Unicode become a replacement character."""
    return one_line(path.name)


def _settle(connection: sa.Connection, ids: Collection[str]) -> None:
    """Give items a file of their own that is there, or mark them as missing; two queries for any number of items."""
    files: dict[str, list[bytes]] = {}
    for row in connection.execute(sa.select(FILES.c.item, FILES.c.path).where(FILES.c.item.in_(ids), _HOLDS)):
        files.setdefault(row.item, []).append(row.path)
    taken = sa.select(FILES.c.path)
    query = sa.select(ITEMS.c.id, ITEMS.c.path, ITEMS.c.missing, ITEMS.c.path.in_(taken).label("listed"))
    updates = []
    for item in connection.execute(query.where(ITEMS.c.id.in_(ids))):
        own = files.get(item.id, [] if item.listed else [item.path])  # a demo item's file is in no list
        keys = sorted(own, key=lambda key: key != item.path)  # its present path first
        path = next((key for key in keys if path_of(key).exists()), None)
        wanted = (path is None, path or item.path)
        if wanted != (item.missing, item.path):
            name = display_name(path_of(wanted[1]))
            updates.append({"which": item.id, "missing": wanted[0], "path": wanted[1], "name": name})
    if updates:
        connection.execute(sa.update(ITEMS).where(ITEMS.c.id == sa.bindparam("which")), updates)
        _changed(connection)


def _let_go(connection: sa.Connection, ids: Collection[str], heir: str | None = None) -> None:
    """Delete items; of the tracks with the music of one of them, the earliest (or `heir`) stands for the rest."""
    copies = sa.select(ITEMS.c.id, ITEMS.c.same_as).where(ITEMS.c.same_as.in_(ids), ITEMS.c.id.not_in(ids))
    heads: dict[str, str] = {}
    for row in connection.execute(copies.order_by(ITEMS.c.position)).all():
        head = heir or heads.setdefault(row.same_as, row.id)
        same_as = None if head == row.id else head
        connection.execute(sa.update(ITEMS).where(ITEMS.c.id == row.id).values(same_as=same_as))
    connection.execute(sa.delete(FILES).where(FILES.c.item.in_(ids)))
    connection.execute(sa.delete(ITEMS).where(ITEMS.c.id.in_(ids)))


def _changed(connection: sa.Connection) -> None:
    connection.execute(sa.update(CHANGES).values(revision=CHANGES.c.revision + 1))


def _set_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def only_read(folder: Path) -> UsageError:
    """What is said of a library that is asked to change."""
    return UsageError(f"the library {folder} cannot be written to; it can only be read")

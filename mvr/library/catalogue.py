"""The catalogue: items and the files they were found in, in one SQLite database."""

from __future__ import annotations

import dataclasses
import os
import weakref
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from mvr.datatypes import Modality
from mvr.errors import DataError, NotInLibrary
from mvr.library.item import Item

VERSION = 1

_metadata = sa.MetaData()
_items = sa.Table(
    "items",
    _metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("content", sa.String, nullable=False, unique=True),
    sa.Column("modality", sa.String, nullable=False),
    sa.Column("path", sa.LargeBinary, nullable=False),  # a file name is bytes: not every one is Unicode
    sa.Column("name", sa.String, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("artist", sa.String, nullable=False),
    sa.Column("album", sa.String, nullable=False),
    sa.Column("genre", sa.JSON, nullable=False),
    sa.Column("mood", sa.JSON, nullable=False),
    sa.Column("licence", sa.String, nullable=False),
    sa.Column("credit", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("duration_s", sa.Float, nullable=False),
    sa.Column("tempo_bpm", sa.Float),
    sa.Column("loudness_lufs", sa.Float),
    sa.Column("true_peak_dbtp", sa.Float),
    sa.Column("width_px", sa.Integer),
    sa.Column("height_px", sa.Integer),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("same_as", sa.String),
    sa.Column("added_at", sa.String, nullable=False),
    sa.Column("signature", sa.LargeBinary),
    sa.Column("position", sa.Integer, nullable=False),
)
_files = sa.Table(
    "files",
    _metadata,
    sa.Column("path", sa.LargeBinary, primary_key=True),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("mtime_ns", sa.Integer, nullable=False),
    sa.Column("item", sa.String, sa.ForeignKey("items.id", ondelete="CASCADE"), nullable=False),
)
_changes = sa.Table("changes", _metadata, sa.Column("revision", sa.Integer, primary_key=True))
_KEPT = ("signature", "position")


class Catalogue:
    """Items in the order of adding.

    Args:
        path: the SQLite file, made when missing; None keeps everything in memory.

    Raises:
        DataError: a file that a newer version wrote, or no SQLite database.
    """

    def __init__(self, path: Path | None) -> None:
        if path is None:
            self._engine = sa.create_engine(
                "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
            )
        else:
            self._engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        weakref.finalize(self, self._engine.dispose)  # connections close with the catalogue's last user
        sa.event.listen(self._engine, "connect", _set_pragmas)
        try:
            with self._engine.begin() as connection:
                _migrate(connection, path)
        except sa.exc.DatabaseError as error:
            raise DataError(f"{path} cannot be read as a library's catalogue: {error.orig}") from error

    def items(self, modality: Modality | None = None) -> list[Item]:
        """All items, or those of one modality, in the order of adding."""
        query = sa.select(_items).order_by(_items.c.position)
        if modality is not None:
            query = query.where(_items.c.modality == str(modality))
        with self._engine.connect() as connection:
            return [_item(row) for row in connection.execute(query)]

    def item(self, item_id: str) -> Item:
        """One item.

        Raises:
            NotInLibrary: no such id.
        """
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_items).where(_items.c.id == item_id)).first()
        if row is None:
            raise NotInLibrary(
                f"the library holds no item {item_id!r}; `mvr library list` shows what it holds"
            )
        return _item(row)

    def paths(self) -> list[Path]:
        """Every file that an item was found in; an item's own file first."""
        with self._engine.connect() as connection:
            rows = [
                *connection.execute(sa.select(_items.c.path)),
                *connection.execute(sa.select(_files.c.path)),
            ]
        return [Path(os.fsdecode(path)) for path in dict.fromkeys(row.path for row in rows)]

    def of_content(self, content: str) -> Item | None:
        """The item with these bytes, if any."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_items).where(_items.c.content == content)).first()
        return None if row is None else _item(row)

    def of_file(self, path: Path, size_bytes: int, mtime_ns: int) -> str | None:
        """Id of the item that this file held when it was last read, if it is unchanged since."""
        query = sa.select(_files.c.item).where(
            _files.c.path == os.fsencode(path),
            _files.c.size_bytes == size_bytes,
            _files.c.mtime_ns == mtime_ns,
        )
        with self._engine.connect() as connection:
            found: str | None = connection.execute(query).scalar()
        return found

    def add(self, item: Item, signature: bytes | None = None) -> None:
        """Add an item that is not there yet."""
        values = _row(item) | {"signature": signature}
        with self._engine.begin() as connection:
            last = connection.execute(sa.select(sa.func.max(_items.c.position))).scalar()
            connection.execute(sa.insert(_items).values(**values, position=(last or 0) + 1))
            _changed(connection)

    def saw(self, path: Path, stat: os.stat_result, item_id: str) -> None:
        """Write down that a file holds an item; if the item's own file is gone, this one takes its place."""
        values = {"size_bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns, "item": item_id}
        key = os.fsencode(path)
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_files).where(_files.c.path == key))
            connection.execute(sa.insert(_files).values(path=key, **values))
            known = connection.execute(sa.select(_items.c.path).where(_items.c.id == item_id)).scalar_one()
            if known != key and not Path(os.fsdecode(known)).exists():
                moved = {"path": key, "name": display_name(path)}
                connection.execute(sa.update(_items).where(_items.c.id == item_id).values(**moved))
                _changed(connection)

    def revision(self) -> int:
        """A number that grows with every change of the items."""
        with self._engine.connect() as connection:
            return int(connection.execute(sa.select(_changes.c.revision)).scalar_one())

    def signatures(self) -> list[tuple[str, bytes]]:
        """(id, signature) of the tracks that have one, in the order of adding."""
        query = sa.select(_items.c.id, _items.c.signature).where(_items.c.signature.is_not(None))
        with self._engine.connect() as connection:
            return [(row.id, row.signature) for row in connection.execute(query.order_by(_items.c.position))]

    def remove(self, ids: list[str]) -> None:
        """Remove items and what is known of their files.

        Raises:
            NotInLibrary: one of them is not there; nothing is removed.
        """
        for item_id in ids:
            self.item(item_id)
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_files).where(_files.c.item.in_(ids)))
            connection.execute(sa.update(_items).where(_items.c.same_as.in_(ids)).values(same_as=None))
            connection.execute(sa.delete(_items).where(_items.c.id.in_(ids)))
            _changed(connection)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def display_name(path: Path) -> str:
    """A file's name as it can be shown: bytes that are no Unicode become a replacement character."""
    return path.name.encode("utf-8", "replace").decode()


def _row(item: Item) -> dict[str, object]:
    values = {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}
    lists = {"genre": list(item.genre), "mood": list(item.mood)}
    return values | lists | {"path": os.fsencode(item.path), "modality": str(item.modality)}


def _item(row: sa.Row[tuple[object, ...]]) -> Item:
    values = {key: value for key, value in row._mapping.items() if key not in _KEPT}
    lists = {"genre": tuple(values["genre"]), "mood": tuple(values["mood"])}
    path = Path(os.fsdecode(values["path"]))
    return Item(**values | lists | {"path": path, "modality": Modality(values["modality"])})


def _changed(connection: sa.Connection) -> None:
    connection.execute(sa.update(_changes).values(revision=_changes.c.revision + 1))


def _set_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(connection: sa.Connection, path: Path | None) -> None:
    version = connection.execute(sa.text("PRAGMA user_version")).scalar_one()
    if version > VERSION:
        raise DataError(f"{path} was written by a newer version of mvr (format {version}); update mvr")
    _metadata.create_all(connection)
    if connection.execute(sa.select(sa.func.count()).select_from(_changes)).scalar_one() == 0:
        connection.execute(sa.insert(_changes).values(revision=0))
    connection.execute(sa.text(f"PRAGMA user_version = {VERSION}"))

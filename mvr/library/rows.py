"""Items as rows of the catalogue's tables."""

from __future__ import annotations

import dataclasses
import json
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mvr.datatypes import Modality
from mvr.library.item import Item

HELD = "removed_at IS NULL"
LISTS = ("genre", "mood")
_NAMES = tuple(field.name for field in dataclasses.fields(Item))
ITEM_COLUMNS = ", ".join((*_NAMES, "edits"))  # what `item_of` reads: signatures are large


def path_of(key: bytes) -> Path:
    """A path as it is kept."""
    return Path(os.fsdecode(key))


def row_of(item: Item) -> dict[str, object]:
    """What is kept of an item."""
    values = {name: getattr(item, name) for name in _NAMES}
    return kept(values | {"path": os.fsencode(item.path), "modality": str(item.modality)})


def kept(values: Mapping[str, Any]) -> dict[str, object]:
    """Values of columns as they are kept: lists as JSON."""
    return {**values, **{name: json.dumps(list(values[name])) for name in LISTS if name in values}}


def laid(row: sqlite3.Row) -> dict[str, Any]:
    """The columns of a row with the user's own words laid over what its file says."""
    values = dict(zip(row.keys(), row, strict=True))
    lists = {name: json.loads(values[name]) for name in LISTS}
    edits: dict[str, Any] = json.loads(values.pop("edits"))
    return values | lists | edits


def item_of(row: sqlite3.Row) -> Item:
    """An item as `laid` has it, from a row of `ITEM_COLUMNS`, or of them and its position."""
    values = laid(row)
    values.pop("position", None)
    read = {name: tuple(values[name]) for name in LISTS} | {"missing": bool(values["missing"])}
    return Item(**values | read | {"path": path_of(values["path"]), "modality": Modality(values["modality"])})


def insert(connection: sqlite3.Connection, table: str, *rows: Mapping[str, object]) -> None:
    """Add rows that have the same columns to a table."""
    names = rows[0].keys() if rows else ()
    marked = ", ".join(f":{name}" for name in names)
    connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marked})", rows)


def update(connection: sqlite3.Connection, item_id: str, values: Mapping[str, object]) -> None:
    """Change columns of one item."""
    changes = ", ".join(f"{name} = :{name}" for name in values)
    connection.execute(f"UPDATE items SET {changes} WHERE id = :which", {**values, "which": item_id})

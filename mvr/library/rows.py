"""Items as rows of the catalogue's tables."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from mvr.datatypes import Modality
from mvr.library.item import Item
from mvr.library.schema import ITEMS

HELD = ITEMS.c.removed_at.is_(None)
_NOT_ITEMS = frozenset({"signature", "position", "measured_bpm", "edits", "removed_at"})  # columns of our own


def path_of(key: bytes) -> Path:
    """A path as it is kept."""
    return Path(os.fsdecode(key))


def row_of(item: Item) -> dict[str, object]:
    """What is kept of an item."""
    values = {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}
    lists = {"genre": list(item.genre), "mood": list(item.mood)}
    return values | lists | {"path": os.fsencode(item.path), "modality": str(item.modality)}


def item_of(row: sa.Row[Any]) -> Item:
    """An item with the user's own words laid over what its file says."""
    values = {key: value for key, value in row._mapping.items() if key not in _NOT_ITEMS} | row.edits
    lists = {"genre": tuple(values["genre"]), "mood": tuple(values["mood"])}
    return Item(
        **values | lists | {"path": path_of(values["path"]), "modality": Modality(values["modality"])}
    )

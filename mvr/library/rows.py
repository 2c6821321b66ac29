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
_NAMES = tuple(field.name for field in dataclasses.fields(Item))
ITEM_COLUMNS = (
    *(ITEMS.c[name] for name in _NAMES),
    ITEMS.c.edits,
)  # what `item_of` reads: signatures are large


def path_of(key: bytes) -> Path:
    """A path as it is kept."""
    return Path(os.fsdecode(key))


def row_of(item: Item) -> dict[str, object]:
    """What is kept of an item."""
    values = {name: getattr(item, name) for name in _NAMES}
    lists = {"genre": list(item.genre), "mood": list(item.mood)}
    return values | lists | {"path": os.fsencode(item.path), "modality": str(item.modality)}


def item_of(row: sa.Row[Any]) -> Item:
    """An item with the user's own words laid over what its file says, from a row of `ITEM_COLUMNS`."""
    values = dict(zip(_NAMES, row[:-1], strict=True)) | row.edits
    lists = {"genre": tuple(values["genre"]), "mood": tuple(values["mood"])}
    return Item(
        **values | lists | {"path": path_of(values["path"]), "modality": Modality(values["modality"])}
    )

"""Items and rows as lines of tables, and a row's score as an expression: the same in every SQL database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from mvr.datatypes import FloatArray
from mvr.index.mixture import CANCELLED, gram
from mvr.index.remote.place import StoredItem

Line = tuple[Any, ...]  # position, number, start_s, end_s, facts, vector (B * D,), then `gram_columns`
ItemLine = tuple[str, int, str, str, list[str], list[str], str, bool, float | None, float | None, str]


def gram_columns(branches: int) -> list[tuple[str, tuple[int, int]]]:
    """The columns that hold inner products between a row's branches, each with its two branches."""
    return [(f"g{b}_{c}", (b, c)) for b in range(branches) for c in range(b, branches)]


def score_of(product: str, weights: FloatArray) -> str:
    """A row's score as an expression: its inner product over the length of its mixture, 0 where that cancelled out."""
    wide = weights.astype(np.float64)
    factors = [
        (name, (1 if b == c else 2) * wide[b] * wide[c]) for name, (b, c) in gram_columns(len(weights))
    ]
    square = " + ".join(
        f"{factor!r} * r.{name}" for name, factor in ((n, float(f)) for n, f in factors) if factor
    )
    return f"CASE WHEN {square} > {CANCELLED**2!r} THEN ({product}) / sqrt({square}) ELSE 0 END"


def item_line(position: int, item: StoredItem) -> ItemLine:
    """An item as a line of its table."""
    return (
        item.id,
        position,
        item.content,
        json.dumps(item.document, allow_nan=False),
        [word.casefold() for word in item.genre],
        [word.casefold() for word in item.mood],
        item.licence,
        item.commercial,
        item.duration_s,
        item.tempo_bpm,
        item.origin,
    )


def row_lines(position: int, item: StoredItem, vectors: FloatArray) -> Iterator[Line]:
    """An item's rows: position, number, start, end, facts as JSON, vector (B * D,), inner products."""
    for number, (times, row) in enumerate(zip(item.times, vectors, strict=True)):
        facts = json.dumps(dict(item.facts[number]) if item.facts else {}, allow_nan=False)
        matrix = gram(row[None])[0]
        grams = tuple(float(matrix[at]) for _, at in gram_columns(len(row)))
        yield (position, number, float(times[0]), float(times[1]), facts, row.ravel(), *grams)

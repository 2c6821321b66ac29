"""Rows of a results file from outside: the JSON or CSV that `python -m eval.retrieval` writes, checked field by
field."""

from __future__ import annotations

import csv
import io
import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from mvr.datatypes import Direction, JsonDict
from mvr.errors import DataError

MOST_ROWS = 5000
MOST_BYTES = 4 << 20
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Depth = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}$")]
Shares = Annotated[dict[Depth, Share], Field(max_length=50)]
Rank = Annotated[float, Field(ge=1, allow_inf_nan=False)]


class _Row(BaseModel):
    """One row; fields beyond the contract are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    system: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    alpha: Share | None = None
    direction: Direction
    task: Annotated[str, StringConstraints(pattern=r"^(pair|label:[^\x00-\x1f]{1,60})$")]
    pool: Annotated[int, Field(ge=1, le=100_000_000)]
    recall: Shares
    precision: Shares
    median_rank: Rank
    mrr: Share
    intervals: Annotated[dict[str, tuple[float, float]], Field(max_length=100)] = Field(default_factory=dict)


def read_rows(content: bytes, name: str) -> list[JsonDict]:
    """Rows of a results file; JSON or CSV is told by the first character.

    Raises:
        DataError: too large, neither JSON nor CSV, or a row that is not of the documented form; says which.
    """
    if len(content) > MOST_BYTES:
        raise DataError(f"{name} has {len(content)} bytes; a results file may have at most {MOST_BYTES}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not text in UTF-8: {error}") from error
    found = _json_rows(text, name) if text.lstrip().startswith(("{", "[")) else _csv_rows(text, name)
    if not found or len(found) > MOST_ROWS:
        raise DataError(f"{name} holds {len(found)} rows; it must hold 1 to {MOST_ROWS}")
    return [_checked(row, number, name) for number, row in enumerate(found, start=1)]


def _checked(row: Any, number: int, name: str) -> JsonDict:
    try:
        checked = _Row.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the row"
        raise DataError(f"{name}, row {number}: {place}: {first['msg']}") from error
    return {**checked.model_dump(), "direction": str(checked.direction)}


def _json_rows(text: str, name: str) -> list[Any]:
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is not a results.json: {error}") from error
    rows = document.get("rows") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise DataError(f"{name} is not a results.json: it has no list 'rows'")
    return rows


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not a number of JSON")


def _csv_rows(text: str, name: str) -> list[JsonDict]:
    """Dotted columns ("recall.10", "intervals.mrr.low") become nested values; empty cells are absent."""
    try:
        lines = list(csv.DictReader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise DataError(f"{name} is not a results.csv: {error}") from error
    if lines and ("system" not in lines[0] or None in lines[0]):
        raise DataError(
            f"{name} is not a results.csv: its first line must name the columns, system among them"
        )
    return [_unflattened(line) for line in lines[: MOST_ROWS + 1]]


def _unflattened(line: dict[str, str]) -> JsonDict:
    row: JsonDict = {"recall": {}, "precision": {}, "intervals": {}}
    for name, cell in line.items():
        if not isinstance(cell, str) or cell == "" or not isinstance(name, str):
            continue
        part, _, key = name.partition(".")
        if part == "intervals":
            metric, _, end = key.rpartition(".")
            row["intervals"].setdefault(metric, [cell, cell])[end == "high"] = cell
        elif part in ("recall", "precision"):
            row[part][key] = cell
        elif not key:
            row[name] = cell
    return row

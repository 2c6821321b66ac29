"""What every row has in common, and the words that votes are made of."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from mvr.errors import DataError


class Outcome(StrEnum):
    """What a voter may say of a battle. `both_bad` is not a tie: it says that neither fits."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"
    BOTH_BAD = "both_bad"
    SKIP = "skip"


class BattleKind(StrEnum):
    """Why a battle was drawn. Only `regular` battles enter the leaderboard."""

    REGULAR = "regular"
    GOLD = "gold"  # a planted mismatch: `gold_answer` is the side that an attentive voter prefers
    REPEAT = "repeat"  # an earlier battle with its sides swapped
    IDENTICAL = "identical"  # both systems gave the same music: written down, never shown


class Aspect(StrEnum):
    """What is compared: how well it fits the other half, or how good it is by itself."""

    FIT = "fit"
    QUALITY = "quality"


ADDED = {"sequence": 0, "group_label": None, "recognised": 0}
"""Columns that schema 2 added, with what a row of schema 1 holds in them until it is numbered."""


def hashed(row: dict[str, Any]) -> dict[str, Any]:
    """The columns of a row that its hash is over: those of the schema that it was stored under."""
    if row.get("schema_version") != 1:
        return row
    return {name: value for name, value in row.items() if name not in ADDED}


@dataclass(frozen=True, kw_only=True)
class Record:
    """Base of all rows: `table` names the table, `key` its primary key."""

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    choices: ClassVar[dict[str, tuple[str, ...]]] = {}

    def __post_init__(self) -> None:
        for name, allowed in self.choices.items():
            if getattr(self, name) not in allowed:
                raise DataError(
                    f"{self.table}.{name} is {getattr(self, name)!r}; choose from {', '.join(allowed)}"
                )
        for name, value in vars(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise DataError(f"{self.table}.{name} is {value}, not a finite number")

    def to_row(self) -> dict[str, Any]:
        """One flat dictionary, as the table holds it."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Any:
        """The record of one flat dictionary; an unknown or a missing column is an error."""
        names = {f.name for f in dataclasses.fields(cls)}
        if set(row) != names:
            odd = sorted(set(row) ^ names)[0]
            raise DataError(f"a row of {cls.table} has the wrong columns: {odd!r} is unknown or missing")
        return cls(**row)

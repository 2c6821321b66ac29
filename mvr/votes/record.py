"""What every row has in common, and the words that votes are made of."""

from __future__ import annotations

import dataclasses
import math
import re
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


_PLAIN = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,63}")
_WRITTEN_OUT = "hex:"  # no plain word has a colon


def neutral_session(session_id: str) -> str:
    """A session id of schema 1, whatever a client sent, as a word that every database and table takes.

    A plain word stays as it is, everything else is written out: PostgreSQL has no NUL, spreadsheets have formulas.

    >>> neutral_session("5f3a"), neutral_session("=A1"), neutral_session("a\\0")
    ('5f3a', 'hex:3d4131', 'hex:6100')
    """
    return session_id if _PLAIN.fullmatch(session_id) else _WRITTEN_OUT + session_id.encode().hex()


def _sent_session(session_id: str) -> str:
    return (
        bytes.fromhex(session_id.removeprefix(_WRITTEN_OUT)).decode()
        if session_id.startswith(_WRITTEN_OUT)
        else session_id
    )


def hashed(row: dict[str, Any]) -> dict[str, Any]:
    """What the hash of a row is over: columns and session id of the schema that it was stored under."""
    if row.get("schema_version") != 1:
        return row
    old = {name: value for name, value in row.items() if name not in ADDED}
    if "session_id" in old:
        old["session_id"] = _sent_session(old["session_id"])
    return old


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

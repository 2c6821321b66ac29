"""What may leave the house: the same votes, but nobody can be followed from one release to the next.

Voters and all row ids get new names under a key that is thrown away with the release, times are rounded to the hour,
sessions and the hash chain go, and only the flags in force are kept. The leaderboard of a published file is the same:
labels of votes that came together get new names, too.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from mvr.votes.formats.tables import Row, Tables
from mvr.votes.records import JUDGED_ONCE

HOUR_MS = 3_600_000
IDS = (
    "battle_id",
    "vote_id",
    "judgment_id",
    "flag_id",
    "consent_id",
    "undoes",
    "repeat_of",
    "voter_id",
    "target_id",
    "group_label",
)


def publishable(tables: Tables, key: bytes | None = None) -> Tables:
    """Rows as they may be published; a fresh random key unless one is given (tests)."""
    secret = key or secrets.token_bytes(32)
    kept = dict(tables)
    kept["flag"] = _newest(tables["flag"], ("target_kind", "target_id", "rule_id"))
    kept["judgment"] = _newest(tables["judgment"], JUDGED_ONCE)
    kept["participant"] = []  # numbers of study participants are known to whoever ran the study
    published = {name: [_renamed(row, secret) for row in rows] for name, rows in kept.items()}
    for name, rows in published.items():
        rows.sort(key=lambda row: tuple(str(value) for value in row.values()))
        published[name] = rows
    return published


def _newest(rows: list[Row], columns: tuple[str, ...]) -> list[Row]:
    """The last row for each value of some columns: fewer rows say less."""
    by_number = sorted(rows, key=lambda row: int(row["sequence"]))
    found = {tuple(row[column] for column in columns): row for row in by_number}
    return list(found.values())


def _renamed(row: Mapping[str, Any], secret: bytes) -> Row:
    out = dict(row)
    for name in IDS:
        if out.get(name) is not None:
            out[name] = hmac.new(secret, str(out[name]).encode(), hashlib.sha256).hexdigest()[:32]
    for name in ("session_id", "prev_hash"):
        if name in out:
            out[name] = ""
    if "created_at_ms" in out:
        out["created_at_ms"] -= out["created_at_ms"] % HOUR_MS
    return out

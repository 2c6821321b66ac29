"""What of a vote store enters a leaderboard."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mvr.config.settings import canonical_json
from mvr.votes import schema
from mvr.votes.record import hashed
from mvr.votes.records import (
    JUDGED_ONCE,
    Aspect,
    Battle,
    BattleKind,
    Judgment,
    Outcome,
    PoolItem,
    Vote,
    competitor_name,
)
from mvr.votes.store import WITHDRAWN, VoteStore, select

Row = Mapping[str, Any]
MIRROR = {Outcome.LEFT: Outcome.RIGHT, Outcome.RIGHT: Outcome.LEFT}
HASHED = ("battle", "consent", "flag", "judgment", "pool_item", "vote")


@dataclass(frozen=True, kw_only=True)
class Check:
    """A voter's answer to a planted mismatch."""

    voter_id: str
    passed: bool


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """A voter's answers to one battle and to the same with its sides swapped (second answer swapped back)."""

    voter_id: str
    first: str
    second: str


@dataclass(frozen=True, kw_only=True)
class BoardInput:
    """Everything that a board is computed from.

    Attributes:
        counted: rows of the view of votes that count, by vote id; `left` and `right` name the competitors.
        tallies: rows per table, and why votes do not count.
        sha256: over all rows but those of withdrawn voters, which no export holds, in the order of their keys.
    """

    counted: Sequence[Row]
    checks: Sequence[Check]
    repeats: Sequence[Repeat]
    judgments: Sequence[Judgment]
    pool: Sequence[PoolItem]
    tallies: Mapping[str, int]
    sha256: str


def read_input(store: VoteStore, aspect: str = Aspect.FIT) -> BoardInput:
    """Read it all in one transaction, so that votes that arrive meanwhile do not tear it."""
    return store.read(lambda connection: _read(connection, aspect))


def _read(connection: sa.Connection, aspect: str) -> BoardInput:
    view = sa.text(f"SELECT * FROM {schema.COUNTED_VOTE} WHERE aspect = :aspect")  # noqa: S608
    found = [dict(row) for row in connection.execute(view, {"aspect": aspect}).mappings()]
    counted = name_competitors(
        sorted(found, key=lambda row: str(row["vote_id"]))
    )  # servers sort by their locale
    forgotten = _forgotten(connection)
    votes = [
        vote for vote in select(connection, Vote) if vote.aspect == aspect and vote.voter_id not in forgotten
    ]
    undone = {vote.undoes for vote in votes}
    standing = {vote.battle_id: vote for vote in votes if vote.kind == "vote" and vote.vote_id not in undone}
    gone = _withdrawn(connection)
    battles = {
        battle.battle_id: battle for battle in select(connection, Battle) if battle.voter_id not in forgotten
    }
    return BoardInput(
        counted=counted,
        checks=_checks(battles, standing, gone),
        repeats=_repeats(battles, standing, gone),
        judgments=_judgments(connection, gone),
        pool=select(connection, PoolItem),
        tallies=_tallies(votes, standing, battles, len(counted)),
        sha256=_hash(connection, forgotten),
    )


def name_competitors(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add `left` and `right`: system and alpha, and its version where votes of several versions are mixed."""
    versions: dict[str, set[str]] = {}
    for row in rows:
        for side in ("left", "right"):
            name = competitor_name(row[f"{side}_system_id"], row[f"{side}_alpha"])
            versions.setdefault(name, set()).add(row[f"{side}_system_version"])
            row[side] = name
    for row in rows:
        for side in ("left", "right"):
            if len(versions[row[side]]) > 1:  # a new version is a new system: its votes are not pooled
                row[f"{side}_named"] = f"{row[side]} #{row[f'{side}_system_version'][:8]}"
    return [row | {side: row.get(f"{side}_named", row[side]) for side in ("left", "right")} for row in rows]


def _checks(battles: Mapping[str, Battle], standing: Mapping[str, Vote], gone: set[str]) -> list[Check]:
    return [
        Check(voter_id=vote.voter_id, passed=vote.outcome == battles[key].gold_answer)
        for key, vote in sorted(standing.items())
        if battles[key].kind == BattleKind.GOLD and vote.outcome != Outcome.SKIP and vote.voter_id not in gone
    ]


def _repeats(battles: Mapping[str, Battle], standing: Mapping[str, Vote], gone: set[str]) -> list[Repeat]:
    found = []
    for key, vote in sorted(standing.items()):
        first = standing.get(battles[key].repeat_of or "")
        if battles[key].kind != BattleKind.REPEAT or first is None or vote.voter_id in gone:
            continue
        if Outcome.SKIP not in (vote.outcome, first.outcome):
            second = str(MIRROR.get(Outcome(vote.outcome), Outcome(vote.outcome)))
            found.append(Repeat(voter_id=vote.voter_id, first=first.outcome, second=second))
    return found


def _judgments(connection: sa.Connection, gone: set[str]) -> list[Judgment]:
    """The newest judgment of each voter on each item of each pool, without excluded voters and judgments."""
    flagged = _excluded(connection, "judgment")
    newest: dict[tuple[str, ...], Judgment] = {}
    for judgment in sorted(select(connection, Judgment), key=lambda judgment: judgment.sequence):
        if judgment.voter_id not in gone and judgment.judgment_id not in flagged:
            newest[tuple(getattr(judgment, name) for name in JUDGED_ONCE)] = judgment
    return [newest[key] for key in sorted(newest)]


def _excluded(connection: sa.Connection, kind: str) -> set[str]:
    query = sa.text(f"SELECT target_id FROM {schema.EXCLUDED} WHERE target_kind = :kind")  # noqa: S608
    return {str(row[0]) for row in connection.execute(query, {"kind": kind})}


def _withdrawn(connection: sa.Connection) -> set[str]:
    return _excluded(connection, "voter")


def _tallies(
    votes: Sequence[Vote], standing: Mapping[str, Vote], battles: Mapping[str, Battle], counted: int
) -> dict[str, int]:
    regular = [vote for key, vote in standing.items() if battles[key].kind == BattleKind.REGULAR]
    skipped = sum(vote.outcome == Outcome.SKIP for vote in regular)
    return {
        "battles shown": sum(battle.kind != BattleKind.IDENTICAL for battle in battles.values()),
        "battles with identical music, not shown": sum(
            battle.kind == BattleKind.IDENTICAL for battle in battles.values()
        ),
        "votes cast": sum(vote.kind == "vote" for vote in votes),
        "votes taken back": sum(vote.kind == "undo" for vote in votes),
        "votes on checks and repeats": len(standing) - len(regular),
        "votes skipped": skipped,
        "votes set aside by flags, consent or listening time": len(regular) - skipped - counted,
        "votes that count": counted,
    }


def _forgotten(connection: sa.Connection) -> set[str]:
    """Voters who withdrew: their rows are tombstones here and in no export."""
    flag = schema.FLAG.c
    query = sa.select(flag.target_id).where(flag.target_kind == "voter", flag.rule_id == WITHDRAWN)
    return {str(row[0]) for row in connection.execute(query)}


def _hash(connection: sa.Connection, forgotten: set[str]) -> str:
    """SHA-256 over the rows of the tables that enter, as canonical JSON in the order of their keys."""
    digest = hashlib.sha256()
    for name in HASHED:
        table = schema.METADATA.tables[name]
        keys = [column.name for column in table.primary_key.columns]
        rows = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
        for row in sorted(rows, key=lambda row: [row[key] for key in keys]):
            if row.get("voter_id") not in forgotten:
                digest.update(f"{name} {canonical_json(hashed(row))}\n".encode())
    return digest.hexdigest()

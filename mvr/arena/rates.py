"""How fast somebody may vote. Votes above the caps are stored and set aside by a flag; nobody is locked
out."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from mvr.votes import schema
from mvr.votes.records import Flag, Vote

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


@dataclass(frozen=True, kw_only=True)
class RateSettings:
    """Votes per voter that count; a human who plays both sides for five seconds stays below."""

    per_minute: int = 12
    per_day: int = 200


def rate_flags(connection: sa.Connection, vote: Vote, settings: RateSettings) -> list[Flag]:
    """Flags on `vote` (not yet stored) if its voter is faster than the caps, inside the caller's
    transaction."""
    minute, day = votes_since(connection, vote.voter_id, vote.created_at_ms)
    over = [("rate-minute", minute >= settings.per_minute), ("rate-day", day >= settings.per_day)]
    return [Flag(target_kind="vote", target_id=vote.vote_id, rule_id=rule) for rule, broken in over if broken]


def votes_since(connection: sa.Connection, voter_id: str, now_ms: int) -> tuple[int, int]:
    """How many votes (undone ones too) a voter cast in the last minute and in the last day."""
    column = schema.VOTE.c
    recent = sa.case((column.created_at_ms > now_ms - MINUTE_MS, 1), else_=0)
    query = sa.select(sa.func.coalesce(sa.func.sum(recent), 0), sa.func.count()).where(
        column.voter_id == voter_id,
        column.kind == "vote",
        column.aspect == "fit",
        column.created_at_ms > now_ms - DAY_MS,
    )
    minute, day = connection.execute(query).one()
    return int(minute), int(day)

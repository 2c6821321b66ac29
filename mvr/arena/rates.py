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
    flags = []
    for rule, span_ms, cap in (
        ("rate-minute", MINUTE_MS, settings.per_minute),
        ("rate-day", DAY_MS, settings.per_day),
    ):
        if votes_since(connection, vote.voter_id, vote.created_at_ms - span_ms) >= cap:
            flags.append(Flag(target_kind="vote", target_id=vote.vote_id, rule_id=rule))
    return flags


def votes_since(connection: sa.Connection, voter_id: str, since_ms: int) -> int:
    """How many votes (undone ones too) a voter cast since a moment."""
    column = schema.VOTE.c
    query = sa.select(sa.func.count()).where(
        column.voter_id == voter_id,
        column.kind == "vote",
        column.aspect == "fit",
        column.created_at_ms > since_ms,
    )
    return int(connection.execute(query).scalar_one())

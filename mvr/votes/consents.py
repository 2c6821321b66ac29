"""Whether a voter agreed to a text: their newest decision, in the order in which the store took them."""

from __future__ import annotations

import sqlalchemy as sa

from mvr.votes.records import Consent, Flag
from mvr.votes.store import FORGOTTEN, WITHDRAWN, select


def is_given(connection: sa.Connection, voter_id: str, version: str) -> bool:
    """Whether the newest decision on this version is "given" and nothing was withdrawn since, in this transaction."""
    decisions = select(connection, Consent, voter_id=voter_id, version=(version, FORGOTTEN))
    newest = max(decisions, key=lambda decision: decision.sequence, default=None)
    return newest is not None and newest.decision == "given"


def is_withdrawn(connection: sa.Connection, voter_id: str) -> bool:
    """Whether this voter said "forget me": none of their rows counts any more, later ones neither."""
    flags = select(connection, Flag, target_kind="voter", target_id=voter_id, rule_id=WITHDRAWN)
    return any(flag.verdict == "exclude" for flag in flags)

"""Whether a voter agreed to a text: their newest decision, in the order in which the store took them."""

from __future__ import annotations

import sqlalchemy as sa

from mvr.votes.records import Consent
from mvr.votes.store import FORGOTTEN, select


def is_given(connection: sa.Connection, voter_id: str, version: str) -> bool:
    """Whether the newest decision on this version is "given" and nothing was withdrawn since, in this transaction."""
    decisions = select(connection, Consent, voter_id=voter_id, version=(version, FORGOTTEN))
    newest = max(decisions, key=lambda decision: decision.sequence, default=None)
    return newest is not None and newest.decision == "given"

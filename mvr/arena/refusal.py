"""Refusals: the visitor reads one neutral sentence, the server's log reads why.

A forger must not learn which of the rules stopped a vote, so all of them sound alike.
"""

from __future__ import annotations

from enum import StrEnum

from mvr.errors import VoteRefused

NEUTRAL = "this vote was not counted because its battle is closed; please go on to the next one"


class Reason(StrEnum):
    """Why a vote, an undo or a reveal was refused."""

    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"
    FOREIGN = "foreign"
    EARLY = "too early"
    NO_CONSENT = "no consent"
    REVEALED = "revealed"
    NOT_VOTED = "not voted"
    LATE_UNDO = "too late to undo"
    EXHAUSTED = "nothing left to show"


class Refused(VoteRefused):
    """`str()` is the sentence for the visitor, `reason` is for logs and tests."""

    def __init__(self, reason: Reason, sentence: str = NEUTRAL) -> None:
        super().__init__(sentence)
        self.reason = reason

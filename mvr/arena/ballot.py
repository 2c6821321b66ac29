"""What a browser may say with a vote, and what the arena hands back."""

from __future__ import annotations

import json
from dataclasses import dataclass

from mvr.errors import UsageError
from mvr.votes.records import Aspect, Battle, Outcome, Vote

REASONS = ("tempo", "mood", "energy", "genre", "scene", "rhythm", "lyrics", "sound quality")


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """A vote as the browser states it. Times are the browser's word: the server holds them against its own
    clock.

    Attributes:
        listen_left_ms, listen_right_ms: played (not skipped) time of each side.
        account: "anonymous", "login" or "study".
        reasons: tags out of `REASONS`; free text is not taken.
        recognised: the voter knew a side.
        group_label: of the network address the vote came from, see `Vote`; the server's own, never the browser's word.
    """

    outcome: str
    consent_version: str
    session_id: str
    aspect: str = Aspect.FIT
    account: str = "anonymous"
    confidence: int | None = None
    listen_left_ms: int = 0
    listen_right_ms: int = 0
    video_ms: int = 0
    switches: int = 0
    reasons: tuple[str, ...] = ()
    recognised: bool = False
    group_label: str | None = None

    def __post_init__(self) -> None:
        if self.outcome not in tuple(Outcome):
            raise UsageError(f"a vote is one of {', '.join(Outcome)}, not {self.outcome!r}")
        unknown = [reason for reason in self.reasons if reason not in REASONS]
        if unknown:
            raise UsageError(f"unknown reason {unknown[0]!r}; choose from {', '.join(REASONS)}")

    def to_vote(self, battle: Battle, attempt: int, now_ms: int) -> Vote:
        """The row of this ballot; how long the decision took is the server's own measure."""
        return Vote(
            battle_id=battle.battle_id,
            attempt=attempt,
            voter_id=battle.voter_id,
            session_id=self.session_id,
            account=self.account,
            consent_version=self.consent_version,
            outcome=self.outcome,
            aspect=self.aspect,
            confidence=self.confidence,
            listen_left_ms=self.listen_left_ms,
            listen_right_ms=self.listen_right_ms,
            video_ms=self.video_ms,
            switches=self.switches,
            decision_ms=now_ms - battle.created_at_ms,
            reasons=json.dumps(sorted(set(self.reasons))),
            recognised=int(self.recognised),
            group_label=self.group_label,
            created_at_ms=now_ms,
        )


@dataclass(frozen=True, kw_only=True)
class OpenBattle:
    """A battle that waits for its vote. Only `token`, the two media and `needed_ms` may reach the browser.

    Attributes:
        token: names the battle and can be used once.
        battle: the server's record with both systems: never send it before the vote.
        opens_at_ms, expires_at_ms: on the server's clock, when a vote is early and when it is late.
        restored: True if the visitor had left it open (reload).
    """

    token: str
    battle: Battle
    opens_at_ms: int
    expires_at_ms: int
    restored: bool = False


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Given back after the commit, and only then may the page say "saved".

    Attributes:
        vote: the row as stored.
        pause: the voter is over the rate caps: ask them kindly to rest; the vote is stored but set aside.
        undo_until_ms: until when, on the server's clock, the vote can be taken back.
    """

    vote: Vote
    pause: bool
    undo_until_ms: int

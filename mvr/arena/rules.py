"""What a vote and an undo may do, decided on the server's own facts and clock. All refusals sound alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mvr.arena.ballot import Ballot
from mvr.arena.draw import DrawSettings
from mvr.arena.hearing import check_served
from mvr.arena.history import BattleState
from mvr.arena.rates import RateSettings
from mvr.arena.refusal import Reason, Refused
from mvr.votes.records import Aspect, Battle, Outcome
from mvr.votes.served import Served


@dataclass(frozen=True, kw_only=True)
class ArenaSettings:
    """How long battles live, how many are checks, how fast one may vote."""

    token_life_s: float = 30 * 60
    undo_s: float = 10
    clock_slack_ms: int = 1000
    needs_served: bool = False  # hearing is measured by what the server sent: of a page that notes it
    draw: DrawSettings = field(default_factory=DrawSettings)
    rates: RateSettings = field(default_factory=RateSettings)


def check_open(
    state: BattleState, attempt: int, ballot: Ballot, age_ms: int, settings: ArenaSettings
) -> None:
    """The battle waits for this very vote. Raises Refused."""
    if state.revealed:
        raise Refused(Reason.REVEALED)
    if attempt != state.next_attempt or any(vote.aspect == ballot.aspect for vote in state.active):
        raise Refused(Reason.USED)
    if ballot.aspect != Aspect.FIT and state.fit is None:
        raise Refused(Reason.NOT_VOTED)
    if age_ms > settings.token_life_s * 1000:
        raise Refused(Reason.EXPIRED)


def check_listened(
    battle: Battle, ballot: Ballot, served: Sequence[Served], now_ms: int, settings: ArenaSettings
) -> Ballot:
    """The ballot with listening times that the server's own facts allow. Raises Refused where they are too short.

    Without `needs_served` the only fact is how long the battle has been open.
    """
    if ballot.outcome == Outcome.SKIP:
        return ballot
    age_ms = now_ms - battle.created_at_ms
    longest = {"left": age_ms, "right": age_ms}
    if settings.needs_served:
        longest = check_served(battle, served, now_ms)
        age_ms = max(longest.values())
    heard = ballot.listen_left_ms + ballot.listen_right_ms
    too_short = min(ballot.listen_left_ms, ballot.listen_right_ms) < battle.needed_ms
    if too_short or age_ms < 2 * battle.needed_ms or heard > age_ms + settings.clock_slack_ms:
        raise Refused(Reason.EARLY)
    return replace(
        ballot,
        listen_left_ms=min(ballot.listen_left_ms, longest["left"]),
        listen_right_ms=min(ballot.listen_right_ms, longest["right"]),
    )


def check_undo(
    state: BattleState, attempt: int, is_newest: bool, now_ms: int, settings: ArenaSettings
) -> None:
    """There is a vote of this attempt to take back, soon enough, and no later battle was issued. Raises Refused."""
    if state.revealed:
        raise Refused(Reason.REVEALED)
    if state.fit is None:
        raise Refused(Reason.NOT_VOTED)
    if state.fit.attempt != attempt:
        raise Refused(Reason.USED)
    late = now_ms - state.fit.created_at_ms > settings.undo_s * 1000
    if late or not is_newest:
        raise Refused(Reason.LATE_UNDO)

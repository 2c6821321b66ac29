"""Whether both sides can have been heard, by what the server sent and its own clock; the browser's word only lowers it.

A side can be heard no earlier than it began to be sent, and both of them not at once. An answer that seems to lie in
the future was noted before the clock was set back: it says nothing, and the side is to be loaded again.
"""

from __future__ import annotations

from collections.abc import Sequence

from mvr.arena.refusal import Reason, Refused
from mvr.votes.records import Battle
from mvr.votes.served import Served, covered_bytes

SIDES = {"left": "A", "right": "B"}


class NotHeard(Refused):
    """Something is missing before the vote can count; the battle stays open.

    Attributes:
        reload: nothing of a side was sent that counts: it has to be loaded again.
    """

    def __init__(self, sentence: str, *, reload: bool) -> None:
        super().__init__(Reason.EARLY, sentence)
        self.reload = reload


def check_served(battle: Battle, rows: Sequence[Served], now_ms: int) -> dict[str, int]:
    """For how long each side can have been heard, in ms.

    Raises:
        NotHeard: with the sentence that says what is missing; the vote may be cast again a little later.
    """
    begun: dict[str, int] = {}
    for side, name in SIDES.items():
        mine = [row for row in rows if row.side == side and row.begun_at_ms <= now_ms]
        if not mine:
            raise NotHeard(f"side {name} had not loaded yet; listen to it, then vote again", reload=True)
        share = covered_bytes(mine) / max(1, mine[0].of_bytes)
        if share < 1:
            raise NotHeard(
                f"only {share:.0%} of the first {battle.needed_ms / 1000:g} s of side {name} has reached you; "
                "your connection is slow; keep listening, then vote again",
                reload=False,
            )
        begun[side] = min(row.begun_at_ms for row in mine)
    waited_ms = min(now_ms - max(begun.values()), now_ms - min(begun.values()) - battle.needed_ms)
    if waited_ms < battle.needed_ms:
        left_s = -(-(battle.needed_ms - waited_ms) // 1000)
        raise NotHeard(f"listen for another {left_s} s, then vote again", reload=False)
    return {side: now_ms - at for side, at in begun.items()}

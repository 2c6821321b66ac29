"""Who a battle is for, and what they have seen and answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mvr.votes.records import Battle

Seen = frozenset[tuple[str, str, str]]  # query, and two competitors or two item groups in alphabetical order


@dataclass(frozen=True, kw_only=True)
class Voter:
    """A voter with the battles they were shown, oldest first, and the answers that stand, by battle."""

    voter_id: str
    session_id: str
    battles: tuple[Battle, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> Seen:
        """Pairs of competitors and of item groups that this voter has met under each query."""
        return frozenset(key for battle in self.battles for key in seen_keys(battle))


def seen_keys(battle: Battle) -> tuple[tuple[str, str, str], ...]:
    """What a voter who met this battle must not meet again."""
    names = sorted((battle.left.competitor, battle.right.competitor))
    groups = sorted((battle.left.item_group_id, battle.right.item_group_id))
    return (battle.query_id, names[0], names[1]), (battle.query_id, groups[0], groups[1])

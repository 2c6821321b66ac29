"""When a battle is a check: one in every ten, at a place nobody can foresee, and more for a voter who failed one.

A tenth of a visit is too little to know a voter by: two planted mismatches let a random clicker pass one time in four.
So each block of ten battles holds exactly one check, and a voter who failed one is asked again soon, until the answers
speak for or against them. Somebody who listens hardly ever comes into that; what is asked says nothing about why.
Doubt and exclusion are two places on one scale, P(rate of passed checks < 0.6): evaluation specification, line 31.
"""

from __future__ import annotations

from mvr.arena.voter import Voter
from mvr.datatypes import Direction
from mvr.metrics.agreement import fails_gold, inattention
from mvr.votes.records import BattleKind, Outcome

DOUBT = 0.4  # P(rate < 0.6) above which a voter who failed a check is asked again
DOUBTED_SHARE = 0.4  # of battles that are planted mismatches, for as long as that lasts


def check_probability(voter: Voter, direction: Direction, share: float) -> float:
    """Probability that the next battle is a check, so that a block of 1 / `share` battles holds one, anywhere in it."""
    if share <= 0:
        return 0.0
    block = max(1, round(1 / share))
    shown = [battle for battle in voter.battles if battle.direction == direction and battle.study_id is None]
    begun = shown[len(shown) - len(shown) % block :]
    if any(battle.kind in (BattleKind.GOLD, BattleKind.REPEAT) for battle in begun):
        return 0.0
    return 1 / (block - len(begun))


def is_doubted(voter: Voter) -> bool:
    """Whether a failed check has not been made up for yet; a voter who is set aside already is asked no more."""
    passed, shown = gold_answers(voter)
    return passed < shown and inattention(passed, shown) > DOUBT and not fails_gold(passed, shown)


def gold_answers(voter: Voter) -> tuple[int, int]:
    """Planted mismatches that the voter recognised, and answered at all."""
    answered = [
        voter.answers[battle.battle_id] == battle.gold_answer
        for battle in voter.battles
        if battle.kind == BattleKind.GOLD
        and voter.answers.get(battle.battle_id, Outcome.SKIP) != Outcome.SKIP
    ]
    return sum(answered), len(answered)

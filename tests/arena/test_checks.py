"""Checks: one in every block of ten, more for somebody who failed one, and none for who is known well enough."""

from __future__ import annotations

import random
from collections import Counter

from mvr.arena.checks import check_probability, gold_answers, is_doubted
from mvr.arena.voter import Voter
from mvr.datatypes import Direction
from mvr.votes.records import Battle, Side

V2M = Direction.VIDEO_TO_MUSIC


def battle(kind: str, number: int) -> Battle:
    side = Side(system_id="cca", system_version="1", item_id="a", item_group_id="a")
    return Battle(
        battle_id=f"{kind}-{number}", voter_id="anna", session_id="s", direction="v2m", kind=kind,
        query_id="q", query_group_id="q", left=side, right=side, pool_version="1", pool_size=9,
        policy_id="p", pair_prob=1.0, seed=0, ui_version="1", gold_answer="left" if kind == "gold" else None,
    )  # fmt: skip


def answered(*answers: str) -> Voter:
    golds = [battle("gold", number) for number in range(len(answers))]
    given = {one.battle_id: answer for one, answer in zip(golds, answers, strict=True)}
    return Voter(voter_id="anna", session_id="s", battles=tuple(golds), answers=given)


def test_every_block_of_ten_holds_one_check_anywhere_in_it():
    rng = random.Random(0)
    places: Counter[int] = Counter()
    for _ in range(600):
        battles: list[Battle] = []
        for number in range(20):
            voter = Voter(voter_id="anna", session_id="s", battles=tuple(battles))
            kind = "gold" if rng.random() < check_probability(voter, V2M, 0.1) else "regular"
            battles.append(battle(kind, number))
        checks = [place for place, one in enumerate(battles) if one.kind == "gold"]
        assert [place // 10 for place in checks] == [0, 1]
        places.update(place % 10 for place in checks)
    assert min(places.values()) > 80 and max(places.values()) < 165, "each place is as likely as any"
    assert check_probability(voter, V2M, 0.0) == 0.0


def test_who_failed_a_check_is_doubted_until_three_are_passed_or_two_were_failed():
    assert [is_doubted(answered(*answers)) for answers in ([], ["left"], ["right"], ["right", "left"])] == [
        False, False, True, True,
    ]  # fmt: skip
    assert is_doubted(answered("right", "left", "left")) and not is_doubted(answered("right", *3 * ["left"]))
    assert not is_doubted(answered("right", "right")), "set aside already: nothing more to find out"


def test_a_skipped_or_unanswered_check_says_nothing():
    voter = answered("skip", "left", "tie")
    assert gold_answers(voter) == (1, 2)
    silent = Voter(voter_id="anna", session_id="s", battles=(battle("gold", 1),))
    assert gold_answers(silent) == (0, 0) and not is_doubted(silent)

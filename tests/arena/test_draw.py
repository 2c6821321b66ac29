"""Who meets whom: stored probabilities against counted frequencies, and what must never be shown."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from mvr.arena.arena import Arena
from mvr.arena.candidates import ORIGINAL, Competitor, QueryItem
from mvr.arena.draw import DrawSettings
from mvr.arena.policy import PolicySettings, all_pairs, choose_policy, uniform_policy
from mvr.arena.refusal import Reason, Refused
from mvr.arena.rules import ArenaSettings
from mvr.datatypes import Direction
from mvr.votes.records import Battle, BattleKind

V2M = Direction.VIDEO_TO_MUSIC


def drawn(arena, count, voter="anna", direction=V2M):
    return [arena.prepare(voter, direction, session_id="s").battle for _ in range(count)]


def test_pairs_sides_and_queries_follow_their_stored_probabilities(make_arena):
    battles = drawn(make_arena(check_share=0.0), 600)
    pairs = Counter(tuple(sorted((b.left.competitor, b.right.competitor))) for b in battles)
    assert len(pairs) == 3 and chisquare(list(pairs.values())).pvalue > 1e-3
    assert all(b.pair_prob == pytest.approx(1 / 3) and b.slot_prob == 0.5 for b in battles)
    left = Counter(b.left.competitor < b.right.competitor for b in battles)
    assert chisquare(list(left.values())).pvalue > 1e-3
    queries = Counter(b.query_id for b in battles)
    assert len(queries) == 12 and chisquare(list(queries.values())).pvalue > 1e-3


def test_one_in_ten_battles_explores_and_says_how_probable_its_item_was(make_arena):
    battles = drawn(make_arena(check_share=0.0), 800)
    sides = [side for b in battles for side in (b.left, b.right)]
    explored = [side for side in sides if side.rank > 1]
    assert 0.07 < len(explored) / len(battles) < 0.13
    assert all(side.item_prob == pytest.approx(0.05 / 19) for side in explored)
    assert all(side.item_prob == pytest.approx(0.95) for side in sides if side.rank == 1)
    assert not any(b.left.rank > 1 and b.right.rank > 1 for b in battles)
    assert {side.rank for side in explored} <= set(range(2, 21)) and len({s.rank for s in explored}) > 12


def test_no_pair_comes_twice_for_one_voter_and_never_the_same_music_on_both_sides(visit, store):
    met = []
    with pytest.raises(Refused, match="every pair", check=lambda error: error.reason == Reason.EXHAUSTED):
        while True:
            shown = visit.next().battle
            assert shown.left.item_group_id != shown.right.item_group_id
            met.append((shown.query_id, *sorted((shown.left.competitor, shown.right.competitor))))
            visit.vote(visit.next())
    assert len(met) == len(set(met)) == 12 * 3
    groups = [
        (b.query_id, *sorted((b.left.item_group_id, b.right.item_group_id)))
        for b in store.rows(Battle, kind="regular")
    ]
    assert len(groups) == len(set(groups))


def test_systems_that_agree_are_written_down_and_not_shown(make_arena, world, visit, store):
    world.tracks = 2
    for _ in range(12):
        shown = visit.next()
        assert shown.battle.left.item_group_id != shown.battle.right.item_group_id
        visit.vote(shown)
    same = store.rows(Battle, kind=BattleKind.IDENTICAL)
    assert same and all(b.left.item_group_id == b.right.item_group_id for b in same)
    assert {row["battle_id"] for row in store.counted()}.isdisjoint(b.battle_id for b in same)


def test_checks_are_one_in_ten_and_never_enter_the_count(make_arena, make_visit, store):
    visit = make_visit(make_arena(check_share=0.5), "anna")
    for _ in range(40):
        visit.vote(visit.next())
        visit.clock.pass_s(60)
    kinds = Counter(b.kind for b in store.rows(Battle))
    assert kinds["gold"] > 3 and kinds["repeat"] >= 2 and kinds["regular"] >= 12
    assert len(store.counted()) == kinds["regular"]
    share = Counter(b.kind == "regular" for b in drawn(make_arena(), 1000, voter="bert"))
    assert 70 < share[False] < 130


def test_a_planted_mismatch_is_an_item_that_nobody_ranks_high(make_arena, world):
    arena = make_arena(check_share=1.0)
    answers = Counter()
    for battle in drawn(arena, 100):
        assert battle.kind == "gold" and battle.gold_answer in ("left", "right")
        wrong = battle.right if battle.gold_answer == "left" else battle.left
        right = battle.side(battle.gold_answer)
        assert wrong.system_id == "" and right.rank == 1 and right.system_id
        answers[battle.gold_answer] += 1
    assert min(answers.values()) > 30


def test_a_repeat_swaps_the_sides_of_an_earlier_battle(make_arena, make_visit, store):
    visit = make_visit(make_arena(check_share=0.6), "anna")
    for _ in range(30):
        visit.vote(visit.next())
        visit.clock.pass_s(60)
    battles = {b.battle_id: b for b in store.rows(Battle)}
    repeats = [b for b in battles.values() if b.kind == "repeat"]
    assert repeats
    for repeat in repeats:
        first = battles[repeat.repeat_of]
        assert (repeat.left, repeat.right, repeat.query_id) == (first.right, first.left, first.query_id)
    assert len({b.repeat_of for b in repeats}) == len(repeats)


def test_the_same_seed_draws_the_same_battles(make_arena):
    first, second = (drawn(make_arena(), 20) for _ in range(2))
    assert [(b.query_id, b.left, b.right, b.seed) for b in first] == [
        (b.query_id, b.left, b.right, b.seed) for b in second
    ]


def test_close_pairs_meet_more_often_after_a_hundred_votes_per_pair():
    names = ["a", "b", "c"]
    votes = dict.fromkeys(all_pairs(names), 100)
    policy = choose_policy(names, votes, {"a": 0.0, "b": 0.1, "c": 1.0})
    gaps = np.array([0.1, 1.0, 0.9])
    expected = 0.8 * np.exp(-gaps / 0.3) / np.exp(-gaps / 0.3).sum() + 0.2 / 3
    np.testing.assert_allclose(policy.probabilities, expected)
    assert policy.policy_id == "proximity-v1" and policy.probability("c", "b") == policy.probability("b", "c")
    few = choose_policy(names, votes | {("a", "b"): 99}, {"a": 0.0, "b": 0.1, "c": 1.0})
    assert few.policy_id == uniform_policy(names).policy_id
    assert choose_policy(names, votes, {"a": 0.0}, PolicySettings()).policy_id == "uniform-v1"


def test_a_clip_s_own_music_meets_every_system_and_only_where_it_may(make_arena, world, store, signer, clock):
    rivals = [Competitor(system_id=name, version="1") for name in ("cca", "mvbind", "random")]
    original = Competitor(system_id=ORIGINAL, version="1", direction=Direction.VIDEO_TO_MUSIC)
    settings = ArenaSettings(draw=DrawSettings(check_share=0.3))
    arena = Arena(store, world, [*rivals, original], signer, settings=settings, clock=clock, seed=5)
    own = QueryItem(query_id="video-3", group_id="g", duration_s=12.0, source="upload", own_music=True)
    private = QueryItem(query_id="video-4", group_id="h", duration_s=12.0, source="upload")
    met = Counter()
    for number in range(300):
        battle = arena.prepare(f"v{number}", Direction.VIDEO_TO_MUSIC, session_id="s", query=own).battle
        assert battle.pair_prob == pytest.approx(1 / 6), "three pairs of systems, three against the original"
        names = {battle.left.system_id, battle.right.system_id}
        if ORIGINAL in names:
            met[(names - {ORIGINAL}).pop()] += 1
            side = battle.left if battle.left.system_id == ORIGINAL else battle.right
            assert (side.item_id, side.item_group_id, side.excerpt_start_s) == ("video-3", "original-g", 0.0)
    assert set(met) == {one.name for one in rivals} and min(met.values()) > 25
    for query in (private, None):
        for number in range(120):
            battle = arena.prepare(f"w{number}", Direction.VIDEO_TO_MUSIC, session_id="s", query=query).battle
            assert ORIGINAL not in (battle.left.system_id, battle.right.system_id)

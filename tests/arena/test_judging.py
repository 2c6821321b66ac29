"""Pools and their judges: what is asked, of whom, until when; unjudged is not zero."""

from __future__ import annotations

from collections import Counter

import pytest

from mvr.arena.board import build_board
from mvr.arena.candidates import Competitor
from mvr.arena.judging import Judging, JudgingSettings, build_pool
from mvr.arena.refusal import Reason, Refused
from mvr.datatypes import Direction
from mvr.errors import DataError
from mvr.votes.records import Consent, Judgment, PoolItem

V2M = Direction.VIDEO_TO_MUSIC
SYSTEMS = tuple(Competitor(system_id=name, version="1") for name in ("cca", "mvbind", "random"))


@pytest.fixture
def pool(store, world):
    world.queries_count = 2
    build_pool(store, world, SYSTEMS, V2M, pool_version="p1")
    for judge in ("anna", "bert", "carl", "dora", "emil", "finn"):
        store.add(Consent(voter_id=judge, session_id="s", version="1", text_sha256="0"))
    return Judging(store, "p1", V2M)


def grade(judging, voter, item, value, **more):
    return judging.judge(voter, item, value, session_id="s", consent_version="1", listen_ms=5000, **more)


def test_a_pool_is_the_union_of_all_top_tens_and_five_random_items(pool, store, world):
    for query in world.queries(V2M):
        union = {}
        for system in SYSTEMS:
            for item in world.top(query, system, 10):
                union.setdefault(item.group_id, {})[system.name] = item.rank
        rows = {row.item_group_id: row.ranks for row in store.rows(PoolItem, query_id=query.query_id)}
        assert {group: ranks for group, ranks in rows.items() if ranks} == union
        assert sum(not ranks for ranks in rows.values()) == 5


def test_a_pool_is_frozen(pool, store, world):
    with pytest.raises(DataError, match="already frozen"):
        build_pool(store, world, SYSTEMS, V2M, pool_version="p1")


def test_judges_are_asked_until_every_item_has_what_it_needs(pool, store):
    asked = Counter()
    for judge in ("anna", "bert", "carl"):
        while (item := pool.next_item(judge)) is not None:
            grade(pool, judge, item, 2)
            asked[item.query_id, item.item_group_id] += 1
    progress = pool.progress("anna")
    assert progress.items == progress.finished == store.count(PoolItem) == progress.own
    assert set(asked.values()) == {1, 3}
    share = sum(count == 3 for count in asked.values()) / len(asked)
    assert 0.05 < share < 0.4


def test_queries_are_finished_one_after_the_other_and_items_are_shuffled_per_judge(pool):
    orders = {}
    for judge in ("anna", "bert"):
        order = []
        for _ in range(12):
            item = pool.next_item(judge)
            order.append(item.item_group_id)
            assert item.query_id == "video-0"
            grade(pool, judge, item, None)
        orders[judge] = order
    assert orders["anna"] != orders["bert"]


def test_seen_but_not_judged_is_no_grade(pool, store):
    item = pool.next_item("anna")
    grade(pool, "anna", item, None)
    assert pool.progress("anna").finished == 0 and pool.progress("anna").own == 1
    assert pool.next_item("anna") != item
    assert build_board(store).document["relevance"] == []


def test_disagreements_come_first_and_end(pool):
    item = pool.next_item("anna")
    grade(pool, "anna", item, 0)
    grade(pool, "bert", item, 3)
    assert pool.disagreements() == [item] and pool.progress().disagreements == 1
    for judge in ("carl", "dora", "emil"):
        assert pool.next_item(judge) == item
        grade(pool, judge, item, 1)
    assert pool.next_item("finn") != item  # five judges are enough


def test_the_newest_grade_of_a_judge_counts(pool, store):
    item = pool.next_item("anna")
    grade(pool, "anna", item, 0)
    grade(pool, "anna", item, 3)
    assert store.count(Judgment) == 2
    pool_section = build_board(store).document["relevance"][0]
    assert pool_section["judged_items"] == 1


def test_items_outside_the_pool_and_judges_without_consent_are_refused(pool):
    import dataclasses

    item = pool.next_item("anna")
    with pytest.raises(Refused, check=lambda error: error.reason == Reason.UNKNOWN):
        grade(pool, "anna", dataclasses.replace(item, item_group_id="other"), 1)
    with pytest.raises(Refused, check=lambda error: error.reason == Reason.NO_CONSENT):
        grade(pool, "gast", item, 1)


def test_a_fully_judged_pool_can_be_compared(pool, store):
    while (item := pool.next_item("anna")) is not None:
        grade(pool, "anna", item, 3 if item.ranks.get("cca", 99) <= 5 else 0)
    section = build_board(store).document["relevance"][0]
    scores = {row["system"]: row for row in section["systems"]}
    assert section["refused"] is None and set(scores) == {system.name for system in SYSTEMS}
    assert scores["cca"]["ndcg@10"] == 1.0 > scores["random"]["ndcg@10"]


def test_settings_say_how_many_judges(store, world):
    world.queries_count = 1
    build_pool(store, world, SYSTEMS, V2M, pool_version="p2", settings=JudgingSettings(random_items=0))
    assert all(row.ranks for row in store.rows(PoolItem))

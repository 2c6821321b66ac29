"""The arena's rules under real concurrency, on SQLite and on PostgreSQL: two tabs, double clicks, many visitors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from mvr.arena.arena import Arena
from mvr.arena.ballot import Ballot
from mvr.arena.candidates import Candidate, Competitor, QueryItem
from mvr.arena.draw import DrawSettings
from mvr.arena.refusal import Reason, Refused
from mvr.arena.rules import ArenaSettings
from mvr.datatypes import Direction
from mvr.votes.records import Battle, BattleKind, Vote
from mvr.votes.voter import VoterSigner

SYSTEMS = tuple(Competitor(system_id=name, version="1") for name in ("cca", "mvbind"))
V2M = Direction.VIDEO_TO_MUSIC
BALLOT = Ballot(outcome="left", consent_version="1", session_id="s")


class Two:
    """Two systems that never agree on forty queries."""

    pool_version = "1"

    def queries(self, direction: Direction) -> Sequence[QueryItem]:
        return [QueryItem(query_id=f"v{i}", group_id=f"v{i}", duration_s=9.0) for i in range(40)]

    def items(self, direction: Direction) -> Sequence[Candidate]:
        return [Candidate(item_id=f"m{i}", group_id=f"m{i}", rank=1, score=0.0) for i in range(4)]

    def top(self, query: QueryItem, competitor: Competitor, k: int) -> Sequence[Candidate]:
        order = [0, 1, 2, 3] if competitor.system_id == "cca" else [3, 2, 1, 0]
        return [
            Candidate(item_id=f"m{i}", group_id=f"m{i}", rank=rank, score=1 - rank / 10)
            for rank, i in enumerate(order[:k], 1)
        ]


@pytest.fixture
def arena(store) -> Arena:
    settings = ArenaSettings(draw=DrawSettings(needed_ms=0, check_share=0.0, explore_share=0.0))
    arena = Arena(store, Two(), SYSTEMS, VoterSigner(b"a secret for tests only"), settings=settings, seed=1)
    for voter in ("anna", *(f"voter-{i}" for i in range(8))):
        arena.consent(voter, "s", version="1", text="t")
    return arena


def at_once(work: Callable[[int], object], count: int) -> list[object]:
    """Run `work(0..count-1)` in threads that start together; results, or what was raised."""
    gate, results = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        gate.wait()
        try:
            results[number] = work(number)
        except Refused as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_double_click_is_one_vote(arena, store):
    shown = arena.next_battle("anna", V2M, session_id="s")
    results = at_once(lambda _: arena.vote(shown.token, "anna", BALLOT), 8)
    refusals = [result for result in results if isinstance(result, Refused)]
    assert len(refusals) == 7 and {error.reason for error in refusals} == {Reason.USED}
    assert store.count(Vote) == 1


def test_a_double_undo_is_one_undo(arena, store):
    shown = arena.next_battle("anna", V2M, session_id="s")
    arena.vote(shown.token, "anna", BALLOT)
    results = at_once(lambda _: arena.undo(shown.token, "anna"), 6)
    assert sum(not isinstance(result, Refused) for result in results) == 1
    assert sorted(vote.kind for vote in store.rows(Vote)) == ["undo", "vote"]


def test_visitors_do_not_disturb_each_other(arena, store):
    def visit(number: int) -> int:
        voter = f"voter-{number}"
        for _ in range(5):
            arena.vote(arena.next_battle(voter, V2M, session_id="s").token, voter, BALLOT)
        return 5

    assert at_once(visit, 8) == [5] * 8
    assert store.count(Vote) == 40 == len(store.counted())
    shown = [battle for battle in store.rows(Battle) if battle.kind == BattleKind.REGULAR]
    keys = {(battle.voter_id, battle.query_id) for battle in shown}
    assert len(keys) == len(shown) == 40


def test_two_tabs_on_the_same_clip_share_one_battle(arena, store):
    clip = QueryItem(query_id="v1", group_id="v1", duration_s=9.0)
    shown = at_once(lambda _: arena.next_battle("anna", V2M, session_id="s", query=clip), 4)
    assert len({one.token for one in shown}) == 1 and store.count(Battle) == 1

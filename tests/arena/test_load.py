"""Many people at one arena at once lose no vote; fifty of them over HTTP: tests/browser/test_vote_load.py."""

from __future__ import annotations

import threading

from mvr.arena.arena import Arena
from mvr.arena.ballot import Ballot
from mvr.arena.candidates import Competitor
from mvr.arena.draw import DrawSettings
from mvr.arena.rules import ArenaSettings
from mvr.datatypes import Direction
from mvr.votes.records import Vote

SYSTEMS = tuple(Competitor(system_id=name, version="1") for name in ("cca", "mvbind", "random"))


def vote_for(arena: Arena, voter: str, votes: int, saved: list[str]) -> None:
    arena.consent(voter, "s", version="1", text="t")
    ballot = Ballot(outcome="left", consent_version="1", session_id="s")
    for _ in range(votes):
        shown = arena.next_battle(voter, Direction.VIDEO_TO_MUSIC, session_id="s")
        saved.append(arena.vote(shown.token, voter, ballot).vote.vote_id)


def test_ten_people_at_once_lose_no_vote(store, world, signer, voters=10, votes=3):
    world.queries_count = 200
    settings = ArenaSettings(draw=DrawSettings(needed_ms=0))
    arena = Arena(store, world, SYSTEMS, signer, settings=settings)
    saved: list[str] = []
    threads = [
        threading.Thread(target=vote_for, args=(arena, f"voter-{number}", votes, saved))
        for number in range(voters)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(vote.vote_id for vote in store.rows(Vote)) == sorted(saved)
    assert len(saved) == len(set(saved)) == voters * votes

"""Many people at one arena at once lose no vote; fifty of them over HTTP: tests/browser/test_vote_load.py."""

from __future__ import annotations

import random
import threading
import time

import numpy as np

from mvr.arena.arena import Arena
from mvr.arena.ballot import Ballot
from mvr.arena.candidates import Competitor
from mvr.arena.draw import DrawSettings
from mvr.arena.rules import ArenaSettings
from mvr.datatypes import Direction
from mvr.votes.records import Vote

SYSTEMS = tuple(Competitor(system_id=name, version="1") for name in ("cca", "mvbind", "random"))


def vote_for(arena: Arena, voter: str, until: float, waits: list[float], saved: list[str]) -> None:
    rng = random.Random(voter)
    arena.consent(voter, "s", version="1", text="t")
    ballot = Ballot(outcome="left", consent_version="1", session_id="s")
    while time.monotonic() < until:
        times = [time.monotonic()]
        shown = arena.next_battle(voter, Direction.VIDEO_TO_MUSIC, session_id="s")
        times.append(time.monotonic())
        receipt = arena.vote(shown.token, voter, ballot)
        times.append(time.monotonic())
        saved.append(receipt.vote.vote_id)
        waits += np.diff(times).tolist()
        time.sleep(
            rng.uniform(1.0, 3.0)
        )  # a person who is in a hurry: no human hears two sides in three seconds


def run(store, world, signer, voters: int, seconds: float) -> list[float]:
    world.queries_count = 200
    settings = ArenaSettings(draw=DrawSettings(needed_ms=0))
    arena = Arena(store, world, SYSTEMS, signer, settings=settings)
    waits: list[float] = []
    saved: list[str] = []
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=vote_for, args=(arena, f"voter-{number}", until, waits, saved))
        for number in range(voters)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(vote.vote_id for vote in store.rows(Vote)) == sorted(saved)
    assert len(saved) == len(set(saved)) >= voters
    return waits


def test_ten_people_at_once_lose_no_vote(store, world, signer):
    run(store, world, signer, voters=10, seconds=1.5)

"""Processes that vote until they are done, or killed; each writes the id of every vote to a file after its commit.

    python voting_process.py URL        then on stdin, one per line: NAME FILE COUNT (0: for ever), or "wait"

The imports take a second, so one process makes them and forks the voters: two hundred can be killed in a minute.
It answers each line with the voter's process id, and "wait" with the exit status of all of them.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from mvr.votes.records import Battle, Consent, Side, Vote
from mvr.votes.store import VoteStore


def serve(url: str) -> None:
    voters = []
    for line in sys.stdin:
        if line.strip() == "wait":
            print(*(os.waitpid(pid, 0)[1] for pid in voters), flush=True)
            voters = []
            continue
        name, file, count = line.split()
        pid = os.fork()
        if pid == 0:
            vote_on(url, name, Path(file), int(count))
            os._exit(0)
        voters.append(pid)
        print(pid, flush=True)


def vote_on(url: str, name: str, file: Path, count: int) -> None:
    with VoteStore.open(url) as store, file.open("a", buffering=1) as acknowledged:
        store.add(Consent(voter_id=name, session_id="s", version="1", text_sha256="0"))
        acknowledged.write("ready\n")
        for number in itertools.count() if count == 0 else range(count):
            acknowledged.write(vote(store, name, number).vote_id + "\n")


def vote(store: VoteStore, name: str, number: int) -> Vote:
    sides = [
        Side(system_id=system, system_version="1", item_id=system, item_group_id=system)
        for system in ("cca", "random")
    ]
    battle = Battle(
        voter_id=name,
        session_id="s",
        direction="v2m",
        query_id=f"video-{number}",
        query_group_id=f"video-{number}",
        left=sides[0],
        right=sides[1],
        pool_version="1",
        pool_size=2,
        policy_id="uniform-v1",
        pair_prob=1.0,
        seed=number,
        ui_version="1",
    )
    store.add(battle)
    cast = Vote(
        battle_id=battle.battle_id,
        voter_id=name,
        session_id="s",
        consent_version="1",
        outcome="left",
        listen_left_ms=5000,
        listen_right_ms=5000,
    )
    return store.cast(cast)


if __name__ == "__main__":
    serve(sys.argv[1])

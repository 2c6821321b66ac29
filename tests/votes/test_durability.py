"""No acknowledged vote is ever missing, none is doubled, the file always opens: kill -9, full disk, many processes."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from mvr.errors import NotSaved
from mvr.votes.records import Vote
from mvr.votes.store import VoteStore

SCRIPT = Path(__file__).with_name("voting_process.py")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


class Nursery:
    """Starts voting processes on one database (see `voting_process`)."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=120)

    def ask(self, line: str) -> str:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def start(self, name: str, count: int = 0) -> int:
        return int(self.ask(f"{name} {self.folder / name} {count}"))

    def wait(self) -> list[int]:
        return [int(status) for status in self.ask("wait").split()]

    def lines(self, name: str) -> list[str]:
        """Whole lines that a voter wrote so far."""
        file = self.folder / name
        text = file.read_text() if file.exists() else ""
        return [line.strip() for line in text.splitlines(keepends=True) if line.endswith("\n")]


def kill_at_a_random_moment(nursery: Nursery, name: str, rng: random.Random) -> list[str]:
    """Ids that the process acknowledged before it was killed."""
    pid = nursery.start(name)
    wanted = rng.randrange(1, 8)  # lines that are written when the random time begins; the first says "ready"
    deadline = time.monotonic() + 120
    while len(nursery.lines(name)) < wanted:
        assert time.monotonic() < deadline, "the voter does not vote"
        time.sleep(0.002)
    time.sleep(rng.uniform(0.0, 0.03))
    os.kill(pid, signal.SIGKILL)
    assert nursery.wait() == [signal.SIGKILL]
    return nursery.lines(name)[1:]


def check_kills(url: str, folder: Path, kills: int) -> None:
    rng = random.Random(3)
    acknowledged: list[str] = []
    with Nursery(url, folder) as nursery:
        for number in range(kills):
            acknowledged += kill_at_a_random_moment(nursery, f"voter-{number}", rng)
    with VoteStore.open(url) as store:
        rows = store.rows(Vote)
    found = Counter(vote.vote_id for vote in rows)
    assert acknowledged, "no process got as far as a vote"
    assert not [vote for vote in acknowledged if found[vote] != 1]
    assert max(Counter(vote.battle_id for vote in rows).values()) == 1
    # at most one vote per kill may be stored that nobody heard of: killed between commit and print
    assert len(acknowledged) <= len(found) <= len(acknowledged) + kills


@pytest.mark.parametrize(
    "kills", [25, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]
)
def test_a_killed_writer_loses_no_acknowledged_vote(sqlite_url, tmp_path, kills):
    check_kills(sqlite_url, tmp_path, kills)
    with contextlib.closing(sqlite3.connect(tmp_path / "votes.sqlite")) as connection, connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.postgres
def test_a_killed_client_of_postgresql_loses_no_acknowledged_vote(postgres_url, tmp_path):
    check_kills(postgres_url, tmp_path, 25)


def test_sixteen_processes_vote_at_once_on_sqlite(sqlite_url, tmp_path):
    check_processes(sqlite_url, tmp_path)


@pytest.mark.postgres
def test_sixteen_processes_vote_at_once_on_postgresql(postgres_url, tmp_path):
    check_processes(postgres_url, tmp_path)


def check_processes(url: str, folder: Path, processes: int = 16, votes: int = 12) -> None:
    """All start on a database that does not exist yet, so that they also race to migrate it."""
    with Nursery(url, folder) as nursery:
        names = [f"voter-{number}" for number in range(processes)]
        for name in names:
            nursery.start(name, votes)
        assert nursery.wait() == [0] * processes
        acknowledged = [line for name in names for line in nursery.lines(name)[1:]]
    with VoteStore.open(url) as store:
        stored = [vote.vote_id for vote in store.rows(Vote)]
        assert len(store.counted()) == processes * votes
    assert len(stored) == processes * votes and sorted(stored) == sorted(acknowledged)


def test_a_full_disk_refuses_votes_and_keeps_the_ones_it_took(sqlite_url, make_battle, make_vote, consent):
    with VoteStore.open(sqlite_url) as store:
        store.add(consent())
        limit = "PRAGMA max_page_count = {}"
        pages = store.read(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar()) + 8
        saved = []
        with pytest.raises(NotSaved, match="full"):
            while len(saved) < 10_000:

                def work(connection):
                    connection.exec_driver_sql(limit.format(pages))
                    return

                store.write(work)
                battle = make_battle()
                store.add(battle)
                saved.append(store.cast(make_vote(battle)))
        assert saved and store.rows(Vote) == saved
        store.write(lambda connection: connection.exec_driver_sql(limit.format(2**30)) and None)
        battle = make_battle()
        store.add(battle)
        saved.append(store.cast(make_vote(battle)))
        assert store.rows(Vote) == saved == sorted(saved, key=lambda vote: vote.vote_id)


FILL = """
import resource, signal, sys
from pathlib import Path
import voting_process
from mvr.errors import NotSaved
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as on a full disk, the write fails and the process goes on
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    voting_process.vote_on(sys.argv[1], "filler", Path(sys.argv[2]), 0)
except NotSaved as error:
    print(error)
"""


def test_a_disk_that_takes_no_more_bytes_costs_no_acknowledged_vote(sqlite_url, tmp_path):
    environment = ENVIRONMENT | {"PYTHONPATH": f"{ENVIRONMENT['PYTHONPATH']}:{SCRIPT.parent}"}
    command = [sys.executable, "-c", FILL, sqlite_url, str(tmp_path / "filler")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, timeout=120)
    assert done.stdout.startswith("the vote store could not be used (") and "nothing was saved" in done.stdout
    acknowledged = (tmp_path / "filler").read_text().split()[1:]
    with VoteStore.open(sqlite_url) as store:
        assert [vote.vote_id for vote in store.rows(Vote)] == acknowledged
    assert acknowledged

"""An arena over HTTP without media or models: two systems that disagree, a clock that tests turn by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.testclient import TestClient

from mvr.arena.arena import Arena
from mvr.arena.candidates import Candidate, Competitor, QueryItem
from mvr.arena.rules import ArenaSettings
from mvr.page.serving.shelf import Shelf
from mvr.page.voting.arena_routes import arena_routes
from mvr.page.voting.ballot_box import BallotBox
from mvr.page.voting.battle_media import ArenaMedia, BattleMedia
from mvr.page.voting.grading import GradingDesk
from mvr.page.voting.hearing import Hearing
from mvr.votes.records import Battle, PoolItem
from mvr.votes.voter import VoterSigner

SESSION_SECRET = "of the tests"


class TwoLists:
    """Six queries, twenty items, two systems that disagree."""

    pool_version = "p1"

    def queries(self, direction: object) -> list[QueryItem]:
        return [QueryItem(query_id=f"q{n}", group_id=f"q{n}", duration_s=30.0) for n in range(6)]

    def items(self, direction: object) -> list[Candidate]:
        return [Candidate(item_id=f"t{n}", group_id=f"t{n}", rank=0, score=0.0) for n in range(20)]

    def top(self, query: QueryItem, competitor: Competitor, k: int) -> list[Candidate]:
        first = 0 if competitor.system_id == "one" else 10
        return [
            Candidate(
                item_id=f"t{(first + n) % 20}",
                group_id=f"t{(first + n) % 20}",
                rank=n + 1,
                score=1 - n / 10,
                start_s=first / 4 + n,
            )
            for n in range(min(k, 20))
        ]

    def item(self, item_id: str) -> Any:
        return SimpleNamespace(title=f"Title {item_id}", artist="", licence="CC0", credit_line="credit")

    def own(self, query_id: str) -> None:
        return None


class ReadyMedia(ArenaMedia):
    """Media that need no making; what was asked of pairs is kept."""

    def __init__(self, files: list[Path], shelf: Shelf, signer: VoterSigner) -> None:
        super().__init__(None, shelf, files[0].parent / "battles", signer, Hearing(lambda: None))  # type: ignore[arg-type,return-value]
        self.files, self.starts = files, []

    def warm(self) -> None:
        """Nothing is to be made."""

    def of_battle(self, battle: Battle) -> BattleMedia:
        return BattleMedia(videos=(self.files[0],), sounds=tuple(self.files[1:]), duration_s=20.0)

    def of_pair(self, item: PoolItem, start_s: float) -> BattleMedia:
        self.starts.append(start_s)
        return BattleMedia(videos=(self.files[0],), sounds=(self.files[1],), duration_s=20.0)


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(tmp_path: Path, clock: Clock) -> Iterator[TestClient]:
    with opened(tmp_path, f"sqlite:///{tmp_path / 'v.db'}", clock) as client:
        yield client


@contextmanager
def opened(folder: Path, votes_url: str, clock: Clock) -> Iterator[TestClient]:
    """One server's arena over a vote store."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(1)
    context = SimpleNamespace(votes_url=votes_url, shelf=Shelf(), pool=pool, catalogue=None)
    box = BallotBox(context)  # type: ignore[arg-type]
    contest = TwoLists()
    rivals = [Competitor(system_id="one", version="1"), Competitor(system_id="two", version="1")]
    box.__dict__["contest"] = contest
    box.__dict__["arena"] = Arena(
        box.store, contest, rivals, box.signer, settings=ArenaSettings(), clock=clock, seed=1
    )
    files = []
    for name in ("0.mp4", "0.wav", "1.wav"):
        (folder / name).write_bytes(b"x")
        files.append(folder / name)
    media = ReadyMedia(files, context.shelf, box.signer)
    box.__dict__["media"] = media
    box.__dict__["desk"] = GradingDesk(
        box.store, contest, rivals, media, needed_ms=5000, clock=lambda: clock.now / 1000
    )
    # as Gradio keeps the session of a Space with sign-in
    sessions = Middleware(SessionMiddleware, secret_key=SESSION_SECRET)
    with TestClient(Starlette(routes=arena_routes(box), middleware=[sessions])) as client:
        client.box = box  # type: ignore[attr-defined]
        yield client
    pool.shutdown()
    box.close()

"""A small world for the arena: queries, systems of known strength, a clock that tests turn by hand."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mvr.arena.arena import Arena
from mvr.arena.ballot import Ballot, OpenBattle
from mvr.arena.candidates import Candidate, Competitor, QueryItem
from mvr.arena.draw import DrawSettings
from mvr.arena.rules import ArenaSettings
from mvr.datatypes import Direction
from mvr.votes.records import Battle
from mvr.votes.store import VoteStore
from mvr.votes.voter import VoterSigner

TEXT = "We keep your votes."


@dataclass
class Clock:
    """Milliseconds that pass only when a test says so."""

    now: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


@dataclass
class World:
    """Candidates of `queries` videos over `tracks` tracks; each system has its own, fixed order."""

    queries_count: int = 12
    tracks: int = 40
    pool_version: str = "pool-1"
    asked: list[str] = field(default_factory=list)

    def queries(self, direction: Direction) -> Sequence[QueryItem]:
        return [
            QueryItem(
                query_id=f"{direction.query}-{i}",
                group_id=f"source-{i // 2}",
                duration_s=12.0,
                genre=("rock", "jazz", "pop")[i % 3],
            )
            for i in range(self.queries_count)
        ]

    def items(self, direction: Direction) -> Sequence[Candidate]:
        return [
            Candidate(item_id=f"{direction.target}-{i}", group_id=f"group-{i}", rank=i + 1, score=0.0)
            for i in range(self.tracks)
        ]

    def top(self, query: QueryItem, competitor: Competitor, k: int) -> Sequence[Candidate]:
        direction = (
            Direction.VIDEO_TO_MUSIC if query.query_id.startswith("video") else Direction.MUSIC_TO_VIDEO
        )

        def order(item: Candidate) -> str:
            return hashlib.sha256(f"{query.query_id}{competitor.name}{item.item_id}".encode()).hexdigest()

        ranked = sorted(self.items(direction), key=order)[:k]
        return [
            Candidate(
                item_id=item.item_id, group_id=item.group_id, rank=rank, score=1 - rank / 100, start_s=3.0
            )
            for rank, item in enumerate(ranked, 1)
        ]


SYSTEMS = tuple(Competitor(system_id=name, version="1") for name in ("cca", "mvbind", "random"))


@dataclass
class Visit:
    """One visitor who has consented."""

    arena: Arena
    clock: Clock
    voter: str
    direction: Direction = Direction.VIDEO_TO_MUSIC
    session: str = "session"

    def __post_init__(self) -> None:
        self.arena.consent(self.voter, self.session, version="1", text=TEXT)

    def next(self) -> OpenBattle:
        return self.arena.next_battle(self.voter, self.direction, session_id=self.session)

    def ballot(self, outcome: str = "left", **changes: object) -> Ballot:
        values: dict[str, object] = {
            "outcome": outcome,
            "consent_version": "1",
            "session_id": self.session,
            "listen_left_ms": 6000,
            "listen_right_ms": 6000,
        }
        return Ballot(**(values | changes))  # type: ignore[arg-type]

    def vote(self, shown: OpenBattle, outcome: str = "left", seconds: float = 20.0):
        self.clock.pass_s(seconds)
        return self.arena.vote(shown.token, self.voter, self.ballot(outcome))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VoteStore]:
    with VoteStore.open(tmp_path / "votes.sqlite") as store:
        yield store


@pytest.fixture
def signer() -> VoterSigner:
    return VoterSigner(b"a secret for tests only")


@pytest.fixture
def make_arena(store, world, clock, signer):
    def make(**draw: object) -> Arena:
        settings = ArenaSettings(draw=DrawSettings(**draw))  # type: ignore[arg-type]
        return Arena(store, world, SYSTEMS, signer, settings=settings, clock=clock, seed=5)

    return make


@pytest.fixture
def visit(make_arena, clock) -> Visit:
    return Visit(make_arena(check_share=0.0), clock, "anna")


@pytest.fixture
def make_visit(clock):
    def make(arena: Arena, voter: str, **more: object) -> Visit:
        return Visit(arena, clock, voter, **more)  # type: ignore[arg-type]

    return make


@dataclass
class Crowd:
    """Synthetic voters with known tastes, voting through the real arena.

    Attributes:
        theta: true strength of each system in nats; nu: how readily they call a tie.
        voter_sd: how much voters differ in what they like.
    """

    clock: Clock
    theta: dict[str, float]
    nu: float = 0.5
    voter_sd: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def votes(
        self, arena: Arena, voter: str, count: int, habit: str = "honest", direction: str = "v2m"
    ) -> None:
        """One voter casts `count` votes. Habits: honest, clicks (at random), left (always), shill:SYSTEM."""
        visit = Visit(arena, self.clock, voter, Direction(direction))
        taste = {name: value + self.rng.gauss(0, self.voter_sd) for name, value in self.theta.items()}
        for _ in range(count):
            shown = visit.next()
            visit.vote(shown, self.choice(shown.battle, habit, taste))

    def choice(self, battle: Battle, habit: str, taste: dict[str, float]) -> str:
        if habit == "left":
            return "left"
        if habit == "clicks":
            return self.rng.choice(["left", "right"])
        if habit.startswith("shill:"):
            for side in ("left", "right"):
                if battle.side(side).system_id == habit[6:]:
                    return side
        if battle.gold_answer:
            right = self.rng.random() < 0.95
            return battle.gold_answer if right else {"left": "right", "right": "left"}[battle.gold_answer]
        gap = taste[battle.left.system_id] - taste[battle.right.system_id]
        weights = [math.exp(gap / 2), math.exp(-gap / 2), self.nu]
        return self.rng.choices(["left", "right", "tie"], weights)[0]


@pytest.fixture
def crowd(clock: Clock) -> Crowd:
    return Crowd(clock, {"cca": 0.6, "mvbind": 0.0, "random": -0.6})


@pytest.fixture(scope="session")
def make_crowd():
    """A crowd and the arena that it votes in, on any store."""

    def make(store: VoteStore, **draw: object) -> tuple[Crowd, Arena]:
        clock = Clock()
        settings = ArenaSettings(draw=DrawSettings(**draw))  # type: ignore[arg-type]
        signer = VoterSigner(b"a secret for tests only")
        arena = Arena(store, World(), SYSTEMS, signer, settings=settings, clock=clock, seed=5)
        return Crowd(clock, {"cca": 0.6, "mvbind": 0.0, "random": -0.6}), arena

    return make

"""Somebody with a script, over HTTP and nothing else: learn who is who from reveals, then vote for one system."""

from __future__ import annotations

import hashlib
import random
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mvr.arena.board import build_board
from mvr.page.voting.battle_media import BattleMedia
from mvr.votes.records import Battle
from tests.page.conftest import Clock
from tests.page.test_arena_routes import visitor
from tests.page.test_hearing import Server


def write_tone(path: Path, number: int) -> Path:
    """A sound of its own for every track, all of one length."""
    samples = np.random.default_rng(number).integers(-9000, 9000, (2400, 2)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 48_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(tmp_path: Path, clock: Clock) -> Iterator[Server]:
    server = Server(tmp_path, clock)
    tracks = {f"t{number}": write_tone(tmp_path / f"t{number}.wav", number) for number in range(20)}

    def of_battle(battle: Battle) -> BattleMedia:
        sounds = tuple(tracks[side.item_id] for side in (battle.left, battle.right))
        return BattleMedia(videos=(tmp_path / "0.mp4",), sounds=sounds, duration_s=20.0)

    server.box.media.of_battle = of_battle  # type: ignore[method-assign]
    yield server
    server.close()


def by_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def by_sound(data: bytes) -> str:
    """What survives dither: the loud half of the bits of every hundredth sample."""
    with wave.open(BytesIO(data)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(int)
    return str(((samples[::100] + 64) // 128).tolist())


Choose = Callable[[list[str], list[bytes]], str]


@dataclass
class Outsider:
    """Speaks HTTP only, and remembers what reveals taught."""

    server: Server
    clock: Clock
    fingerprint: Callable[[bytes], str]
    known: dict[str, str] = field(default_factory=dict)
    seen: int = 0
    recognised: int = 0
    sizes: set[tuple[int, int]] = field(default_factory=set)
    taken: int = 0

    def visit(self, votes: int, choose: Choose, *, listens: bool) -> None:
        """A fresh voter casts some votes, and looks at the names after each."""
        me = visitor(self.server.client)
        for _ in range(votes):
            answer = self.post(me, "battle", direction="v2m")
            if "token" not in answer:
                return
            sounds = [self.server.client.get(f"/{address}").content for address in answer["sounds"]]
            names = [self.known.get(self.fingerprint(data), "?") for data in sounds]
            self.seen += 2
            self.recognised += sum(name != "?" for name in names)
            self.sizes.add((len(sounds[0]), len(sounds[1])))
            if listens:
                self.clock.now += 12_000
            cast = self.post(
                me, "vote", direction="v2m", token=answer["token"], outcome=choose(names, sounds),
                listen_left_ms=6000, listen_right_ms=6000,
            )  # fmt: skip
            self.taken += "saved" in cast
            named = self.post(me, "reveal", token=answer["token"])
            for side, data in zip(("left", "right"), sounds, strict=True):
                if side in named:
                    self.known[self.fingerprint(data)] = named[side]["system"]

    def post(self, me: dict[str, Any], name: str, **payload: Any) -> dict[str, Any]:
        body = {"session": me["session"]} | payload
        return dict(self.server.client.post(f"/arena/{name}", json=body, headers=me["headers"]).json())


def for_system(favourite: str, rng: random.Random) -> Choose:
    def choose(names: list[str], _: list[bytes]) -> str:
        if favourite in names:
            return ("left", "right")[names.index(favourite)]
        return rng.choice(["left", "right"])

    return choose


def test_hashes_sizes_and_lengths_teach_nothing_and_who_does_not_wait_casts_nothing(
    server: Server, clock: Clock
) -> None:
    outsider = Outsider(server, clock, by_hash)
    for number in range(4):
        outsider.visit(4, for_system("two", random.Random(number)), listens=True)
    assert outsider.taken >= 14 and len(outsider.known) >= 28 and outsider.recognised == 0
    assert len(outsider.sizes) == 1 and len(set(outsider.sizes.copy().pop())) == 1
    taken = outsider.taken
    for number in range(3):
        outsider.visit(3, for_system("two", random.Random(number)), listens=False)
    assert outsider.taken == taken and outsider.recognised == 0


@pytest.mark.slow
def test_forty_who_know_every_system_by_its_sound_do_not_move_the_board(server: Server, clock: Clock) -> None:
    """All behind one address, honest people too: what is heard tells, how votes are counted answers it."""
    rng = random.Random(2)

    def honest(names: list[str], sounds: list[bytes]) -> str:
        likes_one = rng.random() < 0.62
        if "one" not in names or "two" not in names:
            return rng.choice(["left", "right", "tie"])
        return ("left", "right")[names.index("one" if likes_one else "two")] if rng.random() < 0.8 else "tie"

    teacher = Outsider(server, clock, by_sound)
    for _ in range(6):
        teacher.visit(6, for_system("one", rng), listens=True)
    crowd = Outsider(server, clock, by_sound, dict(teacher.known))
    for _ in range(40):
        crowd.visit(6, honest, listens=True)
    before = build_board(server.box.store).section("all")["rows"]
    attack = Outsider(server, clock, by_sound, dict(crowd.known))
    for _ in range(40):
        attack.visit(6, for_system("two", rng), listens=True)
    board = build_board(server.box.store)
    after = {row["system"]: row["elo"] for row in board.section("all")["rows"]}
    print(f"{attack.recognised} of {attack.seen} identities known, {attack.taken} votes taken")
    assert attack.recognised > 0.9 * attack.seen and attack.taken > 200
    for row in before:
        width = row["elo_high"] - row["elo_low"]
        print(
            f"{row['system']}: {row['elo']:.0f} of width {width:.0f}, moved by {after[row['system']] - row['elo']:+.0f}"
        )
        assert abs(after[row["system"]] - row["elo"]) < width / 2
    assert any(campaign["target"] in ("two", "against one") for campaign in board.document["campaigns"])

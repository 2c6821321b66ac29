"""Hearing is the server's fact: what it sent of both sides of this battle, and the time between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mvr.arena.arena import Arena
from mvr.arena.candidates import Competitor
from mvr.arena.rules import ArenaSettings
from mvr.page.serving import Shelf
from mvr.page.voting.arena_routes import arena_routes
from mvr.page.voting.ballot_box import BallotBox
from mvr.page.voting.grading import GradingDesk
from mvr.page.voting.hearing import Hearing
from mvr.page.voting.voters import GroupLabels
from mvr.votes.records import Judgment, Vote
from tests.page.conftest import Clock, ReadyMedia, TwoLists
from tests.page.test_arena_routes import battle, post, visitor, vote
from tests.page.test_battle_media import write_noise


class Server:
    """One start of the page's arena on a folder; a second one is a restart."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.pool = ThreadPoolExecutor(1)
        shelf = Shelf()
        needs = SimpleNamespace(
            votes_url=f"sqlite:///{folder / 'v.db'}",
            shelf=shelf,
            pool=self.pool,
            catalogue=None,
            listen_ms=5000,
        )
        self.box = box = BallotBox(needs)  # type: ignore[arg-type]
        box.hearing = Hearing(lambda: box.store, clock)
        contest, rivals = TwoLists(), [Competitor(system_id=name, version="1") for name in ("one", "two")]
        files = [folder / "0.mp4", *(write_noise(folder / f"{n}.wav", 2.0) for n in (0, 1))]
        files[0].write_bytes(b"picture")
        media = ReadyMedia(files, shelf, box.signer)
        media._hearing = box.hearing
        settings = ArenaSettings(needs_served=True)
        box.__dict__ |= {
            "contest": contest,
            "media": media,
            "arena": Arena(box.store, contest, rivals, box.signer, settings=settings, clock=clock, seed=1),
            "desk": GradingDesk(
                box.store,
                contest,
                rivals,
                media,
                needed_ms=5000,
                hearing=box.hearing,
                clock=lambda: clock.now / 1000,
            ),
        }
        self.client = TestClient(Starlette(routes=[*arena_routes(box), shelf.route()]))
        self.client.box = box  # type: ignore[attr-defined]

    def close(self) -> None:
        self.client.close()
        self.pool.shutdown()
        self.box.close()

    def load(self, address: str, **headers: str) -> Any:
        return self.client.get(f"/{address}", headers=headers)


@pytest.fixture
def start(tmp_path: Path, clock: Clock) -> Iterator[Any]:
    servers: list[Server] = []

    def starting() -> Server:
        servers.append(Server(tmp_path, clock))
        return servers[-1]

    yield starting
    for server in servers:
        server.close()


def test_who_loaded_nothing_is_told_so_and_keeps_the_battle(start: Any, clock: Clock) -> None:
    server = start()
    me = visitor(server.client)
    shown = battle(server.client, me)
    clock.now += 15_000
    answer = vote(server.client, me, shown["token"])
    assert answer.status_code == 409
    assert answer.json() == {
        "error": "side A had not loaded yet; listen to it, then vote again", "keep": True, "reload": True,
    }  # fmt: skip
    server.load(shown["sounds"][0])
    assert "side B had not loaded" in vote(server.client, me, shown["token"]).json()["error"]
    server.load(shown["sounds"][1])
    early = vote(server.client, me, shown["token"]).json()
    assert early["error"] == "listen for another 10 s, then vote again" and not early["reload"]
    clock.now += 10_000
    heard = {"listen_left_ms": 5_000, "listen_right_ms": 5_000}
    assert vote(server.client, me, shown["token"], **heard).json()["saved"] is True


def test_ranges_add_up_and_a_slow_line_hears_how_much_came(start: Any, clock: Clock) -> None:
    server = start()
    me = visitor(server.client)
    shown = battle(server.client, me)
    left, right = shown["sounds"]
    size = len(server.load(right).content)
    wanted = size * 5 // 20  # five of twenty seconds
    for first, last in ((0, wanted // 2 - 1), (0, wanted // 4)):
        assert server.load(left, range=f"bytes={first}-{last}").status_code == 206
    clock.now += 15_000
    answer = vote(server.client, me, shown["token"]).json()
    assert answer["error"].startswith(
        "only 50% of the first 5 s of side A has reached you; your connection is slow"
    )
    server.load(left, range=f"bytes={wanted // 2}-{wanted}")
    assert vote(server.client, me, shown["token"]).json()["saved"] is True


def test_hearing_outlives_a_reload_and_a_restart(start: Any, clock: Clock) -> None:
    server = start()
    me = visitor(server.client)
    shown = battle(server.client, me)
    server.load(shown["sounds"][0])
    again = battle(server.client, me)
    assert again["restored"] and again["sounds"] == shown["sounds"]
    server.load(again["sounds"][1])
    clock.now += 15_000
    second = start()
    assert vote(second.client, me, shown["token"]).json()["saved"] is True


def test_a_browser_s_own_numbers_only_lower_what_was_heard(start: Any, clock: Clock) -> None:
    server = start()
    me = visitor(server.client)
    shown = battle(server.client, me)
    clock.now += 60_000
    for address in shown["sounds"]:
        server.load(address)
    clock.now += 12_000
    short = vote(server.client, me, shown["token"], listen_left_ms=100)
    long = vote(server.client, me, shown["token"], listen_left_ms=30_000, listen_right_ms=30_000)
    assert short.status_code == long.status_code == 409
    assert vote(server.client, me, shown["token"], listen_left_ms=5_500).json()["saved"]
    (stored,) = server.box.store.rows(Vote)
    assert (stored.listen_left_ms, stored.listen_right_ms) == (5_500, 6_000)


def test_bytes_of_another_battle_are_not_heard_here(start: Any, clock: Clock) -> None:
    server = start()
    me, other = visitor(server.client), visitor(server.client)
    mine, theirs = battle(server.client, me), battle(server.client, other)
    for address in theirs["sounds"]:
        server.load(address)
    clock.now += 15_000
    assert vote(server.client, me, mine["token"]).json()["reload"] is True


def test_a_clock_two_hours_back_asks_to_load_again_and_locks_nothing(start: Any, clock: Clock) -> None:
    server = start()
    me = visitor(server.client)
    shown = battle(server.client, me)
    for address in shown["sounds"]:
        server.load(address)
    clock.now -= 2 * 3_600_000 - 15_000
    assert vote(server.client, me, shown["token"]).json()["reload"] is True
    again = battle(server.client, me)
    for address in again["sounds"]:
        server.load(address)
    clock.now += 11_000
    assert vote(server.client, me, again["token"]).json()["saved"] is True
    following = battle(server.client, me)
    assert following["token"] != shown["token"], "the newest battle is told by its number"


def test_a_graded_music_has_to_be_sent_too(start: Any, clock: Clock) -> None:
    server = start()
    me = visitor(server.client)
    item = post(server.client, me, "judge-next").json()
    clock.now += 8_000
    refused = post(server.client, me, "judge", token=item["token"], grade=2, listen_ms=6000)
    assert refused.status_code == 409 and refused.json()["keep"]
    server.load(item["sounds"][0])
    early = post(server.client, me, "judge", token=item["token"], grade=2, listen_ms=6000).json()
    assert early["error"] == "listen for another 5 s, then grade again"
    clock.now += 5_000
    assert post(server.client, me, "judge", token=item["token"], grade=2, listen_ms=6000).json()["saved"]
    assert [row.grade for row in server.box.store.rows(Judgment)] == [2]


def test_votes_of_one_network_on_one_day_share_a_label_and_no_address_is_stored(
    start: Any, clock: Clock
) -> None:
    server = start()
    box = server.box
    box.labels = GroupLabels(clock)
    assert box.labels.of("2001:db8::1") == box.labels.of("2001:db8::2") != box.labels.of("2001:db8:1::1")
    me = visitor(server.client)
    shown = battle(server.client, me)
    for address in shown["sounds"]:
        server.load(address)
    clock.now += 12_000
    vote(server.client, me, shown["token"], recognised=True)
    (stored,) = box.store.rows(Vote)
    assert stored.group_label == box.labels.of("testclient") and stored.recognised == 1
    from tests.page.test_arena_routes import all_rows

    assert "testclient" not in repr(box.store.read(all_rows))


def test_what_was_sent_counts_at_once_however_far_behind_the_writer_is(start: Any, clock: Clock) -> None:
    server = start()
    comes = threading.Event()
    server.box.hearing._writer.submit(comes.wait, 60)  # a busy machine: the writer comes much later
    me = visitor(server.client)
    shown = battle(server.client, me)
    for address in shown["sounds"]:
        server.load(address)
    clock.now += 15_000
    try:
        assert vote(server.client, me, shown["token"]).json()["saved"] is True
    finally:
        comes.set()

"""Battles made ahead: one per visitor, so many in all, and one that fails is drawn anew."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from mvr.datatypes import Direction
from mvr.errors import MediaError
from mvr.page.voting.ahead import Ahead

V2M = Direction.VIDEO_TO_MUSIC


def test_a_visitor_finds_the_one_battle_that_was_made_for_them():
    asked: list[str] = []

    def make(voter: str, session: str, direction: Direction) -> Any:
        asked.append(voter)
        return f"battle of {voter}"

    with ThreadPoolExecutor(1) as pool:
        ahead = Ahead(pool, make)
        ahead.prepare("anna", "s", V2M)
        ahead.prepare("anna", "s", V2M)
        assert ahead.take("anna", V2M) == "battle of anna" and asked == ["anna"]
        assert ahead.take("anna", V2M) is None and ahead.take("bert", V2M) is None


def test_many_who_go_away_leave_a_bounded_number_and_the_oldest_is_not_even_made():
    asked: list[str] = []
    begun, gate = Event(), Event()

    def make(voter: str, session: str, direction: Direction) -> Any:
        asked.append(voter)
        begun.set()
        assert gate.wait(60)
        return voter

    with ThreadPoolExecutor(1) as pool:
        ahead = Ahead(pool, make, most=3)
        for number in range(10):
            ahead.prepare(f"v{number}", "s", V2M)
            assert begun.wait(60)  # on the first: it is being made while the others come
        gate.set()
        found = [ahead.take(f"v{number}", V2M) for number in range(10)]
    assert found == [None] * 7 + ["v7", "v8", "v9"] and asked == ["v0", "v7", "v8", "v9"]


def test_one_that_cannot_be_made_is_none_and_the_next_is_tried():
    def make(voter: str, session: str, direction: Direction) -> Any:
        raise MediaError("the file is gone")

    with ThreadPoolExecutor(1) as pool:
        ahead = Ahead(pool, make)
        for _ in range(2):
            ahead.prepare("anna", "s", V2M)
            assert ahead.take("anna", V2M) is None

"""A visitor's files are found by their own session only and go after a while."""

from __future__ import annotations

import os
import time

import pytest

from mvr.page.serving.shelf import Shelf, ShelfItem
from mvr.page.serving.visits import Visits


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def visits(tmp_path, shelf, clock) -> Visits:
    return Visits(tmp_path / "visits", shelf, retention_s=60, clock=clock)


def test_a_session_keeps_its_visit_and_another_has_its_own(visits):
    assert visits.of("a") is visits.of("a")
    assert visits.of("a").folder != visits.of("b").folder


def test_names_of_files_and_folders_tell_nothing(visits):
    first, second = visits.of("a").new_file(".mp4"), visits.of("a").new_file(".mp4")
    assert first != second
    assert "a" not in first.parent.name.split()


def test_the_end_of_a_visit_deletes_files_and_addresses(visits, shelf):
    visit = visits.of("a")
    path = visit.new_file(".mp4")
    path.write_bytes(b"x")
    token = shelf.put(ShelfItem(path=path, name="clip.mp4", owner=visit.id)).split("/")[1]
    visits.end("a")
    assert not path.exists() and not visit.folder.exists()
    assert shelf.take(token) is None
    assert visits.of("a") is not visit


def test_a_visit_ends_when_it_was_not_used_for_the_retention_time(visits, clock):
    visits.of("old").new_file(".mp4").write_bytes(b"x")
    clock.now = 50
    young = visits.of("young")
    clock.now = 61
    assert visits.sweep() == 1
    assert visits.of("young") is young
    clock.now = 100
    assert visits.sweep() == 0, "using a visit keeps it"


def test_what_a_killed_server_left_is_deleted_once_it_is_old(tmp_path, shelf):
    old, new = (tmp_path / "visits" / name for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "clip.mp4").write_bytes(b"x")
    for path in (old / "clip.mp4", old):
        os.utime(path, (time.time() - 3600,) * 2)
    Visits(tmp_path / "visits", shelf, retention_s=60)
    assert not old.exists() and new.exists()


def test_ending_all_leaves_nothing(visits, tmp_path):
    for session in "abc":
        visits.of(session).new_file(".mp4").write_bytes(b"x")
    visits.end_all()
    assert list((tmp_path / "visits").iterdir()) == []


def test_a_page_that_is_loaded_anew_finds_its_visit_by_the_ticket_and_nobody_does_without(visits, clock):
    visit = visits.of("a")
    path = visit.new_file(".mp4")
    path.write_bytes(b"x")
    visits.leave("a")
    clock.now = 30
    stranger = visits.of("b")  # some handler asks with the new session before the ticket comes
    stranger.new_file(".mp4").write_bytes(b"y")
    assert visits.resume("b", visit.ticket) is visit and visits.of("b") is visit
    assert not stranger.folder.exists(), "the visit in between is gone"
    for wrong in ("", "x", "é", visit.ticket[:-1]):
        assert visits.resume("c" + wrong, wrong) is not visit
    clock.now = 89  # kept, since a page of it is open
    visits.of("b")
    clock.now = 140
    visits.sweep()
    assert path.exists()


def test_the_files_go_a_grace_after_the_last_page_of_a_visit_was_closed(tmp_path, shelf, clock):
    visits = Visits(tmp_path / "visits", shelf, retention_s=1000, grace_s=60, clock=clock)
    visit = visits.of("a")
    path = visit.new_file(".mp4")
    path.write_bytes(b"x")
    visits.resume("second page", visit.ticket)
    visits.leave("a")
    visits.leave("a")
    clock.now = 59
    visits.of("second page")
    clock.now = 100
    assert visits.sweep() == 0, "the other page is open"
    visits.leave("second page")
    clock.now = 159
    assert visits.sweep() == 0
    clock.now = 161
    assert visits.sweep() == 1 and not path.exists()
    visits.leave("nobody")


def test_every_page_of_a_visit_ends_with_it(visits):
    visit = visits.of("a")
    visits.resume("b", visit.ticket)
    visits.end("b")
    assert visits.of("a") is not visit

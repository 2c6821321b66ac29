"""After a cancel or a newer search nothing more is shown of one; its list is as the controls stand when it is there."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mvr.datatypes import Direction
from mvr.errors import MediaError
from mvr.media.stopping import Stopped, wanted_here
from mvr.page import texts
from mvr.page.search import search_events
from mvr.page.search.desk import Clip, Desk
from mvr.page.search.preview import Preview
from mvr.page.search.search_events import SearchEvents
from mvr.page.search.search_view import NOTHING, Shown
from mvr.page.search.waiting import Progress, Waiting
from mvr.page.serving import Jobs


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Handlers of one visitor whose clips are always found and always play."""
    made = SearchEvents.__new__(SearchEvents)
    desk = Desk(direction=Direction.VIDEO_TO_MUSIC, owner="me")
    made.desk = desk  # type: ignore[attr-defined]
    made.direction = Direction.VIDEO_TO_MUSIC
    made.context = SimpleNamespace(
        catalogue=SimpleNamespace(load=lambda *_: None, retriever=lambda *_: made.retriever),
        pool=ThreadPoolExecutor(1),
        jobs=Jobs(1),
    )  # type: ignore[assignment]
    made.retriever = SimpleNamespace(lacks=lambda _: False)  # type: ignore[attr-defined]
    made.teachers = made.limits = None  # type: ignore[assignment]
    shown = {
        name: (lambda *_, name=name, **__: Shown(status=name))
        for name in ("busy", "searching", "full", "error")
    }
    made.view = SimpleNamespace(**shown)  # type: ignore[assignment]
    clip = Clip(path=tmp_path / "a" / "clip.mp4", name="clip.mp4", info=SimpleNamespace(duration_s=3))  # type: ignore[arg-type]
    monkeypatch.setattr(made, "_desk", lambda _: (None, desk))
    monkeypatch.setattr(
        made, "_ask", lambda _, controls: SimpleNamespace(library="demo", system=controls.system)
    )
    monkeypatch.setattr(search_events, "example_clip", lambda *_: clip)
    monkeypatch.setattr(search_events, "embed", lambda *_: "query")
    monkeypatch.setattr(search_events, "announcement", lambda *_: None)
    monkeypatch.setattr(search_events, "plays_as_it_is", lambda _: True, raising=False)
    monkeypatch.setattr("mvr.page.search.desk.plays_as_it_is", lambda _: True)
    monkeypatch.setattr(search_events, "rank_by_taste", lambda *_: None)
    return made


CONTROLS = SimpleNamespace(voter="", system="mini")


def test_a_search_that_nobody_stops_ends_in_a_full_view(events: Any) -> None:
    said = [shown.status for shown in events.pick("s", "1", CONTROLS)]
    assert said[0] == "searching" and said[-1] == "full"
    assert events.desk.clip is not None


def test_a_library_of_an_earlier_version_is_read_again_with_progress(events: Any, monkeypatch) -> None:
    clock, read = [0.0], []

    def prepare(direction: Direction, progress: Any) -> None:
        for done in range(20):
            clock[0] += 1.0
            progress(done, 20, "a.wav")
            time.sleep(0.05)
        read.append(direction)

    monkeypatch.setattr(search_events, "Waiting", lambda: Waiting(lambda: clock[0]))
    monkeypatch.setattr(search_events, "POLL_S", 0.01)
    monkeypatch.setattr(
        events.view, "busy", lambda said, progress=None: Shown(status=(said, progress)), raising=False
    )
    events.retriever = SimpleNamespace(lacks=lambda _: not read, prepare=prepare)
    said = [shown.status for shown in events.pick("s", "1", CONTROLS)]
    told = [status[1] for status in said if status[0] == texts.READING_LIBRARY]
    assert told[0] is None and len({progress.percent for progress in told[1:]}) > 3
    assert said[-1] == "full" and read == [Direction.VIDEO_TO_MUSIC]


def test_after_a_cancel_nothing_more_is_shown_and_the_desk_is_as_it_was(events: Any) -> None:
    running = events.pick("s", "1", CONTROLS)
    next(running)
    events.cancel("s")
    assert list(running) == [NOTHING], "for what came last is shown once more"
    assert events.desk.clip is None and events.desk.queries == {}


@pytest.mark.parametrize("ends", ["cancelled", "no player", "no list"])
def test_a_clip_that_never_became_playable_gives_the_one_before_it_back(
    events: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: str
) -> None:
    def clip(name: str) -> Clip:
        (tmp_path / name).mkdir()
        (tmp_path / name / "clip.mp4").write_bytes(b"clip")
        return Clip(path=tmp_path / name / "clip.mp4", name=name, info=SimpleNamespace(duration_s=3))  # type: ignore[arg-type]

    def refuse(*_: Any) -> Path:
        raise MediaError("damaged further on")

    monkeypatch.setattr(search_events, "example_clip", lambda _, item_id, __: clip(item_id))
    list(events.pick("s", "first", CONTROLS))
    events.desk.note, found = "the first one's list", dict(events.desk.queries)
    monkeypatch.setattr("mvr.page.search.desk.plays_as_it_is", lambda _: False)
    goes_on = threading.Event()
    makes: Any = refuse if ends == "no player" else lambda *_: goes_on.wait(60) and tmp_path / "copy.mp4"
    monkeypatch.setattr(search_events, "make_player", makes)
    if ends == "no list":
        monkeypatch.setattr(search_events, "rank_by_taste", refuse)
    running = events.pick("s", "second", CONTROLS)
    said = [next(running).status]
    while ends == "cancelled" and events.desk.clip.name == "first":
        said.append(next(running).status)
    if ends == "cancelled":
        events.cancel("s")
    goes_on.set()
    said += [shown.status for shown in running]
    assert said[-1] == (None if ends == "cancelled" else "error")
    assert (events.desk.clip.name, events.desk.note) == ("first", "the first one's list")
    assert events.desk.queries == found and events.desk.player == events.desk.clip.path
    assert (tmp_path / "first" / "clip.mp4").exists() and not (tmp_path / "second" / "clip.mp4").exists()


def test_a_newer_search_overtakes_an_older_one(events: Any) -> None:
    older, newer = events.pick("s", "1", CONTROLS), events.pick("s", "2", CONTROLS)
    next(older)
    next(newer)
    assert list(older) == [NOTHING], "its clip is not put back on the stage"
    assert [shown.status for shown in newer][-1] == "full"


def test_a_control_that_moves_while_a_clip_is_searched_counts(
    events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        search_events, "rank_by_taste", lambda teachers, desk, ask, voter: asked.append(ask.library)
    )
    monkeypatch.setattr(events, "_ask", lambda _, controls: controls)
    before = SimpleNamespace(voter="", system="mini", library="demo")
    running = events.pick("s", "1", before)
    next(running)
    assert list(events.again("s", SimpleNamespace(voter="", system="mini", library="own"))) == []
    assert [shown.status for shown in running][-1] == "full"
    assert asked == ["own"]


def test_while_a_long_clip_is_read_the_status_says_how_far_it_is(
    events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, steps = [0.0], [0.02, 0.25, 0.5, 0.9]
    reported, goes_on = threading.Semaphore(0), threading.Semaphore(0)

    class Slow(Waiting):
        def __init__(self) -> None:
            super().__init__(lambda: now[0])

    def embed(*arguments: Any) -> str:
        for share in steps:
            arguments[-1](share)
            reported.release()
            assert goes_on.acquire(timeout=60)
        return "query"

    told: list[Progress] = []

    def busy(_: str, progress: Progress | None = None) -> Shown:
        if progress is not None:
            told.append(progress)
            more = len(told) < len(steps)
            now[0] += 40 * (steps[len(told)] - steps[len(told) - 1]) if more else 0
            goes_on.release()
            assert not more or reported.acquire(timeout=60), "a thread that comes late is not asked before"
        return Shown(status="busy")

    monkeypatch.setattr(search_events, "Waiting", Slow)
    monkeypatch.setattr(search_events, "embed", embed)
    monkeypatch.setattr(events.view, "busy", busy)
    running = events.pick("s", "1", CONTROLS)
    next(running)
    assert reported.acquire(timeout=60)
    now[0] = 0.8  # of 40 s, 2 %
    said = [shown.status for shown in running]
    assert said[-1] == "full" and [one.percent for one in told] == [2, 25, 50, 90]
    assert [one.rest for one in told] == [
        "about 40 s left", "about 30 s left", "about 20 s left", "about 4 s left"
    ]  # fmt: skip


def test_a_system_that_loads_for_long_keeps_nobody_else_waiting(
    events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, waits = threading.Event(), SimpleNamespace(voter="", system="large")
    events.context.catalogue.load = lambda _, system: system == "large" and loaded.wait(60)
    of_visitors = {name: Desk(direction=Direction.VIDEO_TO_MUSIC, owner=name) for name in "abcdefgh"}
    monkeypatch.setattr(events, "_desk", lambda session: (None, of_visitors[session]))
    patient = [events.pick(name, "1", waits) for name in "abcdefg"]
    for one in patient:  # more of them than works at one time, and than threads that convert
        assert next(one).status == "searching"
    assert [shown.status for shown in events.pick("h", "1", CONTROLS)][-1] == "full"
    assert all(of_visitors[name].clip is None for name in "abcdefg")
    loaded.set()
    assert [[shown.status for shown in one][-1] for one in patient] == ["full"] * 7


class Writer:
    """Films that are written when they may; "broken" cannot be."""

    def __init__(self, events: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may, self.written = threading.Semaphore(0), []
        row = lambda _, item_id: SimpleNamespace(id=item_id, title=item_id, music_from_s=0.0)  # noqa: E731
        events.view.row = row
        events.view.exported = lambda visit, desk, said: Shown(status=said)
        events.view.busy = lambda said, *_: Shown(status=f"busy: {said}")
        events.view.error = lambda said: Shown(status=f"error: {said}")
        monkeypatch.setattr(search_events, "mux_preview", self.write)

    def write(self, visit: Any, desk: Desk, taken: Any, told: Any) -> Preview:
        assert self.may.acquire(timeout=60)
        if taken.row.id == "broken":
            raise MediaError("broken cannot be read")
        self.written.append(taken.row.id)
        return self.made(taken.row.id)

    def made(self, item_id: str) -> Preview:
        rest = {"name": "", "original": "mute", "start_s": 0.0, "shown": "", "credit": ""}
        return Preview(item_id=item_id, path=Path(item_id), **rest)


def test_what_is_asked_for_while_a_film_is_written_is_written_after_it(
    events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(events.pick("s", "1", CONTROLS))
    writer = Writer(events, monkeypatch)
    first = events.download("s", "a", "mute")
    said = [next(first).status]
    for item in ("broken", "b"):
        assert list(events.download("s", item, "mute")) == [NOTHING], "the first one goes on with it"
    writer.may.release(3)
    said += [shown.status for shown in first]
    assert writer.written == ["a", "b"]
    assert [one for one in said if one and "b" in one.split()[0]][-1].startswith("busy")
    assert said[-1] == "error: broken cannot be read", "what failed is said when all is done"
    assert sum("is ready" in one or one.startswith("busy") is False for one in said) == 3
    writer.may.release()
    assert [shown.status for shown in events.download("s", "c", "mute")] and writer.written[-1] == "c"


def test_a_cancel_ends_all_that_was_to_be_written(events: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    list(events.pick("s", "1", CONTROLS))
    writer = Writer(events, monkeypatch)
    first = events.download("s", "a", "mute")
    next(first)
    list(events.download("s", "b", "mute"))
    events.cancel("s")
    writer.may.release(1)
    assert list(first)[-1] == NOTHING and "b" not in writer.written
    writer.may.release(2)
    list(events.download("s", "c", "mute"))
    assert writer.written[-1] == "c" and "b" not in writer.written


@pytest.mark.parametrize("how", ["cancelled", "left", "too late"])
def test_a_film_and_a_fit_that_nobody_waits_for_stop_being_made_and_leave_nothing(
    events: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    list(events.pick("s", "1", CONTROLS))
    writer, began, ended = Writer(events, monkeypatch), threading.Semaphore(0), []

    def make(name: str) -> Path:
        began.release()
        while wanted_here()():
            time.sleep(0.001)
        ended.append(name)
        if how != "too late":  # what is done in the moment of the cancel is deleted
            raise Stopped
        (tmp_path / name).write_bytes(b"whole")
        return tmp_path / name

    def mux(*_: Any) -> Preview:
        return replace(writer.made("a"), path=make("a.mp4"))

    monkeypatch.setattr(search_events, "mux_preview", mux)
    monkeypatch.setattr(
        search_events, "fit_result", lambda *_: SimpleNamespace(sound=make("a.wav"), plan=None, row=None)
    )
    events.context.pool = ThreadPoolExecutor(2)
    running = [events.download("s", "a", "mute"), events.fit("s", "a", None)]
    for one in running:
        assert next(one).status.startswith("busy") and began.acquire(timeout=60)
    if how == "left":
        for one in running:
            one.close()
    else:
        events.cancel("s")
        assert [list(one) for one in running] == [[NOTHING], [NOTHING]]
    events.context.pool.shutdown()
    assert sorted(ended) == ["a.mp4", "a.wav"] and not list(tmp_path.iterdir())
    assert events.desk.preview is None and events.desk.fitted is None and not events.desk.taken


def test_a_film_of_a_clip_that_left_the_desk_is_not_written_from_the_new_one(
    events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(events.pick("s", "1", CONTROLS))
    writer = Writer(events, monkeypatch)
    first = events.download("s", "a", "mute")
    next(first)
    list(events.download("s", "b", "mute"))
    events.desk.clip = None
    writer.may.release(2)
    assert [shown.status for shown in first][
        -1
    ] == "error: b was not written, for another clip was chosen before."
    assert writer.written == ["a"]


def test_the_latest_fit_is_made_and_the_sound_of_an_older_one_let_go(
    events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(events.pick("s", "1", CONTROLS))
    Writer(events, monkeypatch)
    may, gone = threading.Event(), []

    def fit(visit: Any, desk: Desk, row: Any, typed: Any) -> Any:
        assert row.id == "b" or may.wait(60)
        return SimpleNamespace(row=row, plan=SimpleNamespace(method=None))

    events.context.pool = ThreadPoolExecutor(2)
    events.view.fitted = lambda visit, desk, said: Shown(status=desk.fitted.row.id)
    monkeypatch.setattr(search_events, "fit_result", fit)
    monkeypatch.setattr(search_events, "let_go", lambda one: gone.append(one and one.row.id))
    older = events.fit("s", "a", None)
    next(older)
    assert [shown.status for shown in events.fit("s", "b", None)][-1] == "b"
    may.set()
    assert list(older) == [NOTHING]
    events.context.pool.shutdown()
    assert events.desk.fitted.row.id == "b" and gone == [None, "a"]

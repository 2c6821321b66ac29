"""Starts that are refined after a list is shown: clips and old libraries are measured in the background."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mvr.datatypes import Direction, Modality
from mvr.embeddings.system import load_system
from mvr.errors import Truncated
from mvr.library import Library
from mvr.media.probe import probe
from mvr.page import texts
from mvr.page.search.desk import Ask, Clip, Desk, rank
from mvr.page.search.measuring import PATIENCE_S, Measuring, Target, Told, Work
from mvr.page.search.refining import Refining, said
from mvr.page.search.search_view import View
from mvr.page.serving import Shelf
from mvr.retrieval import Filters, Retriever
from mvr.timing.placing.places import percent


class Timings:
    """Notes what is measured, in order; `hold` keeps it inside a clip until it is set."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.threads: set[int] = set()
        self.hold = threading.Event()
        self.inside = threading.Event()

    def measure(self, path: Path, content: str, modality: Modality, progress: Any, *, on_disk: bool) -> None:
        self.seen.append(content)
        self.threads.add(threading.get_ident())
        while not on_disk and not self.hold.is_set():
            progress(0.25)
            self.inside.set()
            time.sleep(0.005)


def work(timings: Timings, names: str, wanted: Callable[[], bool] = lambda: True, **more: Any) -> Work:
    targets = [
        Target(path=Path(name), content=name, modality=Modality.AUDIO, on_disk=name.islower())
        for name in names
    ]
    return Work(about=names, timings=timings, find=lambda: targets, wanted=wanted, **more)  # type: ignore[arg-type]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_one_worker_takes_the_clip_first_then_the_list_then_the_rest() -> None:
    measuring, timings = Measuring(), Timings()
    asked = work(timings, "abcC", first=frozenset("c"))
    first = measuring.ask("one", asked)
    assert not first.finished and not said(first, Direction.VIDEO_TO_MUSIC), (
        "nothing is said of a clip before somebody has looked"
    )
    timings.inside.wait(60)
    assert measuring.ask("one", asked).clip_share == 0.25
    other = work(timings, "xy")
    measuring.ask("two", other)
    timings.hold.set()
    until(lambda: measuring.ask("one", asked).finished and measuring.ask("two", other).finished)
    assert timings.seen[:2] == ["C", "c"] and sorted(timings.seen) == sorted("Cabcxy")
    assert len(timings.threads) == 1, "one worker for all"


def test_a_clip_that_is_dropped_stops_at_once_and_a_finished_work_is_not_done_again() -> None:
    measuring, timings, here = Measuring(), Timings(), [True]
    measuring.ask("one", work(timings, "Ca", lambda: here[0]))
    timings.inside.wait(60)
    here[0] = False
    until(lambda: measuring._thread is None)
    assert timings.seen == ["C"], "the library of a page that was left is not measured either"
    again = work(timings, "a")
    until(lambda: measuring.ask("one", again).finished)
    until(lambda: measuring._thread is None)
    assert measuring.ask("one", work(timings, "a")).finished and timings.seen == ["C", "a"]


def test_what_nobody_asks_for_any_more_ends() -> None:
    now = [0.0]
    measuring, timings = Measuring(lambda: now[0]), Timings()
    measuring.ask("one", work(timings, "C"))
    timings.inside.wait(60)
    now[0] = PATIENCE_S + 1
    until(lambda: measuring._thread is None)


@pytest.fixture
def page(tiny_assets: Path, tmp_path: Path, make_tone, make_clip, monkeypatch):
    """A list for a clip that is too long to be watched while it is embedded, over an old library of two tracks."""
    monkeypatch.setattr("mvr.library.timings.WATCHED_S", 1.0)
    library, system = Library.open(tmp_path / "library"), load_system("tiny")
    library.add([make_tone(tmp_path / f"{n}.wav", seconds=9.0, seed=n) for n in range(2)], system)
    shutil.rmtree(library.root / "timing")
    library = Library.open(tmp_path / "library")
    clip = make_clip(tmp_path / "clip.mp4", seconds=3.0, rate_hz=25)
    retriever = Retriever(library, system)
    catalogue: Any = SimpleNamespace(retriever=lambda *_: retriever)
    desk = Desk(direction=Direction.VIDEO_TO_MUSIC, owner="visit")
    desk.put(Clip(path=clip, name="clip", info=probe(clip), shared=True), {}, desk.turn)
    ask = Ask(alpha=0.3, library="own", system="tiny", filters=Filters())
    desk.asked, desk.ranked = ask, rank(desk, ask, catalogue)
    shelf = Shelf()
    view = View(catalogue, shelf, desk.direction, texts.VIDEO_TO_MUSIC)
    refining = view.refining = Refining(catalogue, shelf, Measuring(), view)
    visit: Any = SimpleNamespace(id="visit", folder=tmp_path / "visit", left_at=None)
    return SimpleNamespace(**locals())


def test_the_list_comes_first_and_its_starts_when_clip_and_library_are_measured(page) -> None:
    plain = page.desk.ranked
    assert all(result.placing is None for result in plain.results)
    address = page.refining.url(page.visit, page.desk)
    assert f'data-measuring="{address}"' in page.view._results(page.visit, page.desk)
    item = page.shelf.take(address.split("/")[1])
    assert item.owner == "visit", "nobody else can ask, and it goes with the visit"
    first = json.loads(item.answer(item.path)[0])
    assert not first["done"] and first["rows"] == {}
    told = [first]
    until(lambda: told.append(json.loads(item.answer(item.path)[0])) or told[-1]["done"])
    assert set(told[-1]["rows"]) == {result.item.id for result in plain.results}
    placed = page.retriever.place(plain, page.clip)
    for result in placed.results:
        row = told[-1]["rows"][result.item.id]
        assert float(row["from"]) == pytest.approx(result.start_s, abs=1e-3)
        shown, near = json.loads(row["timing"])["placed"], result.placing.near_beats
        assert shown["words"] == result.placing.words
        assert shown["near"] == (None if near is None else percent(near))
    assert [r.item.id for r in page.desk.ranked.results] == [r.item.id for r in plain.results]
    taken = json.loads((page.visit.folder / f"{page.desk.direction}-list.json").read_text(encoding="utf-8"))
    assert [row["placed"]["words"] for row in taken["results"]] == [r.placing.words for r in placed.results]
    assert Library.open(page.library.root).timings.missing(page.library.items()) == [], "kept for next time"

    # switched off, the list has the starts of its content, whatever was measured
    off = Ask(**vars(page.ask) | {"timing": False})
    page.desk.asked, page.desk.ranked = off, rank(page.desk, off, page.catalogue)
    query = page.retriever.embed_query(page.clip, page.desk.direction)
    assert page.desk.ranked.results == page.retriever.rank(query, 0.3).results
    assert page.refining.url(page.visit, page.desk) == ""
    assert page.refining.answer(page.visit, page.desk)["done"]


def test_a_clip_that_breaks_off_while_it_is_looked_at_is_told_at_the_end(page, monkeypatch) -> None:
    def broken(_path, _progress):
        raise Truncated("clip.mp4: the file ends after 2.0 s")

    monkeypatch.setattr("mvr.library.timings.measure_film_file", broken)
    told: list[Any] = []
    until(lambda: told.append(page.refining.answer(page.visit, page.desk)) or told[-1]["done"])
    assert told[-1]["said"] == texts.UNMEASURED["v2m"]
    assert {row["timing"] for row in told[-1]["rows"].values()} == {""}


def test_music_is_listened_to_and_videos_are_looked_at_for_cuts() -> None:
    music = Told(clip_share=0.0, done=0, total=3), Told(clip_share=None, done=1, total=3)
    assert [said(told, Direction.MUSIC_TO_VIDEO) for told in music] == [
        "Listening to the whole music …",
        "Measuring cuts: 2 of 3",
    ]

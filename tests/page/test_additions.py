"""What visitors bring is added in their order, all of it, and what is not added is put away and said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mvr.errors import UsageError
from mvr.library.report import AddReport, Skipped, Stop
from mvr.page.library import additions
from mvr.page.library.additions import Additions, Arrivals, added_words, arrivals_of
from mvr.page.serving import Shelf, Upload, Visit, Visits


class GatedLibrary:
    """A library without media: a file is added when its turn is given; "bad" in a name is refused, "broken" raises."""

    def __init__(self) -> None:
        self.turns, self.order, self.at_once, self.most = threading.Semaphore(0), [], 0, 0
        self.held: list[Any] = []

    def purge(self) -> list[Any]:
        return []

    def items(self) -> list[Any]:
        return list(self.held)

    def add(self, paths: list[Path], system: object, progress: Callable[[int, int, str], None]) -> AddReport:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        report, done = AddReport(), 0
        try:
            for path in paths:
                progress(done, len(paths), path.name)
                assert self.turns.acquire(timeout=60)
                self._add(path, report)
                done += 1
        except Stop:
            return AddReport(added=report.added, skipped=report.skipped, left=len(paths) - done)
        finally:
            self.at_once -= 1
        return report

    def _add(self, path: Path, report: AddReport) -> None:
        if "broken" in path.name:
            raise UsageError("another process is adding to the library")
        self.order.append(path.name)
        if "bad" in path.name:
            report.skipped.append(Skipped(str(path), "no media"))
        else:
            item = SimpleNamespace(path=path, id=path.name)
            report.added.append(item)  # type: ignore[arg-type]
            self.held.append(item)


class Page:
    """One page's additions, over gated libraries."""

    def __init__(self, folder: Path, at_once: int = 2) -> None:
        self.folder, self.libraries = folder, {}
        catalogue: Any = SimpleNamespace(library=self.library, system=lambda name: name)
        self.additions = Additions(catalogue, at_once)

    def library(self, key: str) -> GatedLibrary:
        return self.libraries.setdefault(Path(key).name, GatedLibrary())

    def key(self, name: str) -> str:
        return str(self.folder / name)

    def drop(self, arrivals: Arrivals, library: str, *names: str) -> None:
        self.additions.put_uploads(arrivals, self.key(library), [self.upload(name) for name in names])

    def upload(self, name: str) -> Upload:
        path = self.folder / "gradio" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
        return Upload(path=path, name=name)

    def media(self, library: str) -> list[str]:
        return sorted(path.name for path in (self.folder / library / "media").rglob("*") if path.is_file())

    def begun(self, library: str) -> None:
        wait(lambda: self.library(library).at_once == 1)

    def done(self, *all_arrivals: Arrivals) -> None:
        wait(lambda: not any(self.additions.told(one) for one in all_arrivals))


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    made = Page(tmp_path)
    yield made
    made.additions.close()
    for library in made.libraries.values():
        library.turns.release(1000)


def somebody(name: str = "anna") -> Arrivals:
    return Arrivals(owner=name, in_use=lambda: None)


def test_what_is_dropped_while_others_are_added_follows_them_and_the_sentence_says_so(page: Page) -> None:
    anna, library = somebody(), page.library("own")
    page.drop(anna, "own", "a.wav", "b.wav")
    page.begun("own")
    assert page.additions.told(anna) == "Adding a.wav (1 of 2) …"
    page.drop(anna, "own", "c.wav", "d.wav")
    page.drop(anna, "own", "e.wav")
    assert page.additions.told(anna) == "Adding a.wav (1 of 2), then 3 more …"
    library.turns.release()
    wait(lambda: page.additions.told(anna) == "Adding b.wav (2 of 2), then 3 more …")
    library.turns.release(2)
    wait(lambda: page.additions.told(anna) == "Adding d.wav (2 of 2), then 1 more …")
    library.turns.release(2)
    page.done(anna)
    assert library.order == ["a.wav", "b.wav", "c.wav", "d.wav", "e.wav"] and library.most == 1
    assert added_words(anna) == ("done", "5 added.") and anna.unseen


def test_two_people_who_add_to_one_library_take_turns_and_are_told_of_their_own(page: Page) -> None:
    anna, ben, library = somebody("anna"), somebody("ben"), page.library("own")
    page.drop(anna, "own", "a.wav")
    page.drop(ben, "own", "b.wav", "bad.txt")
    assert page.additions.told(ben) == "To be added: 2. Files of others are added first …"
    library.turns.release(3)
    page.done(anna, ben)
    assert library.order == ["a.wav", "b.wav", "bad.txt"] and library.most == 1
    assert added_words(anna) == ("done", "1 added.")
    assert added_words(ben) == ("done", "1 added, 1 could not be used.")
    assert page.media("own") == ["a.wav", "b.wav"], "what the library refused is deleted"


def test_libraries_are_added_to_side_by_side_as_many_as_may_and_nobody_keeps_a_worker(tmp_path: Path) -> None:
    page, people = Page(tmp_path, at_once=1), [somebody("anna"), somebody("ben")]
    anna, ben = people
    page.drop(anna, "one", "a.wav")
    page.begun("one")
    page.drop(ben, "two", "b.wav")
    page.drop(anna, "one", "c.wav")
    assert page.additions.told(ben) == "To be added: 1. Files of others are added first …"
    page.library("one").turns.release()
    wait(lambda: page.additions.told(ben) == "Adding b.wav (1 of 1) …")
    page.library("two").turns.release()
    page.library("one").turns.release()
    page.done(*people)
    assert added_words(anna) == ("done", "2 added.")


def test_who_stops_keeps_what_was_added_and_is_told_how_many_were_not(page: Page) -> None:
    anna = somebody()
    page.drop(anna, "own", "a.wav", "b.wav", "c.wav")
    page.drop(anna, "own", "d.wav")
    page.begun("own")
    page.additions.stop(anna)
    assert page.additions.told(anna) == "Stopping after a.wav …"
    page.library("own").turns.release()
    page.done(anna)
    assert added_words(anna) == ("done", "1 added, 3 not added, for you stopped.")
    assert page.media("own") == ["a.wav"]


def test_an_addition_that_fails_half_way_is_told_leaves_no_file_behind_and_holds_up_nobody(
    page: Page,
) -> None:
    anna = somebody()
    page.drop(anna, "own", "a.wav", "broken.wav", "never.wav")
    page.drop(anna, "own", "b.wav")
    page.library("own").turns.release(3)
    page.done(anna)
    said = "another process is adding to the library 1 added."
    assert added_words(anna) == ("error", said)
    assert page.media("own") == ["a.wav", "b.wav"]


def test_a_file_that_is_sent_twice_while_it_waits_is_added_once_and_later_again(page: Page) -> None:
    anna, library = somebody(), page.library("own")
    page.drop(anna, "own", "a.wav")
    page.drop(anna, "own", "a.wav", "b.wav")
    page.drop(anna, "own", "b.wav")
    library.turns.release(2)
    page.done(anna)
    assert library.order == ["a.wav", "b.wav"]
    page.drop(anna, "own", "b.wav")
    library.turns.release()
    page.done(anna)
    assert library.order == ["a.wav", "b.wav", "b.wav"], "it is the library that knows what it holds"


def test_more_than_may_wait_are_refused_whole_and_what_waits_is_still_added(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(additions, "MOST_WAITING", 3)
    anna = somebody()
    page.drop(anna, "own", "a.wav", "b.wav")
    with pytest.raises(UsageError, match="2 files were not taken: 2 wait to be added, and 3 may") as refused:
        page.drop(anna, "own", "c.wav", "d.wav")
    assert page.additions.refuse(anna, str(refused.value))
    assert page.additions.told(anna).endswith("Drop them when some are done.")
    page.library("own").turns.release(2)
    page.done(anna)
    assert added_words(anna)[1].endswith("when some are done. 2 added.")
    assert not page.additions.refuse(anna, "nothing is under way"), "then the page says it at once"


@pytest.mark.parametrize("name", ["list.m3u", "list.M3U8", "list.m3u.", " list.m3u ", "list.m3u\u200b"])
def test_an_uploaded_playlist_names_no_files_of_the_server(page: Page, name: str) -> None:
    anna, secret = somebody(), page.folder / "of another visitor.mp3"
    secret.write_text("music")
    upload = page.upload(name)
    upload.path.write_text(f"{secret}\n")
    page.additions.put_uploads(anna, page.key("own"), [upload])
    page.done(anna)
    assert page.library("own").order == [] and added_words(anna)[0] == "error"
    [refused] = anna.report.skipped
    assert refused.reason.lower().startswith("list.m3u") and "files of your computer" in refused.reason


def test_uploads_that_cannot_be_written_leave_nothing_behind(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(upload: Path, path: Path) -> None:
        path.write_text("half")
        if path.name == "b.wav":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(additions, "take_over", full)
    anna = somebody()
    with pytest.raises(OSError, match="No space left"):
        page.drop(anna, "own", "a.wav", "b.wav", "c.wav")
    assert page.media("own") == [] and page.additions.told(anna) == ""


def test_a_visit_that_ends_stops_what_is_added_to_its_library_and_no_other(page: Page) -> None:
    anna, ben = somebody("anna"), somebody("ben")
    page.drop(anna, "visit/library", "a.wav", "b.wav")
    page.drop(ben, "home", "c.wav", "d.wav")
    page.begun("library")
    page.additions.forget(page.folder / "visit")
    page.library("library").turns.release()
    page.library("home").turns.release(2)
    page.done(anna, ben)
    assert page.library("library").order == ["a.wav"] and page.library("home").order == ["c.wav", "d.wav"]


def test_a_server_that_ends_puts_away_what_it_did_not_begin(page: Page) -> None:
    anna = somebody()
    for number in range(50):
        page.drop(anna, "own", f"{number}.wav")
    page.begun("own")
    page.additions.close()
    page.library("own").turns.release()
    page.done(anna)
    assert page.library("own").order == ["0.wav"] and page.media("own") == ["0.wav"]


def test_a_visit_whose_files_are_added_is_in_use(page: Page, tmp_path: Path) -> None:
    now = [0.0]
    visits = Visits(tmp_path / "visits", Shelf(), retention_s=60, clock=lambda: now[0])
    visit: Visit = visits.of("session")
    anna = arrivals_of(visit, lambda: visits.touch(visit))
    assert arrivals_of(visit, lambda: None) is anna
    page.drop(anna, "own", "a.wav", "b.wav")
    page.begun("own")
    now[0] = 59
    page.library("own").turns.release()
    wait(lambda: page.additions.told(anna).startswith("Adding b.wav"))
    now[0] = 100
    assert visits.sweep() == 0
    page.library("own").turns.release()
    page.done(anna)
    now[0] = 161
    assert visits.sweep() == 1

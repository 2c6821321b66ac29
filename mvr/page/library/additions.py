"""Files on their way into libraries. Every drop is a batch; a library's batches are added one after the other in the
background, whether or not their page still looks: who drops more while some are being added loses nothing.

Knows nothing of Gradio.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from mvr.config.paths import DEFAULT_SYSTEM
from mvr.errors import MvrError, UsageError
from mvr.library.playlists import ENDINGS
from mvr.library.report import AddReport, Skipped, Stop
from mvr.page import texts
from mvr.page.library.catalogue import DEMO, Catalogue
from mvr.page.library.rows import delete_made
from mvr.page.serving import Upload, Visit, safe_name, take_over
from mvr.page.serving.room import fault_of_ours

logger = logging.getLogger(__name__)
MOST_WAITING = 2000  # files of one visit: what one person may ask for has an end
_DESK = "arrivals"


@dataclass(kw_only=True)
class Batch:
    """What one visit dropped together, or one folder.

    Attributes:
        key: of the library.
        paths: to be added.
        sources: what they were made from: a browser that was slow to empty its box sends some of them twice.
        skipped: what was refused before anything was read.
        begun, stopped: whether it is being added; whether it is to end.
        done, total, name: files that were looked at, files in all, and the one that is being added.
    """

    arrivals: Arrivals
    key: str
    paths: list[Path] = field(default_factory=list)
    sources: frozenset[Path] = frozenset()
    skipped: list[Skipped] = field(default_factory=list)
    begun: bool = False
    stopped: bool = False
    done: int = 0
    total: int = 0
    name: str = ""

    def step(self, done: int, total: int, name: str) -> None:
        """Before each file, see `mvr.library.report.Progress`."""
        self.arrivals.in_use()
        if self.stopped:
            raise Stop
        self.done, self.total, self.name = done, total, name


@dataclass(kw_only=True)
class Arrivals:
    """What one visit brings, and what came of it since it last had nothing under way.

    Attributes:
        owner: id of the visit.
        in_use: called with every file: a visit that has files under way is not over.
        batches: waiting or being added, in their order.
        report: of the batches that ended.
        faults: one sentence for each that could not be added, or not be taken.
        unseen: nobody was told what came of it.
    """

    owner: str
    in_use: Callable[[], None]
    batches: list[Batch] = field(default_factory=list)
    report: AddReport = field(default_factory=AddReport)
    faults: list[str] = field(default_factory=list)
    unseen: bool = False


def arrivals_of(visit: Visit, in_use: Callable[[], None]) -> Arrivals:
    """What this visit brings."""
    with visit.lock:
        arrivals: Arrivals = visit.desk.setdefault(_DESK, Arrivals(owner=visit.id, in_use=in_use))
        return arrivals


class Additions:
    """Adds what visits bring; safe to use from several threads.

    Args:
        catalogue: knows the libraries.
        at_once: libraries that are added to at one time.
    """

    def __init__(self, catalogue: Catalogue, at_once: int) -> None:
        self._catalogue, self._at_once = catalogue, at_once
        self._workers = ThreadPoolExecutor(at_once, thread_name_prefix="mvr-add")
        self._lines: dict[str, deque[Batch]] = {}  # of the libraries that something is added to
        self._lock = threading.Lock()

    def put_uploads(self, arrivals: Arrivals, key: str, uploads: Sequence[Upload]) -> None:
        """Take uploaded files over into a library's folder, and have them added.

        Raises:
            UsageError: too many wait already; none is taken. OSError: they cannot be written; none is taken.
        """
        known = {path for batch in list(arrivals.batches) for path in batch.sources}
        new = list({upload.path: upload for upload in uploads if upload.path not in known}.values())
        waiting = sum(len(batch.paths) for batch in list(arrivals.batches))
        if waiting + len(new) > MOST_WAITING:
            raise UsageError(
                texts.LIBRARY_TOO_MANY.format(count=len(new), waiting=waiting, most=MOST_WAITING)
            )
        batch = Batch(arrivals=arrivals, key=key, sources=frozenset(one.path for one in new))
        try:
            for number, upload in enumerate(new):
                self._take(batch, upload, _media(key) / f"{time.time_ns():x}-{number}")
        except OSError:
            _delete(batch.paths)
            raise
        if batch.paths or batch.skipped:
            self._put(batch)

    def _take(self, batch: Batch, upload: Upload, folder: Path) -> None:
        """A playlist is not taken: what it names lies on the visitor's machine, and this one's files are not theirs."""
        path = folder / safe_name(upload.name)
        if path.suffix.lower() in ENDINGS:
            batch.skipped.append(Skipped(path.name, texts.LIBRARY_PLAYLIST.format(name=path.name)))
            return
        folder.mkdir(parents=True)
        batch.paths.append(path)
        take_over(upload.path, path)

    def put_folder(self, arrivals: Arrivals, key: str, folder: Path) -> None:
        """Have a folder of this computer added."""
        if not any(folder in batch.sources for batch in list(arrivals.batches)):
            self._put(Batch(arrivals=arrivals, key=key, paths=[folder], sources=frozenset([folder])))

    def _put(self, batch: Batch) -> None:
        arrivals = batch.arrivals
        batch.total = len(batch.paths)
        batch.name = batch.paths[0].name if batch.paths else ""
        with self._lock:
            if not arrivals.batches:
                arrivals.report, arrivals.faults = AddReport(), []
            arrivals.batches.append(batch)
            arrivals.unseen = True
            line = self._lines.setdefault(batch.key, deque())
            line.append(batch)
            if len(line) == 1:
                self._workers.submit(self._work, batch.key)

    def _work(self, key: str) -> None:
        """Add the first batch of a library; then whoever waits longest has the worker."""
        while self._add_first(key):
            with contextlib.suppress(RuntimeError):  # the server ends: this thread puts away what waits
                self._workers.submit(self._work, key)
                return

    def _add_first(self, key: str) -> bool:
        """Whether more wait behind it."""
        with self._lock:
            batch = self._lines[key][0]
            batch.begun = True
        arrivals, report, fault = batch.arrivals, AddReport(left=len(batch.paths)), ""
        try:
            report = self._add(batch) if not batch.stopped else report
        except MvrError as error:
            fault, report = str(error), AddReport()
        except Exception as error:
            logger.exception("adding to a library failed")
            fault, report = fault_of_ours(error), AddReport()
        self._put_away(batch, report)
        with self._lock:
            arrivals.report = arrivals.report.joined(AddReport(skipped=batch.skipped)).joined(report)
            arrivals.faults += [fault] if fault else []
            arrivals.batches.remove(batch)
            line = self._lines[key]
            line.popleft()
            if not line:
                del self._lines[key]
            return bool(line)

    def _add(self, batch: Batch) -> AddReport:
        library = self._catalogue.library(batch.key)
        for item in library.purge():  # from now on they cannot come back
            if item.path.parent.parent == _media(batch.key):
                _delete([item.path])
            delete_made(item, batch.arrivals.owner)
        return library.add(batch.paths, self._catalogue.system(DEFAULT_SYSTEM), progress=batch.step)

    def _put_away(self, batch: Batch, report: AddReport) -> None:
        """Delete the uploads that the library did not keep; files of the user's folders are never touched."""
        media, added = _media(batch.key), {item.path for item in report.added}
        left = [path for path in batch.paths if path not in added and path.parent.parent == media]
        if not left or not media.is_dir():  # its visit has ended, and its folder with it
            return
        try:
            kept = {item.path for item in self._catalogue.library(batch.key).items()}
            _delete([path for path in left if path not in kept])
        except Exception:
            logger.exception("uploads that a library did not keep cannot be deleted")

    def refuse(self, arrivals: Arrivals, fault: str) -> bool:
        """Keep what could not be taken for what is told until the end; False where nothing is under way."""
        with self._lock:
            if arrivals.batches:
                arrivals.faults.append(fault)
            return bool(arrivals.batches)

    def told(self, arrivals: Arrivals) -> str:
        """What is under way, in a sentence, and what went wrong so far; empty where nothing is under way."""
        with self._lock:
            if not arrivals.batches:
                return ""
            first, *others = arrivals.batches
            waiting = sum(len(batch.paths) for batch in others)
            busy = sum(line[0].begun for line in self._lines.values())
            behind = self._lines[first.key][0] is not first or (not first.begun and busy >= self._at_once)
            faults = list(dict.fromkeys(arrivals.faults))
        if first.stopped:
            said = texts.LIBRARY_STOPPING.format(name=first.name)
        elif behind:
            said = texts.LIBRARY_BEHIND.format(count=len(first.paths) + waiting)
        else:
            done, more = min(first.done + 1, first.total), texts.LIBRARY_THEN.format(count=waiting)
            said = texts.LIBRARY_ADDING.format(
                name=first.name, done=done, total=first.total, more=more if waiting else ""
            )
        return " ".join([said, *faults])

    def stop(self, arrivals: Arrivals) -> None:
        """Add no more of what a visit brought: the file that is being added is the last."""
        with self._lock:
            for batch in arrivals.batches:
                batch.stopped = True

    def forget(self, folder: Path) -> None:
        """Stop adding to the libraries that lie in a folder."""
        self._stop_all(lambda key: key != DEMO and Path(key).is_relative_to(folder))

    def close(self) -> None:
        """The end of the server: files that are not being added yet are put away."""
        self._stop_all(lambda key: True)
        self._workers.shutdown(wait=False)

    def _stop_all(self, which: Callable[[str], bool]) -> None:
        with self._lock:
            for key, line in self._lines.items():
                for batch in line:
                    batch.stopped = batch.stopped or which(key)


def added_words(arrivals: Arrivals) -> tuple[str, str]:
    """What came of all that was brought: the kind of the status line, and its words."""
    report = arrivals.report
    parts = [texts.ADDED.format(count=len(report.added))]
    counts = [
        (len(report.known), texts.ADDED_KNOWN),
        (len(report.skipped), texts.ADDED_SKIPPED),
        (len(report.same_music), texts.ADDED_SAME),
        (report.left, texts.ADDED_STOPPED),
    ]
    parts += [words.format(count=count) for count, words in counts if count]
    came = bool(report.added or report.known or report.updated or report.left)
    if arrivals.faults:  # one sentence, however many batches met it
        said = [*dict.fromkeys(arrivals.faults), *([f"{', '.join(parts)}."] if came else [])]
        return "error", " ".join(said)
    return "done" if came else "error", f"{', '.join(parts)}."


def _media(key: str) -> Path:
    """Where a library's uploads lie, each in a folder of its own."""
    return Path(key).absolute() / "media"


def _delete(paths: list[Path]) -> None:
    """Delete uploads, and the folders that held nothing else."""
    for path in paths:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()

"""Measuring in the background: when things happen in a clip and in a library's items, while lists are shown already.

One worker for the whole server. A page asks anew every second or two while it waits (`Measuring.ask`); what nobody
asked for during `PATIENCE_S`, or is not wanted any more, is dropped within a second of film. Clips come before
libraries, and of a library what is on the list before the rest. Knows no Gradio.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.datatypes import Modality
from mvr.errors import MediaError, NotFinite

if TYPE_CHECKING:
    from mvr.library.timings import Timings

logger = logging.getLogger(__name__)
PATIENCE_S = 90.0  # a browser lets a hidden tab ask once a minute


class Dropped(Exception):
    """Nobody waits for it any more."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A file to be measured; a visitor's clip (`on_disk` False) is measured first and kept in memory alone."""

    path: Path
    content: str
    modality: Modality
    on_disk: bool = True


@dataclass(frozen=True, kw_only=True)
class Told:
    """How far it is: the share of the clip that is decoded (None: it is done), and the library's items; `looked` is
    false until it is known what there is to measure; `failed` is whether the clip could not be measured.
    """

    clip_share: float | None
    done: int
    total: int
    looked: bool = True
    failed: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing is left."""
        return self.looked and self.clip_share is None and self.done >= self.total


@dataclass(kw_only=True, eq=False)
class Work:
    """What one page waits for.

    Attributes:
        about: what the work is of; asked for something else, it is dropped.
        timings: where its measurements go.
        find: lists the targets that are not measured yet; called once, by the worker.
        wanted: whether the page still wants it.
        first: contents that come before the others.
        asked_at: when it was last asked for.
    """

    about: Hashable
    timings: Timings
    find: Callable[[], Iterable[Target]]
    wanted: Callable[[], bool]
    first: frozenset[str] = frozenset()
    asked_at: float = 0.0
    _todo: list[Target] | None = None
    _total: int = 0
    _share: float = 0.0
    _served: int = 0
    _failed: bool = False
    _now: Target | None = field(default=None, repr=False)

    def told(self) -> Told:
        """How far measuring is: the clip's share, and items done of all."""
        if self._todo is None:
            return Told(clip_share=None, done=0, total=0, looked=False)
        left = [*self._todo, *([] if self._now is None else [self._now])]
        items = sum(target.on_disk for target in left)
        clip = any(not target.on_disk for target in left)
        share = (self._share if self._now is not None and not self._now.on_disk else 0.0) if clip else None
        return Told(clip_share=share, done=self._total - items, total=self._total, failed=self._failed)

    def rank(self) -> tuple[int, int] | None:
        """Which work goes on, smallest first: clips, lists, the rest, in turns; None where nothing is left."""
        if self._todo is not None and not self._todo:
            return None
        if self._todo is None or not self._todo[0].on_disk:
            return 0, self._served
        return (1 if any(target.content in self.first for target in self._todo) else 2), self._served

    def step(self, alive: Callable[[], bool]) -> None:
        """Measure one file; the first step only looks for what there is to do."""
        self._served += 1
        if self._todo is None:
            found = sorted(self.find(), key=lambda target: target.on_disk)
            self._total, self._todo = sum(target.on_disk for target in found), found
            return
        place = next((n for n, each in enumerate(self._todo) if each.content in self.first), 0)
        self._share, self._now = 0.0, self._todo[0 if not self._todo[0].on_disk else place]
        self._todo.remove(self._now)

        def progress(share: float) -> None:
            self._share = share
            if not alive():
                raise Dropped

        try:
            self.timings.measure(
                self._now.path, self._now.content, self._now.modality, progress, on_disk=self._now.on_disk
            )
        except (MediaError, NotFinite, OSError) as error:  # its start stays where its content put it
            logger.info("not measured: %s", error)
            self._failed = self._failed or not self._now.on_disk
        finally:
            self._now = None


class Measuring:
    """The one worker; safe to use from several threads. Its thread lives only while there is work.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._works: dict[Hashable, Work] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, key: Hashable, work: Work) -> Told:
        """Begin a work, or go on with the one of this key if it is about the same; how far it is."""
        with self._lock:
            self._works = {k: held for k, held in self._works.items() if k == key or self._alive(k, held)}
            held = self._works.get(key)
            if held is None or held.about != work.about:
                held = self._works[key] = work
            held.first, held.asked_at = work.first, self._clock()
            told = held.told()
            if not told.finished and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mvr-measuring", daemon=True)
                self._thread.start()
            return told

    def _alive(self, key: Hashable, work: Work) -> bool:
        asked = self._clock() - work.asked_at < PATIENCE_S
        return asked and self._works.get(key) is work and work.wanted()

    def _next(self) -> tuple[Hashable, Work] | None:
        with self._lock:
            for key in [key for key, work in self._works.items() if not self._alive(key, work)]:
                del self._works[key]
            ranks = {key: rank for key, work in self._works.items() if (rank := work.rank()) is not None}
            if not ranks:
                self._thread = None
                return None
            key = min(ranks, key=lambda each: ranks[each])
            return key, self._works[key]

    def _run(self) -> None:
        while (found := self._next()) is not None:
            key, work = found
            try:
                work.step(lambda key=key, work=work: self._alive(key, work))  # type: ignore[misc]
            except Dropped:
                self._drop(key, work)
            except Exception:
                logger.exception("measuring in the background failed")
                self._drop(key, work)

    def _drop(self, key: Hashable, work: Work) -> None:
        with self._lock:
            if self._works.get(key) is work:
                del self._works[key]

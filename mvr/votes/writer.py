"""Who writes: one thread with a queue in front of SQLite, the caller itself on PostgreSQL.

Eight writers on one SQLite file starve each other (waits of 5 s were measured); one thread with a queue
does not.
Either way a call returns after the commit: what it returns is on the disk (`synchronous=FULL`).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

T = TypeVar("T")
Work = Callable[[sa.Connection], T]


class Writer(Protocol):
    """Runs one function inside one transaction and returns after its commit."""

    def run(self, work: Work[T]) -> T:
        """Commit what `work` did, or raise what it raised after a rollback."""

    def close(self) -> None:
        """Finish what is queued."""


class PooledWriter:
    """For servers that order writers themselves: the calling thread takes a connection from the pool."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def run(self, work: Work[T]) -> T:
        """Commit what `work` did, or raise what it raised after a rollback."""
        with self._engine.begin() as connection:
            return work(connection)

    def close(self) -> None:
        """Nothing is queued."""


class QueuedWriter:
    """For SQLite: all writes of this process pass through one thread, in the order in which they came."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._jobs: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="vote-writer", daemon=True)
        self._thread.start()

    def run(self, work: Work[T]) -> T:
        """Commit what `work` did, or raise what it raised after a rollback."""
        done: Future[T] = Future()
        with self._lock:
            assert not self._closed, "the vote store is closed"
            self._jobs.put((work, done))
        return done.result()

    def close(self) -> None:
        """Finish what is queued and end the thread."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _loop(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, done = job
            try:
                with self._engine.begin() as connection:
                    result = work(connection)
            except BaseException as error:  # handed to the caller, whose `result()` raises it
                done.set_exception(error)
            else:
                done.set_result(result)

"""The board of a store, counted again only after something changed: what a page shows to many visitors.

Counting takes as long as there are votes. It runs in a thread of its own, one at a time; whoever asks waits a moment
for it and is then given the board before, with the number of votes that came since.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass

import sqlalchemy as sa

from mvr.arena.board.board import Board, BoardSettings, build_board
from mvr.arena.board.inputs import HASHED
from mvr.votes import schema
from mvr.votes.store import VoteStore

PATIENCE_S = 2.0
REST = 9  # a board that took longer than that is left alone for so many times as long: one tenth of a core at most


@dataclass(frozen=True, kw_only=True)
class Latest:
    """The newest board there is.

    Attributes:
        board: None while the first is still being counted.
        newer: votes that came after it.
    """

    board: Board | None
    newer: int = 0


@dataclass(frozen=True, kw_only=True)
class _Counted:
    board: Board
    rows: dict[str, int]
    took_s: float
    at_s: float


class BoardCache:
    """Keeps the newest board; tables are append-only, so equal numbers of rows mean equal votes."""

    def __init__(
        self, store: VoteStore, settings: BoardSettings | None = None, *, patience_s: float = PATIENCE_S
    ) -> None:
        self._store, self._settings, self._patience_s = store, settings, patience_s
        self._lock = threading.Lock()
        self._work: Future[_Counted] | None = None
        self._done: _Counted | None = None

    def current(self) -> Board:
        """The board of all votes that are in the store now, however long counting them takes."""
        now = self._rows()
        counted = self._counting(now, rest=False).result()
        if counted.rows != now:  # it was under way already
            counted = self._counting(self._rows(), rest=False).result()
        return counted.board

    def latest(self) -> Latest:
        """The board of now if it can be had within a moment, else the one before."""
        now = self._rows()
        try:
            counted = self._counting(now, rest=True).result(self._patience_s)
        except TimeoutError:
            done = self._done
            return Latest(board=None) if done is None else _latest(done, now)
        return _latest(counted, now)

    def set_aside(self) -> frozenset[str]:
        """Voters whom the newest board sets aside; nobody waits for it, and before the first it is nobody."""
        self._counting(self._rows(), rest=True)
        return self._done.board.set_aside if self._done is not None else frozenset()

    def _counting(self, now: dict[str, int], *, rest: bool) -> Future[_Counted]:
        """The count that is under way or valid; else a new one is begun."""
        with self._lock:
            if self._work is not None and (
                not self._work.done() or self._is_valid(self._work, now, rest=rest)
            ):
                return self._work
            self._work = Future()
            worker = threading.Thread(
                target=self._count, args=(self._work, now), name="mvr-board", daemon=True
            )
            worker.start()
            return self._work

    def _is_valid(self, work: Future[_Counted], now: dict[str, int], *, rest: bool) -> bool:
        if work.exception() is not None:
            return False
        counted = work.result()
        resting = counted.took_s > self._patience_s and (
            time.monotonic() - counted.at_s < REST * counted.took_s
        )
        return counted.rows == now or (rest and resting)

    def _count(self, work: Future[_Counted], rows: dict[str, int]) -> None:
        started = time.monotonic()
        try:
            board = build_board(self._store, self._settings)
            ended = time.monotonic()
            counted = _Counted(board=board, rows=rows, took_s=ended - started, at_s=ended)
        except BaseException as error:  # whoever waits for the board is told
            work.set_exception(error)
            return
        self._done = counted
        work.set_result(counted)

    def _rows(self) -> dict[str, int]:
        return self._store.read(_count_rows)


def _latest(counted: _Counted, now: dict[str, int]) -> Latest:
    return Latest(board=counted.board, newer=max(0, now["vote"] - counted.rows["vote"]))


def _count_rows(connection: sa.Connection) -> dict[str, int]:
    counts = [sa.select(sa.func.count()).select_from(schema.METADATA.tables[name]) for name in HASHED]
    row = connection.execute(sa.select(*(count.scalar_subquery() for count in counts))).one()
    return {name: int(count) for name, count in zip(HASHED, row, strict=True)}

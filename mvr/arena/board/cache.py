"""The board of a store, computed again only after something changed: what a page shows to many visitors."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from mvr.arena.board.board import Board, BoardSettings, build_board
from mvr.arena.board.inputs import HASHED
from mvr.votes import schema
from mvr.votes.store import VoteStore


class BoardCache:
    """Keeps the newest board; tables are append-only, so equal numbers of rows mean equal votes."""

    def __init__(self, store: VoteStore, settings: BoardSettings | None = None) -> None:
        self._store, self._settings = store, settings
        self._lock = threading.Lock()
        self._board: Board | None = None
        self._rows: tuple[int, ...] = ()

    def current(self) -> Board:
        """The board of all votes that are in the store now; visitors who ask at once wait for one computation."""
        with self._lock:
            rows = self._store.read(_count_rows)
            if self._board is None or rows != self._rows:
                self._board, self._rows = build_board(self._store, self._settings), rows
            return self._board


def _count_rows(connection: sa.Connection) -> tuple[int, ...]:
    counts = [sa.select(sa.func.count()).select_from(schema.METADATA.tables[name]) for name in HASHED]
    row = connection.execute(sa.select(*(count.scalar_subquery() for count in counts))).one()
    return tuple(int(count) for count in row)

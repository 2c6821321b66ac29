"""Codes of an index's rows on the machine that searches: they say where to look, and the rows stay in the database.

A database compares a query with every one of a million rows in half a second. Codes of the rows (faiss's 2-bit RaBitQ,
84 bytes each) are compared here in ten milliseconds; the few hundred nearest rows are read from the database, and
scores are of what was read. Every write raises a space's version and is logged with it in the same transaction. A
search asks for the version first and follows what was written or taken out since; where that is much, a thread follows
it, and meanwhile the database compares every row. So no list is older than the database's own.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.config.extras import has, need
from mvr.errors import MvrError
from mvr.index.approximate import CODES, TRAINING_ROWS
from mvr.index.remote.place import Changes, Holding, Place, Sought, Space, StoredRows

logger = logging.getLogger(__name__)

LEAST_ROWS = 100_000  # fewer are compared as quickly
MOST_ROWS = 10_000_000  # more take more than a gigabyte here
STEP = 4  # versions, each a batch of writing, that are read at once, and that a search waits for


class Codes:
    """Codes of one space, as they were at one version.

    Args:
        place: where the rows are.
        space: which rows.
        holding: what is there of it.
    """

    def __init__(self, place: Place, space: Space, holding: Holding) -> None:
        import faiss

        self._place, self._space = place, space
        self.version, self._stamp, self._identity = 0, 0, holding.identity
        self._lock = threading.Lock()
        self._faiss: Any = faiss.index_factory(space.width, CODES, faiss.METRIC_INNER_PRODUCT)
        self._train(holding)
        self._room = (np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.bool_))
        self.rows = 0  # that are there now; those that were taken out keep their codes

    def can_follow(self, holding: Holding) -> bool:
        """Whether what was written since makes them those of what is there: of this very index, not of one that was
        made anew or taken back to an older state, and few enough of rows that are gone."""
        same = self._identity == holding.identity and self.version <= holding.version
        return same and (self.version < holding.version or self._stamp == holding.stamp) and not self.worn

    @property
    def worn(self) -> bool:
        """Whether most codes are of rows that are gone."""
        return int(self._faiss.ntotal) > 2 * self.rows + TRAINING_ROWS

    @property
    def size_bytes(self) -> int:
        """In memory, the room for further rows not counted."""
        return int(self._faiss.ntotal * (self._faiss.code_size + sum(c.itemsize for c in self._room)))

    def _train(self, holding: Holding) -> None:
        """Fit the codes to items from everywhere: those that were written first may all be alike."""
        drawn = np.random.default_rng(0).integers(1, holding.items + 1, 2 * TRAINING_ROWS)
        sample = self._place.stored(self._space, np.unique(drawn), np.zeros(len(np.unique(drawn)), np.int64))
        wide = sample.vectors.reshape(-1, self._space.width)
        self._faiss.train(wide if len(wide) else np.eye(2, self._space.width, dtype=np.float32))

    def follow(self, version: int) -> bool:
        """Take in what was written and taken out up to a version; false where these are codes of another past: what
        was followed is not what is written down there. Raises IndexUnreachable."""
        with self._lock:
            while self.version < version:
                found = self._place.changes(self._space, self.version, self.version + STEP)
                if found.before != self._stamp:
                    return False
                self._take(found)
        return True

    def _take(self, changes: Changes) -> None:
        positions, _, live = (column[: self._faiss.ntotal] for column in self._room)
        if len(positions) and changes.positions.min(initial=positions.max() + 1) <= positions.max():
            live &= ~np.isin(positions, changes.positions)
        before, found = int(self._faiss.ntotal), changes.rows
        after = before + len(found.positions)
        if after > len(self._room[0]):
            self._room = tuple(_grown(column, max(after, 2 * before)) for column in self._room)  # type: ignore[assignment]
        self._room[0][before:after], self._room[1][before:after] = found.positions, found.numbers
        self._room[2][before:after] = True
        if after > before:
            self._faiss.add(found.vectors.reshape(-1, self._space.width))
        self.rows = int(np.count_nonzero(self._room[2][:after]))
        self.version, self._stamp = changes.version, changes.stamp

    def near(self, sought: Sought) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Positions and numbers of the `sought.count` rows whose codes are nearest, or of all."""
        with self._lock:
            fetch, wanted = sought.count, min(sought.count, self.rows)
            while True:
                fetch = min(fetch, int(self._faiss.ntotal))
                found = self._faiss.search(sought.weighted[None], fetch)[1][0] if fetch else np.empty(0, int)
                live = found[found >= 0]
                live = live[self._room[2][live]]
                if len(live) >= wanted or fetch == self._faiss.ntotal:
                    break
                fetch *= 2  # rows that are gone stood before those that are there
            chosen = live[:wanted]
            return self._room[0][chosen], self._room[1][chosen].astype(np.int64)


class KeptCodes:
    """Codes of the spaces of one place, read when they are first asked for, in a thread.

    Args:
        place: where the rows are.
        least_rows: fewer have no codes.
    """

    def __init__(self, place: Place, *, least_rows: int = LEAST_ROWS) -> None:
        self._place, self._least_rows = place, least_rows
        self._codes: dict[Space, Codes] = {}
        self._threads: dict[Space, threading.Thread] = {}
        self._lock = threading.Lock()
        self._installed = has("faiss")

    def serve(self, holding: Holding) -> bool:
        """Whether codes are worth it for so many rows."""
        return self._least_rows <= holding.rows <= MOST_ROWS

    def near(self, space: Space, holding: Holding, sought: Sought) -> StoredRows | None:
        """Rows near a query as they are stored, some `sought.count`; None where every row must be compared.

        Raises:
            IndexUnreachable: the place does not answer.
        """
        if holding.measured is None or not self._installed or not self.serve(holding):
            return None
        codes = self._codes.get(space)
        if codes is None or not codes.can_follow(holding) or holding.version > codes.version + STEP:
            self._read_aside(space)
            return None
        followed = codes.follow(holding.version)
        if not followed or (codes.version == holding.version and codes.rows != holding.rows):
            self._codes.pop(space, None)  # another index of that name
            return None
        return self._place.stored(space, *codes.near(sought))

    def read(self, space: Space, holding: Holding) -> None:
        """Read what is missing, and wait for it. Raises ExtraMissing: no faiss. IndexUnreachable: no answer."""
        need("faiss", "searching by codes", "index")
        codes = self._codes.get(space)
        if codes is None or not codes.can_follow(holding) or not codes.follow(holding.version):
            codes = Codes(self._place, space, holding)
            codes.follow(holding.version)
        self._codes[space] = codes

    def wait(self) -> None:
        """Until nothing is being read."""
        for thread in list(self._threads.values()):
            thread.join()

    @property
    def size_bytes(self) -> int:
        """Of all codes in memory."""
        return sum(codes.size_bytes for codes in self._codes.values())

    def _read_aside(self, space: Space) -> None:
        with self._lock:
            thread = self._threads.get(space)
            if thread is None or not thread.is_alive():
                thread = threading.Thread(target=self._read_all, args=(space,), daemon=True)
                self._threads[space] = thread
                thread.start()

    def _read_all(self, space: Space) -> None:
        """Until nobody has written meanwhile."""
        try:
            while (held := self._place.holding(space)) is not None:
                codes = self._codes.get(space)
                if codes is not None and codes.can_follow(held) and codes.version == held.version:
                    return
                self.read(space, held)
        except MvrError as error:
            logger.warning("codes of the index were not read, every row is compared: %s", error)


def _grown(column: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    grown = np.empty(rows, column.dtype)
    grown[: len(column)] = column
    return grown

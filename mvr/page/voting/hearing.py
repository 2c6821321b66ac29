"""What this server sent of battles and graded pairs, noted answer by answer: see `mvr.arena.hearing`."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from mvr.errors import MvrError
from mvr.page.serving.ranged import Sent
from mvr.votes.ids import now_ms
from mvr.votes.served import Served, append_served, covered_bytes
from mvr.votes.store import VoteStore

logger = logging.getLogger(__name__)
_KEPT_PAIRS = 5000
_TRIES, _PAUSE_S = 4, 2.0


class Hearing:
    """Notes answers of battles in the store (in a thread of its own: no answer waits for it), of pairs in memory.

    What waits to be stored is stored together, and at the latest by the vote that asks for it (`flush`).

    Args:
        store: opened with the first note.
        clock: milliseconds UTC, as the arena's.
    """

    def __init__(self, store: Callable[[], VoteStore], clock: Callable[[], int] = now_ms) -> None:
        self._store, self._clock = store, clock
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mvr-served")
        self._pairs: OrderedDict[str, list[Served]] = OrderedDict()
        self._waiting: list[Served] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def of_battle(self, battle_id: str, side: str, share: float) -> Sent:
        """Begin an answer with one side of a battle; what is returned is called with the bytes that went out.

        Args:
            battle_id, side: whose.
            share: part of the file that the required listening time takes.
        """
        return partial(self._note, battle_id, side, share, self._clock(), True)

    def of_pair(self, token: str, share: float) -> Sent:
        """Begin an answer with the music of a graded pair."""
        return partial(self._note, token, "left", share, self._clock(), False)

    def pair_heard_ms(self, token: str) -> int | None:
        """For how long a pair's music can have been heard; None while its required part was not sent."""
        with self._lock:
            rows = list(self._pairs.get(token, ()))
        if not rows or covered_bytes(rows) < rows[0].of_bytes:
            return None
        return self._clock() - min(row.begun_at_ms for row in rows)

    def flush(self) -> None:
        """Store everything noted so far, in one transaction; returns after its commit.

        Raises:
            NotSaved: the store failed; what was noted waits on.
        """
        with self._writing:  # whoever is at it already has to be done first
            with self._lock:
                rows, self._waiting = self._waiting, []
            if not rows:
                return
            try:
                self._store().write(lambda connection: append_served(connection, rows))
            except BaseException:
                with self._lock:
                    self._waiting = rows + self._waiting
                raise

    def close(self) -> None:
        """Store what is noted."""
        self._writer.shutdown(wait=True)

    def _note(
        self, key: str, side: str, share: float, begun_ms: int, stored: bool, first: int, end: int, size: int
    ) -> None:
        row = Served(
            battle_id=key,
            side=side,
            first_byte=first,
            end_byte=end,
            of_bytes=max(1, int(size * min(1.0, share))),
            begun_at_ms=begun_ms,
        )
        if stored:
            with self._lock:
                self._waiting.append(row)
            self._writer.submit(self._write)
            return
        with self._lock:
            self._pairs.setdefault(key, []).append(row)
            while len(self._pairs) > _KEPT_PAIRS:
                self._pairs.popitem(last=False)

    def _write(self) -> None:
        for left in reversed(range(_TRIES)):
            try:
                self.flush()
            except MvrError as error:
                logger.warning("what was sent of a battle is not noted yet: %s", error)
                time.sleep(_PAUSE_S if left else 0)
            else:
                return

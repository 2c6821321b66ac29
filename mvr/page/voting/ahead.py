"""The next battle of a visitor, drawn and made playable while they read the names of the last one."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future

from mvr.arena.draw import Drawn
from mvr.datatypes import Direction
from mvr.errors import MvrError

logger = logging.getLogger(__name__)
_PATIENCE_S = 60.0


class Ahead:
    """Battles that are drawn but not issued yet, one per visitor and direction; safe to use from several threads.

    Args:
        pool: makes them beside the threads that answer.
        make: draws a battle for (voter, session, direction) and makes its media.
        most: how many are kept; the oldest gives way, and its visitor's next battle is drawn when it is asked for.
    """

    def __init__(self, pool: Executor, make: Callable[[str, str, Direction], Drawn], most: int = 200) -> None:
        self._pool, self._make, self._most = pool, make, most
        self._waiting: OrderedDict[tuple[str, Direction], Future[Drawn]] = OrderedDict()
        self._lock = threading.Lock()

    def prepare(self, voter: str, session: str, direction: Direction) -> None:
        """Begin; nothing happens when one is there already."""
        with self._lock:
            if (voter, direction) in self._waiting:
                return
            if len(self._waiting) >= self._most:  # of somebody who went away, or who waits a little longer
                self._waiting.popitem(last=False)[1].cancel()
            self._waiting[voter, direction] = self._pool.submit(self._make, voter, session, direction)

    def take(self, voter: str, direction: Direction) -> Drawn | None:
        """The prepared battle, waiting for it if need be; None when there is none or it could not be made."""
        with self._lock:
            waiting = self._waiting.pop((voter, direction), None)
        if waiting is None:
            return None
        try:
            return waiting.result(timeout=_PATIENCE_S)
        except (MvrError, TimeoutError, CancelledError) as error:
            logger.warning("a battle that was prepared ahead cannot be used: %s", error)
            return None

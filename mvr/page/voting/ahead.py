"""The next battle of a visitor, drawn and made playable while they read the names of the last one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future

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
    """

    def __init__(self, pool: Executor, make: Callable[[str, str, Direction], Drawn]) -> None:
        self._pool, self._make = pool, make
        self._waiting: dict[tuple[str, Direction], Future[Drawn]] = {}
        self._lock = threading.Lock()

    def prepare(self, voter: str, session: str, direction: Direction) -> None:
        """Begin; nothing happens when one is there already."""
        with self._lock:
            if (voter, direction) not in self._waiting:
                self._waiting[voter, direction] = self._pool.submit(self._make, voter, session, direction)

    def take(self, voter: str, direction: Direction) -> Drawn | None:
        """The prepared battle, waiting for it if need be; None when there is none or it could not be made."""
        with self._lock:
            waiting = self._waiting.pop((voter, direction), None)
        if waiting is None:
            return None
        try:
            return waiting.result(timeout=_PATIENCE_S)
        except (MvrError, TimeoutError) as error:
            logger.warning("a battle that was prepared ahead cannot be used: %s", error)
            return None

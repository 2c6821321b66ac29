"""How many bytes visitors may upload: each of them, and all together, within the time that uploads are kept."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class QuotaSettings:
    """Bytes of one visitor and of all, within `window_s`."""

    visitor_bytes: int
    all_bytes: int
    window_s: float


class UploadQuota:
    """Counts what arrived, newest last; safe between threads.

    >>> quota = UploadQuota(QuotaSettings(visitor_bytes=10, all_bytes=15, window_s=60), clock=lambda: 0.0)
    >>> quota.add("anna", 8); quota.left("anna"), quota.left("bert")
    (2, 7)
    """

    def __init__(self, settings: QuotaSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._arrived: deque[tuple[float, str, int]] = deque()
        self._by_visitor: dict[str, int] = {}
        self._all = 0
        self._lock = threading.Lock()

    def left(self, visitor: str) -> int:
        """Bytes that this visitor may upload now."""
        with self._lock:
            self._forget()
            mine = self._settings.visitor_bytes - self._by_visitor.get(visitor, 0)
            return max(0, min(mine, self._settings.all_bytes - self._all))

    def add(self, visitor: str, size: int) -> None:
        """Bytes of this visitor arrived."""
        with self._lock:
            self._arrived.append((self._clock(), visitor, size))
            self._by_visitor[visitor] = self._by_visitor.get(visitor, 0) + size
            self._all += size

    def wait_s(self) -> float:
        """Seconds until the oldest upload is forgotten."""
        with self._lock:
            oldest = self._arrived[0][0] if self._arrived else self._clock()
            return max(1.0, oldest + self._settings.window_s - self._clock())

    def _forget(self) -> None:
        since = self._clock() - self._settings.window_s
        while self._arrived and self._arrived[0][0] < since:
            _, visitor, size = self._arrived.popleft()
            self._all -= size
            self._by_visitor[visitor] -= size
            if not self._by_visitor[visitor]:
                del self._by_visitor[visitor]

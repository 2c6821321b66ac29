"""Row ids that sort by the time they were made, and the server's clock."""

from __future__ import annotations

import secrets
import threading
import time


class _Clock:
    """Strictly increasing 48-bit milliseconds and 12-bit counters, for UUIDs that sort by time of creation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, (time.time_ns() // 1_000_000) << 12)
            return self._last


_CLOCK = _Clock()


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): sorts by the time it was made, and says nothing else.

    >>> first, second = new_id(), new_id()
    >>> (len(first), first[14], first < second)
    (36, '7', True)
    """
    stamp = _CLOCK.next()
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | secrets.randbits(62)
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def now_ms() -> int:
    """The server's clock in milliseconds UTC."""
    return time.time_ns() // 1_000_000

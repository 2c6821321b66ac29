"""A property that is computed once, also when fifty visitors ask first at the same time."""

from __future__ import annotations

import functools
import threading
from typing import Protocol, TypeVar

T = TypeVar("T")


class Locked(Protocol):
    """What has such properties: one lock that its own thread may take again."""

    lock: threading.RLock


class once(functools.cached_property[T]):
    """`functools.cached_property`, with the lock that it has lost in Python 3.12."""

    def __get__(self, owner: Locked, kind: type | None = None) -> T:  # type: ignore[override]
        with owner.lock:
            return super().__get__(owner, kind)

"""Things that are made once per key and kept while there is room: the one cache of the page."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class PerKey(Generic[K, T]):
    """Values by key; safe to use from several threads.

    Two who ask for one key at once wait for one making; who asks for another key waits for nobody, however long a
    making takes. What fails is not kept: everyone who waited gets the error, the next one tries again.

    Args:
        kept: how many values; the ones unused longest go first. 0 keeps none: only makings at one time are joined.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._values: OrderedDict[K, T] = OrderedDict()
        self._making: dict[K, Future[T]] = {}
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], T]) -> T:
        """The value of a key, made now if it is not there.

        Raises:
            Exception: whatever `make` raises.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            waiting = self._making.get(key)
            mine: Future[T] = waiting or Future()
            self._making[key] = mine
        return waiting.result() if waiting is not None else self._make(key, mine, make)

    def _make(self, key: K, mine: Future[T], make: Callable[[], T]) -> T:
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                if self._making.get(key) is mine:
                    del self._making[key]
            mine.set_exception(error)
            raise
        with self._lock:
            if self._making.get(key) is mine:  # else forgotten meanwhile: told to who waits, not kept
                del self._making[key]
                self._values[key] = value
                while len(self._values) > self._kept:
                    self._values.popitem(last=False)
        mine.set_result(value)
        return value

    def forget(self, gone: Callable[[K], bool]) -> None:
        """Let go of the keys that `gone` says, also of those that are being made."""
        with self._lock:
            for key in [key for key in self._values if gone(key)]:
                del self._values[key]
            for key in [key for key in self._making if gone(key)]:
                del self._making[key]

"""Python's collector of cycles at rest, while very many objects are made that are to stay."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_resting = 0  # how many threads want it; it is one for all of them
_was_on = False


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """While a hundred thousand items are read, the collector goes through all that are there again and again, in vain:
    none of them is in a cycle. It goes on once the last thread that wanted it to rest is done."""
    global _resting, _was_on
    with _lock:
        if not _resting:
            _was_on = gc.isenabled()
            gc.disable()
        _resting += 1
    try:
        yield
    finally:
        with _lock:
            _resting -= 1
            if not _resting and _was_on:
                gc.enable()

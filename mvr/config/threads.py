"""Numpy's matrix products on one thread, while they are small: more threads would mostly wait for each other."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_lock = threading.Lock()
_wanting = 0  # how many threads want it; the number is one for all of them
_before: list[tuple[Any, int]] = []


def start_with_one() -> None:
    """Said before numpy is loaded: its second thread turns round for a while as it starts, a fortieth of what a list
    takes. A number that the user gave stays."""
    if "numpy" not in sys.modules:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenBLAS's threads turn round while they wait for work: an index of 100,000 tracks took 21 s of the processor
    with two of them and 13 with one, and no longer by the clock. The number is as before once the last thread that
    wanted one is done."""
    global _wanting
    with _lock:
        if not _wanting:
            _before[:] = [(library, library.num_threads) for library in _libraries()]
            _set([(library, 1) for library, _ in _before])
        _wanting += 1
    try:
        yield
    finally:
        with _lock:
            _wanting -= 1
            if not _wanting:
                _set(_before)


def _set(numbers: list[tuple[Any, int]]) -> None:
    for library, number in numbers:
        _release(library)
        library.set_num_threads(number)
        _release(library)


def _release(library: Any) -> None:
    """threadpoolctl lets the thread that set OpenBLAS's number first set it alone; here they take turns by a lock."""
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)


@cache
def _libraries() -> tuple[Any, ...]:
    """What multiplies matrices in this process, looked for once: numpy's is there whoever comes later.

    OpenMP keeps a number for each thread, which another one cannot give back: such a library (faiss's) is left alone.
    """
    import numpy  # noqa: F401 - loads it
    from threadpoolctl import ThreadpoolController

    found = ThreadpoolController().select(internal_api="openblas").lib_controllers
    return tuple(library for library in found if library.threading_layer == "pthreads")

"""Processes that work side by side on many files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any


@contextmanager
def worker_processes(
    count: int, start: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes: "spawn" keeps loaded libraries with threads of their own out of the children.

    Where the block is left by an error or a request to end, what no process has begun is dropped.

    Args:
        count: how many processes.
        start: called in each of them first.
        arguments: of `start`.
    """
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=start, initargs=arguments)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)

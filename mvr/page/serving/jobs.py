"""Work that needs a model: who waits for one to be loaded takes no place from those whose model is there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
MOST_WAITING = 64  # visitors at one time; their threads only wait


class Jobs:
    """Runs so many works at a time, each once its model is there.

    Args:
        at_once: works at one time; loading does not count.
    """

    def __init__(self, at_once: int) -> None:
        self._loaders = ThreadPoolExecutor(MOST_WAITING, thread_name_prefix="mvr-load")
        self._workers = ThreadPoolExecutor(at_once, thread_name_prefix="mvr-embed")

    def submit(self, load: Callable[[], object], work: Callable[[], T]) -> Future[T]:
        """Load, which may take minutes, then work.

        Returns:
            What `work` gives, or the error of either.
        """
        told: Future[T] = Future()

        def pass_on(worked: Future[T]) -> None:
            if (error := worked.exception()) is not None:
                told.set_exception(error)
            else:
                told.set_result(worked.result())

        def begin(loaded: Future[object]) -> None:
            if (error := loaded.exception()) is not None:
                told.set_exception(error)
            else:
                self._workers.submit(work).add_done_callback(pass_on)

        self._loaders.submit(load).add_done_callback(begin)
        return told

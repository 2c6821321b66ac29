"""A program that is asked to end clears away what it began: files half written, processes started, visitors' files."""

from __future__ import annotations

import signal
import threading
from types import FrameType

_REQUESTS = ("SIGTERM", "SIGHUP")  # of a container or `timeout`; of a terminal that was closed


def end_as_on_interrupt() -> None:
    """Let a request to end unwind the program as Ctrl-C does; without this it is gone at once and what ffmpeg writes
    for it goes on. A request that is handled or ignored already (`nohup`) stays so."""
    if threading.current_thread() is not threading.main_thread():  # signals are heard there alone
        return
    for number in (getattr(signal, name) for name in _REQUESTS if hasattr(signal, name)):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)  # the status that a shell gives for it

"""Work on files that nobody waits for any more ends: at the next packet that is read, within a moment of ffmpeg.

with while_wanted(lambda: not cancelled):
    mux_music(clip, track, out)          # raises Stopped soon after it is cancelled, and leaves nothing behind
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from mvr.media.progress import within

Wanted = Callable[[], bool]
_wanted: ContextVar[Wanted | None] = ContextVar("wanted", default=None)


class Stopped(Exception):
    """What was being made is wanted no more."""


@contextlib.contextmanager
def while_wanted(wanted: Wanted) -> Iterator[None]:
    """What runs in this context is asked now and then whether it is still wanted; any thread may change the answer."""
    with within(_wanted, wanted):
        yield


def wanted_here() -> Wanted | None:
    """What is asked in this context; None where nobody can stop it."""
    return _wanted.get()


def check_wanted(wanted: Wanted | None) -> None:
    """Raise Stopped where the answer is no."""
    if wanted is not None and not wanted():
        raise Stopped

"""How far work on a file has come, told while it goes on: seconds of the file that are decoded, batches of a network.

    with telling(print):                     # a share from 0 to 1 that never goes back
        retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC)

Whoever does several works in a row gives each its part of the whole: `with stretch(0.0, 0.5): ...`. What decodes files
and runs networks says `tell_done(share)`; it is heard only where somebody asked.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(kw_only=True)
class _Listener:
    tell: Callable[[float], None]
    best: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    listener: _Listener
    begin: float
    end: float


_stretch: ContextVar[_Stretch | None] = ContextVar("stretch", default=None)


@contextlib.contextmanager
def telling(tell: Callable[[float], None]) -> Iterator[None]:
    """Call `tell` with the share that is done of what runs in this context, whenever it has grown."""
    with within(_stretch, _Stretch(listener=_Listener(tell=tell), begin=0.0, end=1.0)):
        yield


@contextlib.contextmanager
def stretch(begin: float, end: float) -> Iterator[None]:
    """What runs in this context is the part from `begin` to `end` (shares) of the work around it."""
    outer = _stretch.get()
    if outer is None:
        yield
        return
    width = outer.end - outer.begin
    inner = _Stretch(
        listener=outer.listener, begin=outer.begin + begin * width, end=outer.begin + end * width
    )
    with within(_stretch, inner):
        yield
        tell_done(1.0)


@contextlib.contextmanager
def within(variable: ContextVar[T], value: T) -> Iterator[None]:
    """A variable of the context has that value as long."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def is_told() -> bool:
    """Whether anybody asked."""
    return _stretch.get() is not None


def tell_done(share: float) -> None:
    """So much of the present stretch is done, 0 to 1; what was told before is never taken back."""
    here = _stretch.get()
    if here is None:
        return
    whole = here.begin + min(1.0, max(0.0, share)) * (here.end - here.begin)
    if whole > here.listener.best:
        here.listener.best = whole
        here.listener.tell(whole)

"""What is said while somebody waits: the work, how much of it is done, and about how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mvr.page import texts

QUICK_S = 2.0  # what takes less says only what it is
_STEP_S = 0.5  # between two sentences: what changes faster cannot be read
_FEW_S = 10.0  # below it the rest is told in seconds, above in steps of five


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a work is, and in words how long the rest will take."""

    percent: int
    rest: str


class Waiting:
    """One work that is waited for.

    Args:
        clock: seconds that go on, for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun_s: float | None = None
        self._told_s = 0.0
        self.share = 0.0

    def done(self, share: float) -> None:
        """So much of it is done, 0 to 1. The first call says that it has begun: it may have had to wait for others."""
        if self._begun_s is None:
            self._begun_s = self._clock()
        self.share = share

    def told(self) -> Progress | None:
        """How far it is; None where nothing new is to be said yet."""
        now = self._clock()
        if self._begun_s is None or self.share <= 0 or now - self._told_s < _STEP_S:
            return None
        passed_s = now - self._begun_s
        if passed_s < _STEP_S or passed_s / self.share < QUICK_S:
            return None
        self._told_s = now
        return Progress(percent=int(100 * self.share), rest=rest(passed_s * (1 - self.share) / self.share))


def rest(seconds: float) -> str:
    """About how long it will still take.

    >>> rest(3.2), rest(31.0), rest(130.0)
    ('about 4 s left', 'about 35 s left', 'about 3 min left')
    """
    seconds = round(seconds, 1)
    if seconds > 90:
        return texts.MINUTES_LEFT.format(minutes=-int(-seconds // 60))
    step_s = 1 if seconds < _FEW_S else 5
    return texts.SECONDS_LEFT.format(seconds=max(step_s, -int(-seconds // step_s) * step_s))

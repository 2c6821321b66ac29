"""Frames, seconds and timecodes by exact fractions.

Editors count frames at one of nine rates; 23.976 stands for 24000/1001, 29.97 for 30000/1001, 59.94 for 60000/1001.
A float of 29.97 is one frame off after nine hours and a library's own conversion to timecode may be off at once, so
everything here is a `fractions.Fraction`. Drop-frame timecode leaves out numbers, never frames: two (at 59.94: four)
at the start of each minute that is no multiple of ten. Source: SMPTE ST 12-1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from mvr.errors import UsageError


@dataclass(frozen=True, order=True)
class FrameRate:
    """Frames per second, exactly."""

    per_s: Fraction

    @property
    def nominal(self) -> int:
        """Frames that a second of timecode counts.

        >>> FrameRate(Fraction(30000, 1001)).nominal
        30
        """
        return math.ceil(self.per_s)

    @property
    def ntsc(self) -> bool:
        """Whether it is a nominal rate slowed down by 1000/1001."""
        return self.per_s != self.nominal

    @property
    def can_drop(self) -> bool:
        """Whether drop-frame timecode exists at this rate."""
        return self.ntsc and self.nominal in (30, 60)

    @property
    def name(self) -> str:
        """The rate as editors write it.

        >>> [FrameRate(rate).name for rate in (Fraction(24000, 1001), Fraction(25))]
        ['23.976', '25']
        """
        return f"{float(self.per_s):.3f}".rstrip("0").rstrip(".")

    def frame_at(self, seconds: float | Fraction) -> int:
        """The frame whose start is nearest to a time; half a frame goes up.

        >>> FrameRate(Fraction(25)).frame_at(0.5)
        13
        """
        return math.floor(Fraction(seconds) * self.per_s + Fraction(1, 2))

    def frames_within(self, seconds: float | Fraction) -> int:
        """Whole frames that fit in a length; a millionth of a frame is no reason to lose one."""
        return math.floor(Fraction(seconds) * self.per_s + Fraction(1, 1_000_000))

    def second_of(self, frame: int) -> Fraction:
        """When a frame starts, in seconds."""
        return frame / self.per_s

    def timecode(self, frame: int, *, drop: bool = False) -> str:
        """A frame's name on the clock of an editor.

        >>> rate = FrameRate(Fraction(30000, 1001))
        >>> rate.timecode(1800), rate.timecode(1800, drop=True), rate.timecode(17982, drop=True)
        ('00:01:00:00', '00:01:00;02', '00:10:00;00')

        Raises:
            UsageError: drop-frame timecode at a rate that has none.
        """
        if drop:
            frame += self._left_out(frame)
        seconds, rest = divmod(frame, self.nominal)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"{clock}{';' if drop else ':'}{rest:02}"

    def _left_out(self, frame: int) -> int:
        """Numbers that drop-frame timecode leaves out before a frame."""
        if not self.can_drop:
            raise UsageError(
                f"drop-frame timecode exists at 29.97 and 59.94 frames a second, not at {self.name}"
            )
        skipped = self.nominal // 15
        minute = self.nominal * 60 - skipped
        tens, within = divmod(frame, minute * 10 + skipped)
        minutes = 0 if within < self.nominal * 60 else 1 + (within - self.nominal * 60) // minute
        return skipped * (9 * tens + minutes)


STANDARD_RATES = tuple(
    FrameRate(rate)
    for nominal in (24, 25, 30, 48, 50, 60)
    for rate in ([Fraction(nominal * 1000, 1001)] if nominal % 25 else []) + [Fraction(nominal)]
)
_NEAR = Fraction(1, 100)  # nearer than this to a rate, or to a multiple of it, is meant to be it


def editing_rate(measured_hz: Fraction) -> FrameRate:
    """The rate of a sequence for a clip: the nearest standard one, or the one that its own rate divides or multiplies.

    >>> [editing_rate(Fraction(hz)).name for hz in ("30.0001", "30.01", "29.98", "15", "12.5", "120", "27.3")]
    ['30', '30', '29.97', '30', '25', '60', '25']
    """
    for factor in (Fraction(1), Fraction(2), Fraction(1, 2), Fraction(3), Fraction(1, 4), Fraction(4)):
        wanted = measured_hz * factor
        best = min(STANDARD_RATES, key=lambda rate: abs(rate.per_s - wanted))
        if abs(best.per_s - wanted) <= _NEAR * wanted:
            return best
    return min(STANDARD_RATES, key=lambda rate: abs(math.log(rate.per_s / measured_hz)))

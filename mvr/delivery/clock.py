"""When the pictures of a clip are shown: how many there are, how fast, and whether evenly."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.delivery.frames import FrameRate, editing_rate
from mvr.errors import Truncated
from mvr.media.container import open_media
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.refusals import no_picture

if TYPE_CHECKING:
    from mvr.media.container import OpenMedia

_STILL_S = Fraction(1, 25)  # how long the only picture of a clip is shown where the file does not say


@dataclass(frozen=True, kw_only=True)
class PictureClock:
    """The pictures of a clip on the grid of an editor.

    Attributes:
        rate: rate of the sequence, see `mvr.delivery.frames.editing_rate`.
        frames: length of the clip in frames of `rate`.
        measured_hz: pictures per second on average, from the first to the last.
        pictures: how many there are in the file.
        variable: they do not come evenly; every time is then rounded to the nearest frame of `rate`.
    """

    rate: FrameRate
    frames: int
    measured_hz: Fraction
    pictures: int
    variable: bool


def read_clock(path: str | Path, limits: MediaLimits = DEFAULT_LIMITS) -> PictureClock:
    """Count the pictures of a clip and their times; nothing is decoded.

    Raises:
        NoPicture: a file without pictures. Truncated: not one picture has a time.
        MediaError: as for `open_media`.
    """
    with open_media(path, limits) as media:
        stream = media.picture()
        if stream is None:
            raise no_picture(media.path)
        tick = stream.time_base or Fraction(1, 90_000)
        ticks = _ticks(media, stream)
    if not ticks:
        raise Truncated(f"{media.path.name}: no picture has a timestamp; the file is damaged")
    if len(ticks) == 1:
        rate = editing_rate(1 / _STILL_S)
        return PictureClock(rate=rate, frames=1, measured_hz=rate.per_s, pictures=1, variable=False)
    steps = [after - before for before, after in itertools.pairwise(ticks)]
    step_s = Fraction(ticks[-1] - ticks[0], len(steps)) * tick
    typical = statistics.median(steps)
    uneven = max(abs(step - typical) for step in steps) > max(1.5, 0.1 * typical)
    # pictures that were dropped lower the average: most of a clip tells what it was filmed at
    usual = editing_rate(1 / (Fraction(typical) * tick)) if uneven and typical else None
    rate = (
        usual if usual is not None and _is_near(usual, Fraction(typical) * tick) else editing_rate(1 / step_s)
    )
    return PictureClock(
        rate=rate,
        frames=max(1, rate.frame_at(step_s * len(ticks))),
        measured_hz=1 / step_s,
        pictures=len(ticks),
        variable=uneven,
    )


def _is_near(rate: FrameRate, step_s: Fraction) -> bool:
    """Whether pictures come at a rate, within the two hundredths that clocks of whole milliseconds round by."""
    return abs(rate.per_s * step_s - 1) <= Fraction(1, 50)


def _ticks(media: OpenMedia, stream: object) -> list[int]:
    """Times of the pictures that are shown, in order and each once, in units of the stream's clock."""
    shown = [packet for packet in media.packets(stream) if packet.size and not packet.is_discard]
    times = [packet.pts if packet.pts is not None else packet.dts for packet in shown]
    return sorted({time for time in times if time is not None})

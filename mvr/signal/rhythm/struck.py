"""The click that strokes keep where the beats of a chain keep none.

Slow strings drag a chain of beats along by up to 0.1 s, now this way, now that; what strikes beside them (a drum on
the first beat of a bar) keeps the click all the same. Around the line of most beats, periods and moments are searched
at which strokes fall most sharply: on all beats, on the first of each bar or on every other one. Such a click is
taken where it is struck more sharply than the beats as they were heard: of music that drifts it is not. Where beats
keep a click by themselves, the same tells how late they were heard.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, Times
from mvr.signal.rhythm.bars import Bars
from mvr.signal.rhythm.clicks import Click, commonest_click, on_click
from mvr.signal.rhythm.strokes import RATE_HZ, STRIKES_S, sharp_strokes

Places = npt.NDArray[np.int64]
NEAR_S = 0.06  # of the line: beats that strings drag along
_SHARE = 0.7  # of the beats that lie so near to it
_TURN_S = 0.15  # by which the first and the last beat may come to lie elsewhere
_STEP_S = 0.006  # of both, about a frame of the strokes
_EARLIEST_S, _LATEST_S = -0.2, 0.12  # beside the line, at which it may have been struck
_SHARP = 7.0  # deviations of the mean from none; at a pace that is not the piece's 3.8 in the middle, 6.6 at one of ten


@dataclass(frozen=True, kw_only=True)
class Struck:
    """Attributes: `click`, when it is played.   times_s: of a chain's beats, on it."""

    click: Click
    times_s: Times


def struck_beats(rises: FloatArray, heard_s: Times, bars: Bars) -> Struck | None:
    """The click that strokes keep beside a chain without one; None where they keep none.

    Args:
        rises: of `mvr.signal.rhythm.strokes.stroke_rises`.
        heard_s: (beats,) of the chain, as they were heard.
        bars: of it.
    """
    line = commonest_click(heard_s)
    if line is None or line.kept(heard_s, NEAR_S) < _SHARE:
        return None
    strokes = sharp_strokes(rises)
    numbers = line.numbers(heard_s).astype(np.int64)
    first = _first(numbers, bars)
    as_heard, _ = _sharpest(strokes, heard_s, _groups(numbers - first, bars.bar_beats))
    every = np.arange(numbers[0], numbers[-1] + 1)
    groups = _groups(every - first, bars.bar_beats)
    middle, half = (every[0] + every[-1]) / 2, (every[-1] - every[0]) / 2
    best, click = 0.0, line
    for turn_s in np.arange(-_TURN_S, _TURN_S + _STEP_S / 2, _STEP_S):
        period_s = line.period_s + turn_s / half
        moments = line.first_s + line.period_s * middle + period_s * (every - middle)
        sharp, beside_s = _sharpest(strokes, moments, groups)
        if sharp > best:
            best, click = sharp, Click(period_s, float(moments[0]) + beside_s - period_s * int(every[0]))
    if best < max(_SHARP, as_heard):
        return None
    played = Click(click.period_s, click.first_s - STRIKES_S)
    # each after its own moment, not the nearest: half a beat off, every other one would be near the next
    after_s = np.median(heard_s - played.first_s - played.period_s * numbers)
    late_s = float(played.away_s(played.first_s + after_s))
    heard = Click(played.period_s, played.first_s + late_s)
    return Struck(click=played, times_s=on_click(heard, heard_s, NEAR_S) - late_s)


def struck_lag_s(rises: FloatArray, times_s: Times, bars: Bars) -> float | None:
    """By how much beats on their click come after they are played; None where nothing strikes beside them.

    Args:
        rises: of `mvr.signal.rhythm.strokes.stroke_rises`.
        times_s: (beats,).
        bars: of them.
    """
    numbers = np.arange(len(times_s))
    groups = _groups(numbers - _first(numbers, bars), bars.bar_beats)
    sharp, beside_s = _sharpest(sharp_strokes(rises), times_s, groups)
    return -beside_s - STRIKES_S if sharp >= _SHARP else None


def _first(numbers: Places, bars: Bars) -> int:
    """The number at which bars begin, most of them."""
    return int(np.bincount(numbers[bars.downbeats] % bars.bar_beats, minlength=1).argmax())


def _groups(numbers: Places, bar_beats: int) -> list[Places]:
    """Indices of beats that may be struck: all, the first of each bar (number 0 is one), every other one from there."""
    every = [1, bar_beats, 2] if bar_beats == 4 else [1, bar_beats]
    return [np.flatnonzero(numbers % each == 0) for each in every]


def _sharpest(strokes: FloatArray, times_s: Times, groups: list[Places]) -> tuple[float, float]:
    """How sharply times are struck at the moment beside them at which they are most, and by how much that is later."""
    beside = np.arange(round(_EARLIEST_S * RATE_HZ), round(_LATEST_S * RATE_HZ) + 1)
    frames = np.rint(times_s * RATE_HZ).astype(np.int64)[:, None] + beside
    values = strokes[np.clip(frames, 0, len(strokes) - 1)]
    sharp = np.stack([values[each].sum(axis=0) / max(1, len(each)) ** 0.5 for each in groups])
    group, place = np.unravel_index(int(sharp.argmax()), sharp.shape)
    return float(sharp[group, place]), float(beside[place]) / RATE_HZ

"""What lies before and after the stretch of a piece that keeps its click: does the click go on there?

A chain of beats may lie on other strokes in an intro, a break or an ending, and never come back to the click. Where
the click's own moments are struck there as sharply as elsewhere, the piece has not left it; where it goes on at another
tempo, slows down or begins anew after a pause, they are not.
"""

from __future__ import annotations

import numpy as np

from mvr.datatypes import FloatArray, Times
from mvr.signal.rhythm.strokes import struck_at

_FEWEST = 8  # beats whose strokes tell it
_EVEN_S = 1e-6  # by which steps between beats of a click differ
_AS_SHARP = 0.5  # of what the click is struck elsewhere
_BESIDE = 0.8  # of what the chain's own beats are struck there


def on_with_click(strokes: FloatArray, times_s: Times) -> Times:
    """Beats with those before and after their click's stretch moved onto it where it goes on.

    Args:
        strokes: of `mvr.signal.rhythm.strokes.sharp_strokes`.
        times_s: (beats,) when they are played.
    """
    first, last = _stretch(times_s)
    if last - first < _FEWEST:
        return times_s
    period_s, kept = float(times_s[first + 1] - times_s[first]), times_s[first : last + 1]
    least = _AS_SHARP * _struck(strokes, kept)
    before, after = times_s[:first], times_s[last + 1 :]
    if len(before) >= _FEWEST:
        ahead = kept[0] - period_s * np.arange(round((kept[0] - before[0]) / period_s), 0, -1)
        before = ahead if _goes_on(strokes, ahead, before, least) else before
    if len(after) >= _FEWEST:
        behind = kept[-1] + period_s * np.arange(1, 1 + round((after[-1] - kept[-1]) / period_s))
        after = behind if _goes_on(strokes, behind, after, least) else after
    return np.concatenate([before, kept, after])


def _goes_on(strokes: FloatArray, click_s: Times, heard_s: Times, least: float) -> bool:
    struck = _struck(strokes, click_s)
    return struck >= max(least, _BESIDE * _struck(strokes, heard_s))


def _stretch(times_s: Times) -> tuple[int, int]:
    """The first and the last beat of the longest stretch of equal steps."""
    even = np.abs(np.diff(times_s, 2)) < _EVEN_S
    edges = np.flatnonzero(np.diff(np.concatenate([[False], even, [False]]).astype(np.int8)))
    if len(edges) == 0:
        return 0, 0
    longest = int((edges[1::2] - edges[::2]).argmax())
    return int(edges[2 * longest]), int(edges[2 * longest + 1]) + 1


def _struck(strokes: FloatArray, times_s: Times) -> float:
    """How sharply beats are struck in the mean."""
    return float(struck_at(strokes, times_s).mean()) if len(times_s) else 0.0

"""Where parts of a piece begin: the moments at which what sounds for bars becomes something else.

Players come in, drums stop and choruses begin on a bar line, and a whole piece has a dozen such moments. The bars
before and after one differ most exactly there (whole bars: what repeats in each of them cancels out), so that they
tell bars, and beats from what lies between them, where chords and strokes point both ways.
"""

from __future__ import annotations

import numpy as np

from mvr.datatypes import FloatArray, Times
from mvr.signal.onsets import FRAME_RATE_HZ
from mvr.signal.rhythm.moments import totals

_BARS = 4  # compared on either side
_APART_S = 3.0
_EACH_S = 12.0  # the most distinct ones, one for so many seconds
_DISTINCT = 1.5  # times the usual difference
_SPREAD_S = 0.06  # of moments about their bar line
_ELSEWHERE = 0.5  # share of moments that lie anywhere


class Parts:
    """A piece, ready to be asked where its parts begin.

    Args:
        decibels: (frames, 40) mel bands.
    """

    def __init__(self, decibels: FloatArray) -> None:
        self._total = totals(decibels)
        self._known: dict[int, Times] = {}  # chains of one tempo ask the same

    def speak_for(self, times_s: Times, bar_beats: int) -> Times:
        """Log odds that parts begin on bar lines rather than anywhere, given to the beat nearest to each: (beats,).

        Args:
            times_s: at least two beats.   bar_beats: of them in a bar.
        """
        bar_s = bar_beats * float(np.median(np.diff(times_s)))
        reach = round(_BARS * bar_s * FRAME_RATE_HZ)
        if reach not in self._known:
            self._known[reach] = self.begin_s(reach)
        begin_s = self._known[reach]
        odds = np.zeros(len(times_s))
        near = np.abs(times_s[:, None] - begin_s).argmin(axis=0)
        away = (times_s[near] - begin_s) / _SPREAD_S
        dense = bar_s / (_SPREAD_S * np.sqrt(2 * np.pi)) * np.exp(-0.5 * away**2)
        np.add.at(odds, near, np.log1p((1 / _ELSEWHERE - 1) * dense))
        return odds

    def begin_s(self, reach: int) -> Times:
        """Moments before and after which `reach` frames differ most from each other: (parts,)."""
        apart = round(_APART_S * FRAME_RATE_HZ)
        if len(self._total) <= 3 * reach:
            return np.zeros(0)
        means = (self._total[reach:] - self._total[:-reach]) / reach
        differs = np.linalg.norm(means[reach:] - means[:-reach], axis=1)
        beside = np.lib.stride_tricks.sliding_window_view(np.pad(differs, apart, mode="edge"), 2 * apart + 1)
        peaks = np.flatnonzero((differs == beside.max(axis=1)) & (differs > _DISTINCT * np.median(differs)))
        most = round(len(self._total) / FRAME_RATE_HZ / _EACH_S)
        kept = np.sort(peaks[np.argsort(-differs[peaks])][:most])
        begin_s: Times = (kept + reach) / FRAME_RATE_HZ
        return begin_s

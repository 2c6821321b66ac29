"""What happens on beats and between them: how loud, low, struck and new it is there.

One row per beat of a chain; `mvr.signal.rhythm.bars` tells beats and bars from it. Harmony is compared over half a beat
around each moment, and over one, two and four beats: a chord lasts, a stroke does not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, Times
from mvr.signal.onsets import BANDS, FRAME_RATE_HZ

BEAT_FEATURES = ("level", "bass", "onset", "bass onset", "middle onset", "treble onset", "harmony", "timbre")
SPANS = (
    ("harmony", 1), ("harmony", 2), ("harmony", 4), ("timbre", 2), ("timbre", 4), ("bass", 2)
)  # what is compared over how many beats  # fmt: skip
WIDTH = 3 * len(BEAT_FEATURES) + len(SPANS)
_LEAST_SPREADS = (0.3, 0.3, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01)  # of BEAT_FEATURES: less is nothing
_LEAST_SPAN_SPREAD = 0.02
_LOW_BANDS = 8  # of the mel bands, up to about 330 Hz: roots move there
Totals = npt.NDArray[np.float64]


class Moments:
    """A piece, ready to be asked about many chains of beats.

    Args:
        decibels, classes: (frames, 40) mel bands and (frames, 12) pitch classes.
        envelopes: (4, frames) of `mvr.signal.onsets`.
    """

    def __init__(self, decibels: FloatArray, classes: FloatArray, envelopes: FloatArray) -> None:
        self._level, self._bass = (_level(decibels, band) for band in BANDS[:2])
        self._envelopes = envelopes
        shares = classes / np.maximum(classes.sum(axis=1, keepdims=True), 1e-6)
        timbre = decibels - decibels.mean(axis=0)
        self._classes, self._shares, self._timbre = (totals(rows) for rows in (classes, shares, timbre))

    def beaten(self, times_s: Times) -> FloatArray:
        """Rows of a chain of at least two beats: (beats, `WIDTH`).

        `BEAT_FEATURES` on each beat, standardised over the beats; there and midway to the next one, standardised
        over both; then how much changes at each beat over `SPANS`.
        """
        moments = np.empty(2 * len(times_s) - 1)
        moments[::2], moments[1::2] = times_s, (times_s[1:] + times_s[:-1]) / 2
        frames = np.clip(np.rint(moments * FRAME_RATE_HZ).astype(np.int64), 0, len(self._level) - 1)
        columns = [_peak(self._level, frames, (0, 4)), _peak(self._bass, frames, (0, 4))]
        columns += [_peak(envelope, frames, (-2, 3)) for envelope in self._envelopes]
        edges = np.concatenate([[0], frames, [len(self._level)]])
        columns += [_change(np.diff(total[edges], axis=0)) for total in (self._classes, self._timbre)]
        values = np.stack(columns, axis=1)
        on = values[::2]
        common = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), _LEAST_SPREADS)
        rows = np.zeros((len(on), 3, values.shape[1]), np.float32)
        rows[:, 0] = (on - on.mean(axis=0)) / np.maximum(on.std(axis=0), _LEAST_SPREADS)
        rows[:, 1], rows[:-1, 2] = common[::2], common[1::2]
        return np.concatenate([rows.reshape(len(on), -1), self._spans(frames[::2])], axis=1)

    def _spans(self, frames: npt.NDArray[np.int64]) -> FloatArray:
        """How much changes at each beat: (beats, spans), standardised over the beats."""
        last = min(len(self._level), int(frames[-1] + max(1, np.median(np.diff(frames)))))
        edges = np.append(frames, last)
        lengths = np.maximum(np.diff(edges), 1)[:, None]
        harmony, timbre = (np.diff(total[edges], axis=0) / lengths for total in (self._shares, self._timbre))
        beats = {"harmony": harmony, "timbre": timbre, "bass": timbre[:, :_LOW_BANDS]}
        changes = np.stack([_lasting_change(beats[name], reach) for name, reach in SPANS], axis=1)
        spread = np.maximum(changes.std(axis=0), _LEAST_SPAN_SPREAD)
        rows: FloatArray = ((changes - changes.mean(axis=0)) / spread).astype(np.float32)
        return rows


def totals(rows: FloatArray) -> Totals:
    """(frames + 1, columns): sums of the rows before each frame."""
    return np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])


def _change(parts: Totals) -> FloatArray:
    """1 - cosine of each of (n + 1) parts and the next one: (n,)."""
    unit = parts / np.maximum(np.linalg.norm(parts, axis=1, keepdims=True), 1e-9)
    change: FloatArray = (1 - (unit[1:] * unit[:-1]).sum(axis=1)).astype(np.float32)
    return change


def _lasting_change(beats: Totals, reach: int) -> Totals:
    """1 - cosine of the mean of up to `reach` beats before each beat and from it on; the mean change at the first."""
    total = totals((beats - beats.mean(axis=0)).astype(np.float64))
    place = np.arange(1, len(beats))
    before = total[place] - total[np.maximum(place - reach, 0)]
    after = total[np.minimum(place + reach, len(beats))] - total[place]
    size = np.maximum(np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1), 1e-9)
    change = 1 - (before * after).sum(axis=1) / size
    return np.concatenate([[change.mean()], change])


def _level(decibels: FloatArray, band: slice) -> FloatArray:
    power: FloatArray = (10.0 ** (decibels[:, band] / 10)).sum(axis=1)
    level: FloatArray = (10 * np.log10(power + 1e-8)).astype(np.float32)
    return level


def _peak(curve: FloatArray, frames: npt.NDArray[np.int64], around: tuple[int, int]) -> FloatArray:
    places = np.clip(frames[:, None] + np.arange(*around), 0, len(curve) - 1)
    highest: FloatArray = curve[places].max(axis=1)
    return highest

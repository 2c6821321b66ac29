"""Beats of many tracks at once: how far moments lie from the nearest beat of their own track."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, Times

RATE_HZ = 32.0  # of the curve of nearness to beats
NEAR_BEAT_S = 0.08
_TOGETHER = 4  # tracks whose beats are painted at once: more of them leave the cache
_NEVER_S = -1e6  # when the one beat of a track without beats is


class Pulses:
    """Beats of T tracks in one row, each track's shifted beyond the end of the one before.

    Args:
        beats_s: T ascending rows of times.
        longest_s: no moment that is asked for lies later.
    """

    def __init__(self, beats_s: Sequence[Times], longest_s: float) -> None:
        self.counts = np.array([len(each) for each in beats_s], np.int64)
        last_s = max((float(each[-1]) for each in beats_s if len(each)), default=0.0)
        self._shift_s = 1.0 + max(last_s, longest_s)
        self._first = np.cumsum(self.counts) - self.counts
        shifts = np.repeat(np.arange(len(beats_s)) * self._shift_s, self.counts)
        self._own = np.concatenate([np.zeros(0), *beats_s])
        self._all = self._own + shifts

    def around(self, times_s: Times) -> tuple[Times, Times]:
        """The beats at most and at least as late as times (..., T, K), the only one there is beyond the ends; NaN for a
        track without beats: twice (..., T, K).
        """
        if not len(self._own):
            return np.full(times_s.shape, np.nan), np.full(times_s.shape, np.nan)
        first = self._first[:, None]
        last = np.minimum(first + np.maximum(self.counts, 1)[:, None] - 1, len(self._own) - 1)
        shifts = np.arange(len(self.counts))[:, None] * self._shift_s
        place = np.searchsorted(self._all, times_s + shifts)
        silent = self.counts[:, None] == 0
        before, after = (
            np.where(silent, np.nan, self._own[np.minimum(np.maximum(at, first), last)])
            for at in (place - 1, place)
        )
        return before, after

    def distances(self, times_s: Times) -> Times:
        """Distance in s of times (..., T, K) to the nearest beat of their track; NaN for a track without beats."""
        before, after = self.around(times_s)
        distances: Times = np.minimum(np.abs(times_s - before), np.abs(times_s - after))
        return distances

    def near(self, times_s: Times) -> npt.NDArray[np.bool_]:
        """Whether times (..., T, K) lie within 80 ms of a beat of their track."""
        return self.distances(times_s) <= NEAR_BEAT_S

    def shares(self, times_s: Times, counted: npt.NDArray[np.bool_] | None = None) -> Times:
        """Share of those times (..., T, K) that count (all of them) within 80 ms of a beat; NaN for a track with fewer
        than two, and where no time counts: (..., T).
        """
        counted = np.ones(times_s.shape, bool) if counted is None else counted
        many = np.where(self.counts < 2, 0, np.count_nonzero(counted, axis=-1))
        near = np.count_nonzero(self.near(times_s) & counted, axis=-1)
        shares: Times = np.where(many > 0, near / np.maximum(many, 1), np.nan)
        return shares

    def nearness(self, times_s: Times) -> Times:
        """Mean nearness of times (..., T, K) to beats, 0 without times; NaN for a track without beats."""
        if not times_s.shape[-1]:
            return np.zeros(times_s.shape[:-1])
        mean: Times = _near(self.distances(times_s), NEAR_BEAT_S).mean(axis=-1)
        return mean


def beat_nearness(beats_s: Sequence[Times], count: int) -> FloatArray:
    """Nearness to the track's nearest beat, 1 on it, 32 times a second: (T, count)."""
    one = [each if len(each) else np.array([_NEVER_S]) for each in beats_s]
    beats = np.concatenate([np.zeros(0), *one])
    ends = np.cumsum([len(each) for each in one], dtype=np.int64)
    edges = np.append((beats[1:] + beats[:-1]) / 2, 0.0)  # halfway on the later beat is the nearer one
    edges = np.clip(np.ceil(edges * RATE_HZ - 0.5), 0, count).astype(np.int64)
    edges[ends - 1] = count
    lengths = np.diff(edges, prepend=0)
    lengths[ends[:-1]] += count  # of a first beat: from the start of its own row
    since, moments = 0.5 - beats * RATE_HZ, np.arange(count, dtype=np.float64)
    near, first = np.empty((len(one), count), np.float32), 0
    for row in range(0, len(one), _TOGETHER):
        rows, last = near[row : row + _TOGETHER], ends[row : row + _TOGETHER][-1]
        late = np.repeat(since[first:last], lengths[first:last]).reshape(rows.shape)
        # in float32 of the time since each beat alone, so that long tracks lose nothing
        np.add(late, moments, out=rows, casting="same_kind")
        _near(rows, NEAR_BEAT_S * RATE_HZ)
        first = last
    return near


def _near(distances: npt.NDArray[Any], spread: float) -> npt.NDArray[Any]:
    """exp(-d^2 / 2 spread^2), written over the distances: a list of tracks has millions of them."""
    np.square(distances, out=distances)
    np.multiply(distances, -0.5 / spread**2, out=distances)
    near: npt.NDArray[Any] = np.exp(distances, out=distances)
    return near

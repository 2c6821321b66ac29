"""Which bars of a track sound alike: the graph that a fitted track is cut along.

A bar is what is heard in each of its sixteen slots: mel bands and pitch classes, less their mean over the
track. Jumping from the end of bar i to bar j is smooth where bar j is like bar i + 1, which would have
followed, and bar i like bar j - 1.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, Times
from mvr.signal.onsets import FRAME_RATE_HZ, band_flux
from mvr.signal.rhythm.clicks import commonest_click
from mvr.signal.rhythm.hearing import Heard
from mvr.signal.rhythm.moments import totals

_SLOTS = 16
_LOOSE_S = 2.0  # length of a "bar" of music without a beat
_CLICK = 0.5  # of the bars that keep a click where there is one
_BESIDE_S = 0.015  # of it: a bar that begins farther off was dragged along, or is heard off the beat


@dataclass(frozen=True, kw_only=True, eq=False)
class Bars:
    """The bars of a track, and how smoothly each leads into each other one.

    Attributes:
        edges_s: (N + 1,) starts of the bars, and where the last one ends.
        likeness: (N, N) of jumping from the end of bar i to bar j, -1 to 1; following on, j = i + 1, is 1.
        percentile: (N, N) share of all jumps that are less smooth, 0 to 1.
        struck: (N, N) share of the track's moments with less spectral flux than jumping there has, 0 to 1; on a plain
            grid, of moments that are softer than the louder side.
        steady: (N, N) whether both sides of jumping there keep the click that most bars keep, so that the beat goes
            on; True everywhere where there is no such click.
        on_beat: whether the edges are downbeats; else they are a plain grid.
    """

    edges_s: Times
    likeness: FloatArray
    percentile: FloatArray
    struck: FloatArray
    steady: npt.NDArray[np.bool_]
    on_beat: bool

    def __len__(self) -> int:
        return len(self.edges_s) - 1


def find_joins(heard: Heard, downbeats_s: Times, end_s: float) -> Bars:
    """Bars between downbeats up to `end_s`; a grid of two seconds where there are fewer than four of them."""
    edges = downbeats_s[downbeats_s < end_s - 0.05]
    on_beat = len(edges) >= 5
    if not on_beat:
        edges = np.arange(
            _LOOSE_S / 4, max(end_s - _LOOSE_S / 2, 0.1), _LOOSE_S
        )  # what meets has sound on both sides
    if len(edges) < 2:
        edges = np.array([0.0, end_s])
    like = _likeness(_bar_rows(heard, edges))
    struck = _struck(heard.decibels, edges) if on_beat else _loud(heard.level, edges)
    kept = _kept(edges)
    return Bars(
        edges_s=edges, likeness=like, percentile=_percentiles(like), struck=struck,
        steady=kept[1:, None] & kept[:-1], on_beat=on_beat,
    )  # fmt: skip


def _kept(edges_s: Times) -> npt.NDArray[np.bool_]:
    """Which edges lie on the click that most of them keep; all where there is none."""
    click = commonest_click(edges_s)
    if click is None or click.kept(edges_s) < _CLICK:
        return np.ones(len(edges_s), bool)
    kept: npt.NDArray[np.bool_] = np.abs(click.away_s(edges_s)) <= _BESIDE_S
    return kept


def _struck(decibels: FloatArray, edges_s: Times) -> FloatArray:
    """Flux of each jump: from the last frames of a bar through the mean of what meets at the join to the next frame."""
    own = np.sort(band_flux(decibels).mean(axis=1))
    at = np.rint(edges_s * FRAME_RATE_HZ).astype(np.int64)

    def frames(later: int) -> FloatArray:
        return decibels[np.clip(at + later, 0, len(decibels) - 1)]

    end, before, earlier = frames(0)[1:], frames(-1)[1:], frames(-2)[1:]
    start, after = frames(0)[:-1], frames(1)[:-1]
    largest = np.repeat(_rise(earlier, before)[:, None], len(start), axis=1)
    for row in range(len(end)):
        both = (end[row] + start) / 2
        largest[row] = np.maximum(largest[row], np.maximum(_rise(before[row], both), _rise(both, after)))
    share: FloatArray = (np.searchsorted(own, largest) / len(own)).astype(np.float32)
    return share


def _loud(level: FloatArray, edges_s: Times) -> FloatArray:
    """How loud both sides of each jump are over a quarter of a bar around it."""
    reach = round(_LOOSE_S / 4 * FRAME_RATE_HZ)
    total = np.concatenate([[0.0], np.cumsum(level, dtype=np.float64)])
    places = np.arange(len(level))
    first, last = np.maximum(places - reach, 0), np.minimum(places + reach, len(level))
    around = (total[last] - total[first]) / (last - first)
    at = np.clip(np.rint(edges_s * FRAME_RATE_HZ).astype(np.int64), 0, len(level) - 1)
    share = np.searchsorted(np.sort(around), around[at]) / len(level)
    loudest: FloatArray = np.maximum(share[1:, None], share[None, :-1]).astype(np.float32)
    return loudest


def _rise(before: FloatArray, after: FloatArray) -> FloatArray:
    """Mean rise of all bands, as `band_flux` has it."""
    rise: FloatArray = np.clip(after - before, 0, 30).mean(axis=-1)
    return rise


def _bar_rows(heard: Heard, edges_s: Times) -> FloatArray:
    """(N, 16 x 52) of unit length, the mean bar taken off."""
    slots = np.concatenate(
        [np.linspace(a, b, _SLOTS, endpoint=False) for a, b in itertools.pairwise(edges_s)]
    )
    frames = np.clip(
        np.rint(np.append(slots, edges_s[-1]) * FRAME_RATE_HZ).astype(np.int64), 0, len(heard.decibels)
    )
    classes = heard.classes / np.maximum(heard.classes.sum(axis=1, keepdims=True), 1e-6)
    rows = np.concatenate([heard.decibels / 20, 4 * classes], axis=1)
    total = totals(rows)
    spans = np.maximum(np.diff(frames), 1)[:, None]
    first = np.minimum(frames[:-1], len(rows) - 1)
    means = (total[np.minimum(first + spans[:, 0], len(rows))] - total[first]) / spans
    bars = (means - means.mean(axis=0)).reshape(len(edges_s) - 1, -1)
    unit: FloatArray = (bars / np.maximum(np.linalg.norm(bars, axis=1, keepdims=True), 1e-9)).astype(
        np.float32
    )
    return unit


def _likeness(bars: FloatArray) -> FloatArray:
    count = len(bars)
    same = bars @ bars.T
    after = np.full((count, count), np.nan, np.float32)
    after[:-1] = same[1:]  # bar i + 1 with bar j
    before = np.full((count, count), np.nan, np.float32)
    before[:, 1:] = same[:, :-1]  # bar i with bar j - 1
    both = np.stack([after, before])
    known = np.isfinite(both)
    mean = np.where(known, both, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    worst = np.where(known, both, np.inf).min(axis=0)
    like: FloatArray = np.where(known.any(axis=0), (mean + worst) / 2, -1).astype(np.float32)
    np.fill_diagonal(like[:, 1:], 1.0)
    return like


def _percentiles(like: FloatArray) -> FloatArray:
    count = len(like)
    follows = np.eye(count, k=1, dtype=bool)
    ordered = np.sort(like[~follows])
    if len(ordered) == 0:
        return np.ones_like(like)
    share: npt.NDArray[np.float64] = np.searchsorted(ordered, like, side="right") / len(ordered)
    return np.where(follows, 1.0, share).astype(np.float32)

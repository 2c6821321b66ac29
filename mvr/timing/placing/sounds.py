"""Sound as a clip slides over it: loudness, onsets and novelty of many tracks, smoothed and standardised."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.signal.curves import CURVE_RATE_HZ, NOVELTY_REACH
from mvr.signal.smoothing import BLOCK, smoothed_rows
from mvr.timing.music import MusicTiming
from mvr.timing.placing.lengths import Lengths

SLOW, FAST = 0.5 * CURVE_RATE_HZ, 0.125 * CURVE_RATE_HZ  # of smoothing, in bins
_ROOM = BLOCK // 2  # bins that a smooth value is made of, on each side


def sound_curves(tracks: Sequence[MusicTiming]) -> FloatArray:
    """Loudness, onsets and novelty of T tracks, smoothed and standardised, 0 after a track's end: (3, T, longest)."""
    counts = np.array([len(track.onset) for track in tracks], np.int64)
    longest = int(counts.max(initial=1))
    wide = np.zeros((2, len(tracks), (-(-longest // BLOCK) + 1) * BLOCK), np.float32)
    new = np.zeros((3, len(tracks), longest), np.float32)
    for row, track in enumerate(tracks):
        _mirror(track.loudness_db, wide[0, row])
        _mirror(track.onset, wide[1, row])
        new[:, row, : counts[row]] = track.novelty
    curves = np.empty((3, len(tracks), longest), np.float32)
    for each, rows, deviation in zip(curves, wide, (SLOW, FAST), strict=False):
        each[:] = smoothed_rows(rows, deviation)[:, :longest]
    Lengths(counts, longest).standardise(curves[:2])
    curves[2] = mean_novelty(new, counts)
    return curves


def _mirror(curve: FloatArray, row: FloatArray) -> None:
    """A curve from `_ROOM` on, and before its start and after its end as in a mirror."""
    fold, end = _folds(min(len(curve), _ROOM)), _ROOM + len(curve)
    row[_ROOM:end] = curve
    row[_ROOM - 1 :: -1] = curve[fold]
    row[end : end + _ROOM] = curve[::-1][fold]


@cache
def _folds(count: int) -> npt.NDArray[np.int64]:
    """Places that the bins beyond an end of a curve show, of at least `count` from that end on."""
    turn = np.arange(_ROOM) % (2 * count)
    fold: npt.NDArray[np.int64] = np.minimum(turn, 2 * count - 1 - turn)
    return fold


def mean_novelty(novelty: FloatArray, counts: npt.NDArray[np.int64]) -> FloatArray:
    """Mean of three scales (3, T, N), of rows so long, each of spread 1; what no kernel reaches is neutral: (T, N).

    What a kernel finds not to be new at all is 0 as well: the least new of all, not neutral.
    """
    places = np.arange(novelty.shape[2])
    inside = np.stack([(places >= reach) & (places <= counts[:, None] - reach) for reach in NOVELTY_REACH])
    many = np.maximum(np.count_nonzero(inside, axis=2), 1).astype(np.float32)[..., None]
    centred = novelty - novelty.sum(axis=2, keepdims=True) / many  # what is not inside is 0
    centred *= inside
    spread = np.sqrt(np.einsum("stn,stn->st", centred, centred)[..., None] / many)
    centred *= np.where(spread > 1e-6, 1 / np.maximum(spread, 1e-6), 0) / np.float32(3)
    together: FloatArray = centred[0] + centred[1]
    together += centred[2]
    return together

"""Curves on a common clock: what changes when, in sound or picture, eight times a second.

Novelty: a checkerboard kernel along the diagonal of the distances between moments (Foote, "Automatic audio
segmentation using a measure of audio novelty", 2000), at three scales: large where both sides are alike in
themselves and unlike each other.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.signal.onsets import FRAME_RATE_HZ
from mvr.signal.smoothing import smoothed
from mvr.signal.spectrum import cepstrum

CURVE_RATE_HZ = 8.0
FINE = 4  # moments of a fine curve in a bin: 32 a second
_DECAY_TAPS = 16
NOVELTY_HALF_WIDTHS_S = (0.5, 2.0, 4.0)
NOVELTY_REACH = tuple(
    max(2, round(half * CURVE_RATE_HZ)) for half in NOVELTY_HALF_WIDTHS_S
)  # bins on each side


def bins_of(duration_s: float) -> int:
    """Bins of a curve over `duration_s`; bin i holds i / 8 s to (i + 1) / 8 s."""
    return max(1, int(np.ceil(duration_s * CURVE_RATE_HZ - 1e-6)))


def binned(values: FloatArray, times_s: npt.NDArray[np.float64], bins: int, how: str = "mean") -> FloatArray:
    """Rows (N, ...) at ascending times brought to (bins, ...): mean or max of each; an empty bin is as its left one.

    >>> binned(np.array([1.0, 3.0, 5.0]), np.array([0.0, 0.1, 0.3]), 4).tolist()
    [2.0, 2.0, 5.0, 5.0]
    """
    place = np.clip((times_s * CURVE_RATE_HZ + 1e-6).astype(np.int64), 0, bins - 1)
    filled, starts = np.unique(place, return_index=True)
    if how == "max":
        rows = np.maximum.reduceat(values, starts, axis=0)
    else:
        counts = np.diff(np.append(starts, len(values))).reshape(-1, *[1] * (values.ndim - 1))
        rows = np.add.reduceat(values, starts, axis=0) / counts
    source = np.maximum(np.searchsorted(filled, np.arange(bins), side="right") - 1, 0)
    out: FloatArray = rows[source].astype(np.float32)
    return out


def fine_curve(values: FloatArray, times_s: npt.NDArray[np.float64], bins: int) -> FloatArray:
    """Values (N,) at ascending times read at `FINE` moments of each bin, between them on a line: (FINE bins,)."""
    moments = (np.arange(FINE * bins) + 0.5) / (FINE * CURVE_RATE_HZ)
    curve: FloatArray = np.interp(moments, times_s, values, right=0.0).astype(np.float32)
    return curve


def dying_away(strokes: FloatArray) -> FloatArray:
    """A fine curve of strokes, each falling to a third in 0.1 s, as what moves with them does."""
    kernel = np.exp(-np.arange(_DECAY_TAPS) / (0.1 * FINE * CURVE_RATE_HZ))
    return np.convolve(strokes, kernel)[: len(strokes)].astype(np.float32)


def standing_out(curve: FloatArray) -> FloatArray:
    """A fine curve less its surroundings of half a second and as a share of how much it changes there: spread 1."""
    smooth = smoothed(curve.astype(np.float32), 1.0)
    change = smooth - smoothed(smooth, 16.0)
    floor = (0.3 * float(change.std())) ** 2 + 1e-12
    change = change / np.sqrt(smoothed(change**2, 24.0) + floor)
    spread = float(change.std())
    unit: FloatArray = (change - change.mean()) / spread if spread > 1e-3 else np.zeros_like(change)
    return unit.astype(np.float32)


def novelty(features: FloatArray) -> FloatArray:
    """Novelty of rows (N, D) at the three half widths: (3, N); 0 where the kernel reaches beyond an end.

    Only distances within a kernel's reach are computed: N x 64, not N x N.
    """
    count = len(features)
    out = np.zeros((len(NOVELTY_REACH), count))
    for lag in range(1, 2 * max(NOVELTY_REACH)):
        if lag >= count:
            break
        distance = np.sqrt(((features[lag:] - features[:-lag]) ** 2).sum(axis=1, dtype=np.float64))
        for row, half in enumerate(NOVELTY_REACH):
            if lag < 2 * half and count >= 2 * half:
                out[row, half : count - half + 1] += np.convolve(distance, _lag_kernel(half, lag), "valid")[
                    : count - 2 * half + 1
                ]
    return np.maximum(out, 0).astype(np.float32)


@lru_cache(maxsize=256)  # one of some hundred, the same for every file
def _lag_kernel(half: int, lag: int) -> npt.NDArray[np.float64]:
    """Weights of the pairs (a, a + lag) around a moment, a from -half on, for `np.convolve`."""
    first = np.arange(-half, half - lag) + 0.5
    taper = np.exp(-0.5 * (first / (0.5 * half)) ** 2 - 0.5 * ((first + lag) / (0.5 * half)) ** 2)
    across = (first < 0) & (first + lag > 0)
    same, other = _mass(half)
    kernel: npt.NDArray[np.float64] = np.where(across, taper / other, -taper / same)[::-1]
    return kernel


@lru_cache(maxsize=8)
def _mass(half: int) -> tuple[float, float]:
    """Sums of the tapered kernel over pairs on one side and over pairs across the middle."""
    place = np.arange(-half, half) + 0.5
    taper = np.exp(-0.5 * (place / (0.5 * half)) ** 2)
    pairs = np.triu(np.outer(taper, taper), 1)
    across = (place[:, None] < 0) & (place[None, :] > 0)
    return float(pairs[~across].sum()), float(pairs[across].sum())


def loudness_curve(level: FloatArray, bins: int) -> FloatArray:
    """Level in dB of the power (frames,) of a sound, per bin, at least 60 dB under the loudest: (bins,)."""
    mean = binned(level, frame_times_s(len(level)), bins).astype(np.float64)
    decibels = 10 * np.log10(np.maximum(mean, max(float(mean.max()), 1e-12) * 1e-6))
    return decibels.astype(np.float32)


def onset_curve(envelope: FloatArray, bins: int) -> FloatArray:
    """Largest value of an onset envelope per bin: (bins,)."""
    return binned(envelope, frame_times_s(len(envelope)), bins, "max")


def sound_features(decibels: FloatArray, classes: FloatArray, bins: int) -> FloatArray:
    """13 cepstra and 12 pitch classes per bin, each family scaled to spread 1: (bins, 25)."""
    times = frame_times_s(len(decibels))
    timbre = cepstrum(binned(decibels, times, bins))
    harmony = binned(classes, times, bins)
    harmony = harmony / np.maximum(harmony.sum(axis=1, keepdims=True), 1e-9)
    return np.concatenate([_scaled(timbre), _scaled(harmony)], axis=1)


def frame_times_s(frames: int) -> npt.NDArray[np.float64]:
    """Times of the frames of a spectrogram."""
    return np.arange(frames) / FRAME_RATE_HZ


def _scaled(rows: FloatArray) -> FloatArray:
    spread = float(np.sqrt(rows.var(axis=0).sum()))
    scaled: FloatArray = ((rows - rows.mean(axis=0)) / max(spread, 1e-6)).astype(np.float32)
    return scaled

"""Beats: where they lie, given a tempo.

Dynamic programming over the onset envelopes (Ellis, "Beat tracking by dynamic programming", 2007): the best
chain of strong moments about one beat apart. Times are then read between frames and drawn towards a locally
steady pulse (`mvr.signal.rhythm.clicks`: where a piece was made to a click, onto it).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, Times
from mvr.signal.onsets import FRAME_RATE_HZ, smooth

# of the envelopes: all bands, bass, middle, treble
_WEIGHTS = np.array([1.0, 0.6, 0.3, 0.1], np.float32)
_BASS_WEIGHTS = np.array(
    [0.3, 1.0, 0.6, -0.2], np.float32
)  # where the loudest hits are off the beat, as in house
_SAME = 0.12  # of a beat: chains that lie so near to each other are one
_ALIKE = 0.75  # of their beats; one that is half a beat off for a while is another chain
# how much a beat that is late or early by a factor costs, per squared natural logarithm: of music that may drift and,
LOOSE = 300.0
STIFF = 1000.0  # of music made to a click
_LAG_S = (
    0.012  # an onset's rise is seen before its middle frame; between clicks (-5 ms) and played notes (+6 ms)
)
_REACH = 6  # beats on each side that a beat's time is fitted to


def beat_candidates(envelopes: FloatArray, bpm: float, tightness: float = LOOSE) -> list[Times]:
    """Chains that could be the beats, times in s: the strongest, the strongest in bass, those half a beat later.

    `bars` says which of them are the beats: what is played on and between them tells, not how loud it is.

    Args:
        envelopes: (4, frames) of `mvr.signal.onsets.onset_envelopes`.
        bpm: the tempo.
        tightness: `LOOSE` or `STIFF`.
    """
    period = FRAME_RATE_HZ * 60 / bpm
    scale = np.maximum(envelopes.std(axis=1, keepdims=True), 1e-3)
    curves = np.stack([smooth(row) for row in envelopes / scale])
    every, bass = _WEIGHTS @ curves, _BASS_WEIGHTS @ curves
    strong, low = _chain(every, period, tightness), _chain(bass, period, tightness)
    later = [_half_later(frames, bass, period) for frames in (strong, low)]
    found: list[Times] = []
    for frames, strength in ((strong, every), (low, bass), (later[0], bass), (later[1], bass)):
        times = _exact(_heard(frames, strength), strength)
        if len(times) > 1 and all(apart_s(times, other, _ALIKE) > _SAME * 60 / bpm for other in found):
            found.append(times)
    return found


def _exact(frames: npt.NDArray[np.int64], strength: FloatArray) -> Times:
    """Times in s of a chain."""
    if len(frames) == 0:
        return np.zeros(0)
    times: Times = _steady(_between_frames(frames, strength), strength[frames]) / FRAME_RATE_HZ + _LAG_S
    return times


def apart_s(times: Times, others: Times, share: float = 0.5) -> float:
    """How far a share of a chain's times lies at most from those of another one."""
    place = np.clip(np.searchsorted(others, times), 1, len(others) - 1)
    return float(
        np.quantile(np.minimum(np.abs(times - others[place - 1]), np.abs(times - others[place])), share)
    )


def _half_later(frames: npt.NDArray[np.int64], strength: FloatArray, period: float) -> npt.NDArray[np.int64]:
    """The strongest moment within two frames of half a beat after each frame."""
    near = np.rint(frames + period / 2).astype(np.int64)[:, None] + np.arange(-2, 3)
    near = near[(near[:, 0] >= 0) & (near[:, -1] < len(strength))]
    found: npt.NDArray[np.int64] = near[np.arange(len(near)), strength[near].argmax(axis=1)]
    return found


def _chain(strength: FloatArray, period: float, tightness: float) -> npt.NDArray[np.int64]:
    """Frames of the best chain."""
    lags = np.arange(max(1, round(0.7 * period)), round(1.4 * period) + 1)[::-1]
    cost = -tightness * np.log(lags / period) ** 2
    reach, fewest = int(lags[0]), int(lags[-1])
    score = np.zeros(len(strength) + reach)
    before = np.full(len(strength), -1)
    for frame, value in enumerate(strength.tolist()):
        offered = score[frame : frame + reach - fewest + 1] + cost
        best = int(offered.argmax())
        gain = offered[best]
        if gain > 0:
            before[frame] = frame - lags[best]
            value += gain
        score[frame + reach] = value
    tail = max(0, len(strength) - round(1.2 * period))
    frame = tail + int(score[reach + tail :].argmax())
    chain = []
    while frame >= 0:
        chain.append(frame)
        frame = int(before[frame])
    return np.array(chain[::-1], np.int64)


def _heard(frames: npt.NDArray[np.int64], strength: FloatArray) -> npt.NDArray[np.int64]:
    """The chain without beats before the first and after the last that can be heard."""
    if len(frames) == 0:
        return frames
    heard = strength[frames] > 0.3 * float(np.median(strength[frames]))
    if not heard.any():
        return frames[:0]
    first, last = np.flatnonzero(heard)[[0, -1]]
    return frames[first : last + 1]


def _between_frames(frames: npt.NDArray[np.int64], strength: FloatArray) -> Times:
    """The peak near each frame, by a parabola through three frames."""
    inner = np.clip(frames, 1, len(strength) - 2)
    left, middle, right = (strength[inner + step].astype(np.float64) for step in (-1, 0, 1))
    curvature = left - 2 * middle + right
    offset = np.where(curvature < -1e-6, 0.5 * (left - right) / np.minimum(curvature, -1e-6), 0.0)
    return np.asarray(frames + np.clip(offset, -0.5, 0.5), np.float64)


def _steady(times: Times, weights: FloatArray) -> Times:
    """Each time as a line through its neighbours says, weighted by how strong they are."""
    count = len(times)
    if count < 4:
        return times
    reach = min(_REACH, (count - 1) // 2)
    centre = np.clip(np.arange(count), reach, count - 1 - reach)
    rows = centre[:, None] + np.arange(-reach, reach + 1)
    place = (rows - np.arange(count)[:, None]).astype(np.float64)
    weight = np.maximum(weights.astype(np.float64), 1e-3)[rows]
    weight /= weight.sum(axis=1, keepdims=True)
    values = times[rows]
    mean_x, mean_y = (weight * place).sum(axis=1), (weight * values).sum(axis=1)
    dx = place - mean_x[:, None]
    slope = (weight * dx * (values - mean_y[:, None])).sum(axis=1) / (weight * dx**2).sum(axis=1)
    line: Times = mean_y - slope * mean_x
    return line

"""The sound of a plan: its pieces one after another, each join at one level, and the fade at the end.

Both sides of a join sound together under a cosine and a sine. Those keep the power of sounds that have nothing to do
with each other; bars that sound alike would come out up to 3 dB louder, so the gains are divided by what the
correlation of the two adds.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.timing.fitting.plan import FitPlan, Piece

_SOFT_S = 0.005  # the music may begin inside a bar
_MOST_OPPOSED = -0.5  # correlation: sounds that cancel each other are not raised without end
_QUIET = 1e-12  # power


def fade_of(plan: FitPlan, length: int, rate_hz: int) -> FloatArray:
    """Gain (length,) of the fade-out at the end: 1 everywhere with the track's own ending."""
    gain = np.ones(length, np.float32)
    faded = min(length, round(plan.fade_s * rate_hz))
    if faded:
        gain[-faded:] = np.cos(0.5 * np.pi * np.arange(1, faded + 1) / faded).astype(np.float32)
    return gain


def render_fit(music: FloatArray, plan: FitPlan, rate_hz: int) -> FloatArray:
    """The fitted music, exactly `round(length_s * rate_hz)` samples.

    Args:
        music: (n, channels) the whole track at `rate_hz`.
        plan: from `mvr.timing.fitting.paths.plan_fit`.
        rate_hz: of `music`.
    """
    length = max(1, round(plan.length_s * rate_hz))
    out = np.zeros((length, music.shape[1]), np.float32)
    nothing = np.zeros(0, np.float32)
    gains = [_gains(music, sides, rate_hz) for sides in itertools.pairwise(plan.pieces)]
    rising = [nothing, *(rise for _, rise in gains)]
    falling = [*(fall for fall, _ in gains), nothing]
    starts = [round(piece.start_s * rate_hz) for piece in plan.pieces]
    ends = [*starts[1:], min(length, round(plan.pieces[-1].end_s * rate_hz))]
    for piece, start, end, rise, fall in zip(plan.pieces, starts, ends, rising, falling, strict=True):
        before, after = len(rise) // 2, len(fall) // 2
        source = round(piece.source_start_s * rate_hz)
        taken = _taken(music, source - before, source + end - start + after)
        taken[: len(rise)] *= rise[: len(taken), None]
        taken[len(taken) - min(len(fall), len(taken)) :] *= fall[max(0, len(fall) - len(taken)) :, None]
        first = start - before
        inside = taken[max(0, -first) : max(0, length - first)]
        out[max(0, first) :][: len(inside)] += inside
    soft = min(length, round(_SOFT_S * rate_hz))
    if plan.pieces[0].source_start_s > 0:
        out[:soft] *= np.linspace(0, 1, soft, dtype=np.float32)[:, None]
    out *= fade_of(plan, length, rate_hz)[:, None]
    return out


def _gains(music: FloatArray, sides: tuple[Piece, Piece], rate_hz: int) -> tuple[FloatArray, FloatArray]:
    """Gains (2 x half the crossfade,) of what ends and of what begins at a join; empty where one cuts to the other."""
    half = round(sides[1].crossfade_s * rate_hz / 2)
    if half == 0:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    left, right = (
        _taken(music, at - half, at + half).astype(np.float64)
        for at in (round(sides[0].source_end_s * rate_hz), round(sides[1].source_start_s * rate_hz))
    )
    size = np.sqrt(float((left**2).sum() * (right**2).sum()))
    alike = max(_MOST_OPPOSED, float((left * right).sum()) / size) if size > _QUIET else 0.0
    angle: npt.NDArray[np.float64] = 0.5 * np.pi * (np.arange(2 * half) + 0.5) / (2 * half)
    level = np.sqrt(1 + alike * np.sin(2 * angle))
    return (np.cos(angle) / level).astype(np.float32), (np.sin(angle) / level).astype(np.float32)


def _taken(music: FloatArray, first: int, last: int) -> FloatArray:
    """Samples first .. last of a track, silence before its beginning and after its end: a copy."""
    taken = np.zeros((max(0, last - first), music.shape[1]), np.float32)
    begin, end = max(0, first), min(len(music), last)
    if begin < end:
        taken[begin - first : end - first] = music[begin:end]
    return taken

"""Strokes on a fine clock: when, beside its beats, a piece is struck most sharply.

Onset envelopes have windows of 93 ms: slow strings and a drum below them melt into one late hump. Here windows have
23 ms, 5.8 ms apart, and in the mean over all beats of a piece what is struck stands out sharply from what swells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datatypes import FloatArray, Times
from mvr.signal.spectrum import SAMPLE_RATE_HZ, hann

HOP = 128
RATE_HZ = SAMPLE_RATE_HZ / HOP
_SIZE = 512
_EDGES_HZ = (0, 200, 600, 2000, 5000, SAMPLE_RATE_HZ)  # of the bands; the whole spectrum is the last one
_WEIGHTS = np.array([2, 1, 1, 1, 1, 2], np.float32)  # drums are low, and clear in the whole
_FLOOR = 1e-6  # of the mean power: -60 dB
_CHUNK = 1 << 17  # samples: bounds the memory of a long file
_REACH = 32  # frames on each side of a beat, 0.19 s
_EARLIEST, _LATEST = (
    -26,
    10,
)  # frames beside a beat at which it may have been struck: heard 150 ms late to 60 ms early
_APART = 6  # frames: what is nearer belongs to the same stroke
_NARROW = np.array([0.25, 0.5, 0.25])  # tells how clear a stroke is
# tells when it is: notes that are played loosely strike at several moments, the beat lies in their middle
_WIDE = np.exp(-0.5 * (np.arange(-12, 13) / 2) ** 2) / (2 * np.sqrt(2 * np.pi))
_LEAST_DB = 0.02
STRIKES_S = 0.002  # from when a note is played until it rises most steeply
_NEAR = 4  # frames, 23 ms
_AROUND = 33  # frames, 0.19 s: what swells for so long is no stroke


def stroke_rises(samples: FloatArray) -> FloatArray:
    """Rise of each band in dB from frame to frame, falls count 0: (6, 1 + n // `HOP`).

    Args:
        samples: (n,) at `SAMPLE_RATE_HZ`.
    """
    power = _powers(samples)
    decibels = 10 * np.log10(power + _FLOOR * max(float(power[-1].mean()), 1e-20))
    rises: FloatArray = np.maximum(0, np.diff(decibels, axis=1, prepend=decibels[:, :1])).astype(np.float32)
    return rises


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Attributes: by how much the sharpest stroke beside beats comes `after_s`; how clear that is, 1 is not at all.
    sharp: how far it stands out from its surroundings of 30 ms: a drum by 2, notes played loosely or strummed by 1.2.
    """

    after_s: float
    clear: float
    sharp: float


def struck_beside(rises: FloatArray, times_s: Times) -> Beside:
    """The sharpest stroke beside the beats.

    Args:
        rises: of `stroke_rises`.
        times_s: (beats,), at least one.
    """
    beside = np.arange(-_REACH, _REACH + 1)
    moments = (times_s * RATE_HZ)[:, None] + beside
    frames = np.arange(rises.shape[1])
    means = np.stack([np.interp(moments, frames, row).mean(axis=0) for row in rises])
    sharp, wide = (_standing_out(means, kernel) for kernel in (_NARROW, _WIDE))
    allowed = (beside >= _EARLIEST) & (beside <= _LATEST)
    place = int(np.where(allowed, sharp, -np.inf).argmax())
    others = float(sharp[np.abs(beside - beside[place]) > _APART].max())
    highest = max(0.0, float(sharp[place]))
    place = int(np.where(allowed, wide, -np.inf).argmax())
    left, middle, right = wide[place - 1 : place + 2]
    bend = left - 2 * middle + right
    between = 0.5 * (left - right) / bend if bend < -1e-9 else 0.0
    return Beside(
        after_s=float(beside[place] + np.clip(between, -0.5, 0.5)) / RATE_HZ,
        clear=highest / max(others, _LEAST_DB),
        sharp=highest / max(float(middle), _LEAST_DB),
    )


def _standing_out(means: FloatArray, kernel: FloatArray) -> FloatArray:
    """All bands together, smoothed, each less what it usually rises."""
    smooth = np.stack([np.convolve(row, kernel, "same") for row in means])
    curve: FloatArray = _WEIGHTS @ (smooth - np.median(smooth, axis=1, keepdims=True))
    return curve


def sharp_strokes(rises: FloatArray) -> FloatArray:
    """How sharply each fine frame is struck in all bands together: (fine frames,), of mean about 0 and deviation 1.

    Args:
        rises: of `stroke_rises`.
    """
    total = _WEIGHTS @ rises
    wide = np.pad(total, _AROUND // 2, mode="edge")
    around = np.convolve(wide, np.full(_AROUND, 1 / _AROUND), "valid")
    sharp = np.convolve(np.pad(total, 1, mode="edge"), (0.25, 0.5, 0.25), "valid") - around
    strokes: FloatArray = (sharp / max(float(sharp.std()), _LEAST_DB)).astype(np.float32)
    return strokes


def _powers(samples: FloatArray) -> FloatArray:
    """Power of each band: (6, frames)."""
    import scipy.fft  # a library is listed without it

    frames = 1 + len(samples) // HOP
    padded = np.pad(samples.astype(np.float32), (_SIZE // 2, _SIZE))
    hz = np.arange(1 + _SIZE // 2) * SAMPLE_RATE_HZ / _SIZE
    firsts = np.searchsorted(hz, _EDGES_HZ[:-1])
    out = np.empty((len(_WEIGHTS), frames), np.float32)
    for first in range(0, frames, _CHUNK // HOP):
        last = min(frames, first + _CHUNK // HOP)
        piece = padded[first * HOP : (last - 1) * HOP + _SIZE]
        windows = np.lib.stride_tricks.sliding_window_view(piece, _SIZE)[::HOP]
        spectra = scipy.fft.rfft(windows * hann(_SIZE), axis=1)
        power = spectra.real**2 + spectra.imag**2
        out[:-1, first:last] = np.add.reduceat(power, firsts, axis=1).T
    out[-1] = out[:-1].sum(axis=0)
    return out


def struck_at(strokes: FloatArray, moments_s: Times) -> FloatArray:
    """How sharply a piece is struck at moments of any shape, within a frame of each.

    Args:
        strokes: of `sharp_strokes`.
        moments_s: those before its beginning and after its end count as lying there.
    """
    frames = np.clip(np.rint(moments_s * RATE_HZ).astype(np.int64), 1, len(strokes) - 2)
    near: FloatArray = np.maximum(np.maximum(strokes[frames - 1], strokes[frames]), strokes[frames + 1])
    return near


def struck_near(strokes: FloatArray, times_s: Times) -> float:
    """How sharply beats are struck in the mean, at the moment within 25 ms of them at which they are most.

    Args:
        strokes: of `sharp_strokes`.
        times_s: (beats,), at least one; how late they are heard may be told wrong by as much.
    """
    beside = np.arange(-_NEAR, _NEAR + 1) / RATE_HZ
    return float(struck_at(strokes, times_s[:, None] + beside).mean(axis=0).max())

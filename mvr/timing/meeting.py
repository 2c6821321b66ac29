"""How exactly a picture moves with the strokes of a sound: evidence that settles a start where there is any.

The five curves of `mvr.timing.sliding` are too coarse (8 a second) to tell a start from one a beat later. At
32 a second, what stands out in the motion of a picture is correlated with what stands out among the strokes
of a track. With a correlation r over n independent moments the evidence that they belong together is
-n / 2 log(1 - r^2) (likelihood ratio of a straight line), less what the best of many chance starts reaches.
A picture that does not move with its music has none, and then the five curves alone decide; foreign films
had 0.04 nats at their best start (median). Chosen on planted films (LOG.md), never on recorded ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.signal.curves import CURVE_RATE_HZ, FINE
from mvr.signal.smoothing import window_means

_RATE_HZ = CURVE_RATE_HZ * FINE
_PER_S = 10.0  # independent moments in a second
_CHANCE = 6.0  # nats that the best of some thousand chance starts reaches
_FLOOR = 0.3  # of the track's own spread, under which no window is scaled up
_WEIGHT = 2.0  # of a nat against a standard deviation of the five curves' sum


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """How picture and strokes meet at every start of T tracks.

    Attributes:
        evidence: (T, S) nats, weighted.
        correlation: (T, S) the largest within an eighth of a second, which leans where evidence is still too little.
        near: (9, T, S) correlation at each moment from an eighth of a second before a start to one after.
    """

    evidence: FloatArray
    correlation: FloatArray
    near: FloatArray

    def later_s(self, rows: npt.ArrayLike, starts: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """How much later than given starts of given tracks the best moment within an eighth of a second lies; asked
        for some alone, since for all it costs more than the rest.
        """
        moment = self.near[:, np.asarray(rows, np.int64), np.asarray(starts, np.int64)].argmax(axis=0)
        later: npt.NDArray[np.float64] = (moment - len(self.near) // 2) / _RATE_HZ
        return later


class Strokes:
    """Tracks' strokes made ready: their spectra and the spread of each window are computed once.

    Args:
        strokes: T curves as `mvr.signal.curves.standing_out` gives them.
        bins: length of the clips' 8 Hz curves.
        circular: the tracks go round.
    """

    def __init__(self, strokes: Sequence[FloatArray], bins: int, *, circular: bool) -> None:
        self._length = FINE * bins
        self._edge: Literal["wrap", "constant"] = "wrap" if circular else "constant"
        longest = max((len(each) for each in strokes), default=1)
        self._size = longest if circular else fast_length(longest, self._length)
        rows = np.zeros((len(strokes), longest), np.float32)
        for row, curve in zip(rows, strokes, strict=True):
            row[: len(curve)] = curve
        self._spectra = np.fft.rfft(rows, self._size)
        self._spread = _spreads(rows, self._length, circular=circular)
        if not circular:  # windows that reach beyond a track's end meet nothing
            last = np.array([[len(each) - self._length] for each in strokes])
            self._spread[np.arange(self._spread.shape[1]) > last] = np.inf

    def under(self, motion: FloatArray, step: int, width: int) -> Meeting:
        """Evidence at `width` starts, each `step` fine moments after the one before, under a picture's motion."""
        picture = _centred(motion) / np.float32(self._length)
        product = self._spectra * np.conj(np.fft.rfft(picture, self._size))
        found = np.fft.irfft(product, self._size)[:, : self._spread.shape[1]].astype(np.float32, copy=False)
        half = step // 2
        room = max(0, (width - 1) * step + half + 1 - found.shape[1])
        share = np.pad(found / self._spread, ((0, 0), (half, room)), mode=self._edge)
        near = np.stack(
            [share[:, first : first + (width - 1) * step + 1 : step] for first in range(2 * half + 1)]
        )
        correlation = near.max(axis=0)
        nats = (
            -0.5 * _PER_S * self._length / _RATE_HZ * np.log1p(-(np.clip(correlation, 0, 0.99) ** 2))
            - _CHANCE
        )
        evidence = np.maximum(nats, 0) + np.log1p(np.exp(-np.abs(nats)))  # log(1 + e^nats) without overflow
        return Meeting(evidence=(_WEIGHT * evidence).astype(np.float32), correlation=correlation, near=near)


def fast_length(longest: int, window: int) -> int:
    """A length of transforms by which every start of a window within `longest` is correlated as on a line.

    A window that ends before its row does meets nothing that goes round.
    """
    least = max(longest, window)
    fast = 1 << (least - 1).bit_length()
    for five in (5**power for power in range(14)):  # products of 2, 3 and 5 alone
        for odd in (five * 3**power for power in range(20)):
            if odd < fast:
                fast = min(fast, odd << (-(-least // odd) - 1).bit_length())
    return fast


def _centred(motion: FloatArray) -> FloatArray:
    spread = float(motion.std())
    unit = (motion - motion.mean()) / spread if spread > 1e-6 else np.zeros_like(motion)
    centred: FloatArray = unit.astype(np.float32)
    return centred


def _spreads(rows: FloatArray, length: int, *, circular: bool) -> npt.NDArray[np.float32]:
    """Spread of the window that begins at each moment, at least `_FLOOR` in squares: (T, moments)."""
    if circular:
        whole = np.sqrt(rows.var(axis=1) + _FLOOR**2).astype(np.float32)
        return np.repeat(whole[:, None], rows.shape[1], axis=1)
    if rows.shape[1] < length:
        return np.ones((len(rows), 1), np.float32)
    mean, square = (window_means(each, length) for each in (rows, rows * rows))
    square -= mean * mean
    np.maximum(square, 0, out=square)
    square += np.float32(_FLOOR**2)
    spreads: npt.NDArray[np.float32] = np.sqrt(square, out=square)
    return spreads

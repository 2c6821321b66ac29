"""How exactly a picture moves with the strokes of a sound: evidence that settles a start where there is any.

The five curves of `mvr.timing.placing.sliding` are too coarse (8 a second) to tell a start from one a beat later. At
32 a second, what stands out in the motion of a picture is correlated with what stands out among the strokes
of a track. With a correlation r over n independent moments the evidence that they belong together is
-n / 2 log(1 - r^2) (likelihood ratio of a straight line), less what speaks against a start beforehand: it is
one of many, and few films move with a track at all. A picture that does not move with its music has none, and
then the five curves alone decide. Chosen on planted films and on real ones under music that is not theirs, of
which 4 in 100 have some (LOG.md); never on where the own music of real films starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.signal.curves import CURVE_RATE_HZ, FINE
from mvr.signal.smoothing import window_means
from mvr.timing.placing.pictures import Pictures

_RATE_HZ = CURVE_RATE_HZ * FINE
_PER_S = 10.0  # independent moments in a second
_DOUBT = 3.0  # nats: one film in twenty moves with a track
_FLOOR = 0.3  # of the track's own spread, under which no window is scaled up
_WEIGHT = 2.0  # of a nat against a standard deviation of the five curves' sum


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """How picture and strokes meet at every start of T tracks.

    Attributes:
        evidence: (T, S) nats, weighted.
        correlation: (T, S) the largest within an eighth of a second, which leans where evidence is still too little.
        moments: (T, M) correlation at each fine moment, from an eighth of a second before the first start on.
        step: fine moments from one start to the next.
    """

    evidence: FloatArray
    correlation: FloatArray
    moments: FloatArray
    step: int

    def later_s(self, rows: npt.ArrayLike, starts: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """How much later than given starts of given tracks the best moment within an eighth of a second lies; asked
        for some alone, since for all it costs more than the rest.
        """
        near = self.step * np.asarray(starts, np.int64)[..., None] + np.arange(self.step + 1)
        best = self.moments[np.asarray(rows, np.int64)[..., None], near].argmax(axis=-1)
        later: npt.NDArray[np.float64] = (best - self.step // 2) / _RATE_HZ
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
        self._circular = circular
        longest = max((len(each) for each in strokes), default=1)
        self._size = longest if circular else fast_length(longest, self._length)
        rows = np.zeros((len(strokes), longest), np.float32)
        for row, curve in zip(rows, strokes, strict=True):
            row[: len(curve)] = curve
        self._spectra = np.fft.rfft(rows, self._size)
        self._spread = _spreads(rows, self._length, circular=circular)
        windows = np.array([longest if circular else len(each) - self._length + 1 for each in strokes])
        self._against = _against(windows)
        if not circular:  # windows that reach beyond a track's end meet nothing
            for spread, count in zip(self._spread, windows, strict=True):
                spread[max(0, count) :] = np.inf

    def under(self, pictures: Pictures, step: int, width: int) -> Meeting:
        """Evidence at `width` starts, each `step` fine moments after the one before, under the pictures' motion."""
        product = self._spectra * pictures.motion_spectrum(self._size)
        moments = self._moments(np.fft.irfft(product, self._size), step // 2, (width - 1) * step + step + 1)
        correlation = _largest(moments, step, width)
        square = np.square(np.clip(correlation, 0, 0.99))
        nats = np.log1p(np.negative(square, out=square), out=square)
        nats *= np.float32(-0.5 * _PER_S * self._length / _RATE_HZ)
        nats -= self._against
        evidence = np.log1p(np.exp(-np.abs(nats)))  # log(1 + e^nats) without overflow
        evidence += np.maximum(nats, 0)
        evidence *= np.float32(_WEIGHT)
        return Meeting(evidence=evidence, correlation=correlation, moments=moments, step=step)

    def _moments(self, found: npt.NDArray[np.floating], half: int, count: int) -> FloatArray:
        """Correlation from `half` moments before the first start on, 0 where there is no window: (T, count)."""
        windows = self._spread.shape[1]
        moments = np.zeros((len(found), max(count, half + windows)), np.float32)
        np.divide(
            found[:, :windows], self._spread, out=moments[:, half : half + windows], casting="same_kind"
        )
        if self._circular:
            beyond = np.arange(half + windows, moments.shape[1])
            for around in (np.arange(half), beyond):
                moments[:, around] = moments[:, half + (around - half) % windows]
        return moments


def _against(windows: npt.NDArray[np.int64]) -> FloatArray:
    """Nats against each start of tracks of so many windows, before anything is compared: (T, 1)."""
    independent = np.maximum(_PER_S / _RATE_HZ * windows, 1.0)
    nats: FloatArray = (np.log(independent) + _DOUBT).astype(np.float32)[:, None]
    return nats


def _largest(moments: FloatArray, step: int, width: int) -> FloatArray:
    """Largest of the moments (T, M) from half a step before each start to half a step after it: (T, width)."""
    assert step == 8, step  # three pairs
    pairs = np.maximum(moments[:, :-1], moments[:, 1:])
    fours = np.maximum(pairs[:, :-2], pairs[:, 2:])
    last = (width - 1) * step + 1
    largest = np.maximum(fours[:, :last:step], fours[:, 4 : last + 4 : step])
    return np.maximum(largest, moments[:, step : last + step : step], out=largest)


def fast_length(longest: int, window: int) -> int:
    """A length of transforms by which every start of a window within `longest` is correlated as on a line.

    A window that ends before its row does meets nothing that goes round.
    """
    least = max(longest, window)
    fast = 1 << (least - 1).bit_length()
    five = 1
    while five < fast:  # products of 2, 3 and 5 alone
        odd = five
        while odd < fast:
            fast = min(fast, odd << (-(-least // odd) - 1).bit_length())
            odd *= 3
        five *= 5
    return fast


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

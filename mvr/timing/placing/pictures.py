"""A clip as tracks slide under it: its curves and cuts, and the same with other cuts, made ready once for a list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, Times
from mvr.signal.curves import CURVE_RATE_HZ
from mvr.signal.smoothing import smoothed
from mvr.timing.film import FilmTiming
from mvr.timing.placing.lengths import Lengths
from mvr.timing.placing.sounds import FAST, SLOW, mean_novelty


class Pictures:
    """F pictures that differ in their cuts alone.

    Args:
        film: the clip.
        others_s: as many cuts at other times, each a picture beside the clip's own.

    Attributes:
        cuts_s: (F, K), the clip's own first.
        bins: length of the curves.
    """

    def __init__(self, film: FilmTiming, others_s: Sequence[Times] = ()) -> None:
        self.cuts_s = np.stack([film.cuts_s, *others_s])
        self.bins = len(film.energy)
        cuts = [cut_curve(cuts_s, self.bins) for cuts_s in self.cuts_s]
        self._curves = np.stack([*picture_curves(film), *cuts])
        spread = float(film.motion.std())
        motion = (film.motion - film.motion.mean()) / spread if spread > 1e-6 else np.zeros_like(film.motion)
        self._motion = motion.astype(np.float32) / np.float32(len(motion))
        self._curves /= np.float32(self.bins)
        self._spectra: dict[tuple[str, int], npt.NDArray[np.complexfloating]] = {}

    def spectra(self, size: int) -> npt.NDArray[np.complexfloating]:
        """Conjugate spectra of change (smoothed for loudness and for onsets), novelty, and each picture's cuts:
        (3 + F, size // 2 + 1).
        """
        return self._kept("curves", self._curves, size)

    def motion_spectrum(self, size: int) -> npt.NDArray[np.complexfloating]:
        """Conjugate spectrum of the motion: (size // 2 + 1,)."""
        return self._kept("motion", self._motion, size)

    def _kept(self, name: str, curves: FloatArray, size: int) -> npt.NDArray[np.complexfloating]:
        if (name, size) not in self._spectra:
            self._spectra[name, size] = np.conj(np.fft.rfft(curves, size))
        return self._spectra[name, size]


def picture_curves(film: FilmTiming) -> FloatArray:
    """Change, smoothed for loudness and for onsets, and novelty, mean 0: (3, N)."""
    energy = film.energy.astype(np.float32)
    smooth = [_unit(smoothed(energy, deviation)) for deviation in (SLOW, FAST)]
    novelty = film.novelty.astype(np.float32)[:, None]
    return np.stack([*smooth, mean_novelty(novelty, np.array([len(energy)]))[0]])


def cut_curve(cuts_s: Times, bins: int) -> FloatArray:
    """Cuts as a smooth curve, mean 0: (N,)."""
    cuts = np.zeros(bins, np.float32)
    np.add.at(cuts, np.clip((cuts_s * CURVE_RATE_HZ).astype(np.int64), 0, bins - 1), 1.0)
    return _unit(smoothed(cuts, FAST))


def _unit(curve: FloatArray) -> FloatArray:
    """Mean 0, spread 1; a flat curve is 0."""
    unit: FloatArray = Lengths(np.array([len(curve)]), len(curve)).standardise(curve[None])[0]
    return unit

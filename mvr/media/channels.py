"""From the channels of a file to the ones that are wanted: mono, one channel, stereo.

FFmpeg's own mixdown is not used: its float stereo-to-mono is 3 dB louder than the mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

FloatSamples = npt.NDArray[np.float32]
Mix = Callable[[FloatSamples, Sequence[str]], FloatSamples]
"""(C, n) planar samples and FFmpeg's names of the channels -> (n, channels wanted)."""

_HALF = math.sqrt(0.5)
_LEFT = {"FL": 1.0, "DL": 1.0, "FC": _HALF, "BL": _HALF, "SL": _HALF, "FLC": _HALF, "BC": 0.5, "WL": 1.0}
_RIGHT = {"FR": 1.0, "DR": 1.0, "FC": _HALF, "BR": _HALF, "SR": _HALF, "FRC": _HALF, "BC": 0.5, "WR": 1.0}


def mean(planar: FloatSamples, names: Sequence[str]) -> FloatSamples:
    """The mean of all channels, (n, 1)."""
    mono: FloatSamples = planar.mean(axis=0, dtype=np.float32)[:, None]
    return mono


def first(planar: FloatSamples, names: Sequence[str]) -> FloatSamples:
    """The first channel alone, (n, 1)."""
    alone: FloatSamples = planar[0][:, None]
    return alone


def stereo(planar: FloatSamples, names: Sequence[str]) -> FloatSamples:
    """Two channels (n, 2): mono on both sides, surround by the weights of ITU-R BS.775 (no LFE), never clipping."""
    if len(planar) == 1:
        planar = np.repeat(planar, 2, axis=0)
    if len(planar) == 2:
        return planar.T
    weights = np.array([[side.get(name, 0.0) for name in names] for side in (_LEFT, _RIGHT)], np.float32)
    if not weights.any(axis=1).all():  # channels without names: nothing better is known
        weights = np.ones_like(weights)
    mixed: FloatSamples = (weights / weights.sum(axis=1).max() @ planar).T
    return mixed

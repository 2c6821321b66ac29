"""Rhythm as columns of the descriptors: autocorrelation of the onset envelope over tempi."""

from __future__ import annotations

import numpy as np

from mvr.datatypes import FloatArray
from mvr.signal.onsets import FRAME_RATE_HZ, autocorrelation, smooth

TEMPI_BPM = 60.0 * 2.0 ** (
    np.arange(24) / 12.0
)  # 60 .. 226 bpm, semitone steps of an octave and eleven twelfths


def tempogram(envelope: FloatArray) -> FloatArray:
    """Autocorrelation of the onset envelope at the beat periods of `TEMPI_BPM`: (24,) in [-1, 1]."""
    correlation = autocorrelation(smooth(envelope))
    lags = FRAME_RATE_HZ * 60.0 / TEMPI_BPM
    return np.interp(lags, np.arange(len(correlation)), correlation, right=0.0).astype(np.float32)

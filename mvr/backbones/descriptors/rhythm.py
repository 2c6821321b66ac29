"""Rhythm as columns of the descriptors: autocorrelation of the onset envelope over tempi, and its best one.

The tempo that is shown, filtered and placed by is `mvr.signal.tempo`; the column here is what shipped heads were
trained on. Tempo prior: log-normal around 120 bpm, one octave wide (Ellis 2007).
"""

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


def tempo_bpm(envelope: FloatArray) -> float:
    """The beat of an onset envelope in beats per minute, 50..220; 120 where there is no pulse at all."""
    correlation = autocorrelation(smooth(envelope))
    tempi = 50.0 * 2 ** (np.arange(0, 2.14, 1 / 96))
    support = sum(
        weight
        * np.interp(FRAME_RATE_HZ * 60 * beats / tempi, np.arange(len(correlation)), correlation, right=0)
        for beats, weight in ((1, 1.0), (2, 0.6), (4, 0.6), (0.5, 0.3))
    )
    prior = np.exp(-0.5 * np.log2(tempi / 120) ** 2)
    score = np.maximum(0, support) * prior
    return float(tempi[int(np.argmax(score))]) if score.max() > 0 else 120.0

"""Harmony of music: key-free chroma profile, key clarity, mode, change of harmony, sustain.

Key profiles: Krumhansl & Kessler (1982), tonic first.
"""

from __future__ import annotations

import numpy as np

from mvr.backbones.descriptors.dimension import Dimension, numbered
from mvr.datatypes import FloatArray
from mvr.signal.spectrum import HOP, SAMPLE_RATE_HZ, bin_hz, chroma_of_peaks

MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])

DIMENSIONS = (
    *numbered("harmony.degree", 12, "share, semitones above the tonic", (0, 1)),
    Dimension("harmony.major_clarity", "correlation", -1, 1),
    Dimension("harmony.minor_clarity", "correlation", -1, 1),
    Dimension("harmony.mode", "major less minor correlation", -1, 1),
    Dimension("harmony.third", "major less minor third, share", -1, 1),
    Dimension("harmony.entropy", "share of 12 equal classes", 0, 1),
    Dimension("harmony.change", "L1 per 0.5 s", 0, 2),
    Dimension("harmony.sustain", "cosine over 0.1 s", 0, 1),
    Dimension("harmony.tonal_share", "share of level in peaks", 0, 1),
)


def key_correlations(profile: FloatArray) -> FloatArray:
    """Correlation of a chroma profile (12,) with 12 major and 12 minor keys, C first: (2, 12)."""
    centred = profile - profile.mean()
    length = np.linalg.norm(centred)
    if length < 1e-9:
        return np.zeros((2, 12), np.float32)
    keys = np.stack([[np.roll(shape, tonic) for tonic in range(12)] for shape in (MAJOR, MINOR)])
    keys = keys - keys.mean(axis=2, keepdims=True)
    correlations: FloatArray = (keys @ centred / (np.linalg.norm(keys, axis=2) * length)).astype(np.float32)
    return correlations


def describe(power: FloatArray) -> FloatArray:
    """Descriptors (20,) in the order of `DIMENSIONS` from a power spectrogram (frames, bins)."""
    chroma = chroma_of_peaks(power)
    loudness = np.sqrt(power.sum(axis=1))
    profile = loudness @ chroma
    profile = profile / max(float(profile.sum()), 1e-9)
    correlations = key_correlations(profile)
    major, minor = (float(row.max()) for row in correlations)
    tonic = int(np.argmax(correlations.max(axis=0)))
    degrees = np.roll(profile, -tonic)
    entropy = float(-(profile * np.log(profile + 1e-12)).sum() / np.log(12))
    third = float(degrees[4] - degrees[3])
    scalars = [
        major,
        minor,
        major - minor,
        third,
        entropy,
        _change(chroma),
        _sustain(power),
        _tonal_share(power),
    ]
    return np.concatenate([degrees, scalars]).astype(np.float32)


def _change(chroma: FloatArray) -> float:
    """L1 distance of successive half-second chroma means."""
    size = max(1, int(0.5 * SAMPLE_RATE_HZ / HOP))
    blocks = chroma[: len(chroma) // size * size].reshape(-1, size, 12).mean(axis=1)
    return float(np.abs(np.diff(blocks, axis=0)).sum(axis=1).mean()) if len(blocks) > 1 else 0.0


def _sustain(power: FloatArray) -> float:
    """Cosine of magnitude spectra 0.1 s apart, weighted by level: 1 for a drone, low for drums."""
    step = max(1, round(0.1 * SAMPLE_RATE_HZ / HOP))
    magnitude = np.sqrt(power[:, 2:400])
    early, late = magnitude[:-step], magnitude[step:]
    lengths = np.linalg.norm(early, axis=1) * np.linalg.norm(late, axis=1)
    return float((early * late).sum() / max(float(lengths.sum()), 1e-9))


def _tonal_share(power: FloatArray) -> float:
    """Share of the 60 Hz - 5 kHz level that lies in local maxima three bins wide."""
    first, last = np.searchsorted(bin_hz(), [60.0, 5000.0])
    magnitude = np.sqrt(power[:, first - 2 : last + 2])
    centre = magnitude[:, 2:-2]
    around = np.maximum.reduce([magnitude[:, i : i + centre.shape[1]] for i in (0, 1, 3, 4)])
    peaks = np.where(centre > around, centre, 0).sum()
    return float(peaks / max(float(centre.sum()), 1e-9))

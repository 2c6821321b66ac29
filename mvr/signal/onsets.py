"""Where notes begin: rise of mel bands, onset envelopes, onset times, autocorrelation.

Source of the onset envelope: rectified flux of log mel bands (Boeck & Widmer 2013, no maximum filter).
Conventions: envelopes are at `FRAME_RATE_HZ`, frame i is centred on i / FRAME_RATE_HZ seconds.
"""

from __future__ import annotations

import numpy as np

from mvr.datatypes import FloatArray
from mvr.signal.spectrum import HOP, SAMPLE_RATE_HZ

FRAME_RATE_HZ = SAMPLE_RATE_HZ / HOP
# all mel bands; bass and kick (under about 200 Hz); voices and snare (to about 2 kHz); hats and noise
BANDS = (slice(0, 40), slice(0, 5), slice(5, 22), slice(22, 40))
_LOCAL_S = 0.5  # of the mean that is taken off an envelope


def band_flux(decibels: FloatArray) -> FloatArray:
    """Rise of every band from frame to frame in dB, falls count 0: (frames, bands); the first row is 0."""
    rise = np.maximum(0, np.diff(decibels, axis=0, prepend=decibels[:1]))
    flux: FloatArray = np.minimum(rise, 30.0).astype(np.float32)
    return flux


def above_local_mean(flux: FloatArray) -> FloatArray:
    """A curve (frames,) less its mean over 0.5 s around, never negative."""
    width = int(FRAME_RATE_HZ * _LOCAL_S) | 1
    local = np.convolve(np.pad(flux, width // 2, mode="edge"), np.ones(width) / width, mode="valid")
    envelope: FloatArray = np.maximum(0, flux - local).astype(np.float32)
    return envelope


def onset_envelope(decibels: FloatArray) -> FloatArray:
    """Mean flux over bands less its local mean over 0.5 s, never negative: (frames,)."""
    return above_local_mean(band_flux(decibels).mean(axis=1))


def onset_envelopes(decibels: FloatArray) -> FloatArray:
    """Onset envelopes of each of `BANDS`, all of them first: (4, frames)."""
    flux = band_flux(decibels)
    return np.stack([above_local_mean(flux[:, band].mean(axis=1)) for band in BANDS])


def onset_times(envelope: FloatArray, least_db: float = 1.0) -> FloatArray:
    """Times in s of local maxima over a third of the envelope's 95th percentile and over `least_db`."""
    threshold = max(least_db, float(np.percentile(envelope, 95)) / 3)
    inner = envelope[1:-1]
    peaks = (inner > envelope[:-2]) & (inner >= envelope[2:]) & (inner > threshold)
    return ((np.flatnonzero(peaks) + 1) / FRAME_RATE_HZ).astype(np.float32)


def autocorrelation(signal: FloatArray) -> FloatArray:
    """Autocorrelation of a 1-d signal less its mean, unbiased by overlap, 1 at lag 0; a constant gives 0."""
    import scipy.fft  # a library is listed without it

    n = len(signal)
    centred = signal - signal.mean()
    length = scipy.fft.next_fast_len(2 * n, real=True)
    spectrum = np.abs(scipy.fft.rfft(centred, length)) ** 2
    raw = scipy.fft.irfft(spectrum, length)[:n] / np.arange(n, 0, -1)
    if raw[0] <= 1e-10:
        return np.zeros(n, np.float32)
    correlation: FloatArray = (raw / raw[0]).astype(np.float32)
    return correlation


def smooth(envelope: FloatArray) -> FloatArray:
    """An envelope over three frames, weights 1/4, 1/2, 1/4."""
    kernel = np.array([0.25, 0.5, 0.25], np.float32)
    curve: FloatArray = np.convolve(envelope, kernel, mode="same").astype(np.float32)
    return curve

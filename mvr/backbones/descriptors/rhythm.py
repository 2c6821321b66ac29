"""Rhythm of music: onset envelope, its autocorrelation over tempi, tempo.

Source of the onset envelope: rectified flux of log mel bands (Boeck & Widmer 2013, no maximum filter);
tempo prior: log-normal around 120 bpm, one octave wide (Ellis 2007).
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from mvr.backbones.descriptors.spectrum import HOP, SAMPLE_RATE_HZ, mel_db, power_spectrogram
from mvr.datatypes import FloatArray

FRAME_RATE_HZ = SAMPLE_RATE_HZ / HOP
TEMPI_BPM = 60.0 * 2.0 ** (
    np.arange(24) / 12.0
)  # 60 .. 226 bpm, semitone steps of an octave and eleven twelfths


def band_flux(decibels: FloatArray) -> FloatArray:
    """Rise of every band from frame to frame in dB, falls count 0: (frames, bands); the first row is 0."""
    rise = np.maximum(0, np.diff(decibels, axis=0, prepend=decibels[:1]))
    flux: FloatArray = np.minimum(rise, 30.0).astype(np.float32)
    return flux


def onset_envelope(decibels: FloatArray) -> FloatArray:
    """Mean flux over bands less its local mean over 0.5 s, never negative: (frames,)."""
    flux = band_flux(decibels).mean(axis=1)
    width = int(FRAME_RATE_HZ * 0.5) | 1
    local = np.convolve(np.pad(flux, width // 2, mode="edge"), np.ones(width) / width, mode="valid")
    envelope: FloatArray = np.maximum(0, flux - local).astype(np.float32)
    return envelope


def onset_times(envelope: FloatArray) -> FloatArray:
    """Times in s of local maxima over a third of the envelope's 95th percentile, at least 1 dB."""
    threshold = max(1.0, float(np.percentile(envelope, 95)) / 3)
    inner = envelope[1:-1]
    peaks = (inner > envelope[:-2]) & (inner >= envelope[2:]) & (inner > threshold)
    return ((np.flatnonzero(peaks) + 1) / FRAME_RATE_HZ).astype(np.float32)


def autocorrelation(signal: FloatArray) -> FloatArray:
    """Autocorrelation of a 1-d signal less its mean, unbiased by overlap, 1 at lag 0; a constant gives 0."""
    n = len(signal)
    centred = signal - signal.mean()
    spectrum = np.abs(scipy.fft.rfft(centred, 2 * n)) ** 2
    raw = scipy.fft.irfft(spectrum, 2 * n)[:n] / np.arange(n, 0, -1)
    if raw[0] <= 1e-10:
        return np.zeros(n, np.float32)
    correlation: FloatArray = (raw / raw[0]).astype(np.float32)
    return correlation


def tempogram(envelope: FloatArray) -> FloatArray:
    """Autocorrelation of the onset envelope at the beat periods of `TEMPI_BPM`: (24,) in [-1, 1]."""
    correlation = autocorrelation(_smooth(envelope))
    lags = FRAME_RATE_HZ * 60.0 / TEMPI_BPM
    return np.interp(lags, np.arange(len(correlation)), correlation, right=0.0).astype(np.float32)


def tempo_bpm(envelope: FloatArray) -> float:
    """The beat of an onset envelope in beats per minute, 50..220; 120 where there is no pulse at all."""
    correlation = autocorrelation(_smooth(envelope))
    tempi = 50.0 * 2 ** (np.arange(0, 2.14, 1 / 96))
    support = sum(
        weight
        * np.interp(FRAME_RATE_HZ * 60 * beats / tempi, np.arange(len(correlation)), correlation, right=0)
        for beats, weight in ((1, 1.0), (2, 0.6), (4, 0.6), (0.5, 0.3))
    )
    prior = np.exp(-0.5 * np.log2(tempi / 120) ** 2)
    score = np.maximum(0, support) * prior
    return float(tempi[int(np.argmax(score))]) if score.max() > 0 else 120.0


def estimate_tempo(samples: FloatArray) -> float:
    """Tempo in bpm of mono sound at `SAMPLE_RATE_HZ`, for showing and filtering; an octave error is possible."""
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0
    if rms < 1e-5:
        return 120.0
    return tempo_bpm(onset_envelope(mel_db(power_spectrogram(samples / np.float32(rms)))))


def _smooth(envelope: FloatArray) -> FloatArray:
    kernel = np.array([0.25, 0.5, 0.25], np.float32)
    smooth: FloatArray = np.convolve(envelope, kernel, mode="same").astype(np.float32)
    return smooth

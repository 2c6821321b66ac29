"""Short-time spectra of mono sound: power spectrogram, mel bands, cepstrum, chroma of spectral peaks.

Conventions: sound is (n,) float32 at `SAMPLE_RATE_HZ`; spectrograms are (frames, bins); frame i is centred on
sample i * HOP. Written with numpy and scipy.fft instead of librosa, whose first call compiles for seconds;
tests compare with librosa.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mvr.datatypes import FloatArray

SAMPLE_RATE_HZ = 22_050
FFT_SIZE = 2048
HOP = 512
MEL_BANDS = 40
FLOOR = 1e-8  # power added to every mel band of sound at unit RMS: -80 dB, the noise floor of a phone


def power_spectrogram(samples: FloatArray) -> FloatArray:
    """|STFT|^2 of (n,) samples, Hann window, centred with zero padding: (1 + n // HOP, 1 + FFT_SIZE // 2)."""
    import scipy.fft  # a library is listed without it

    padded = np.pad(samples.astype(np.float32), FFT_SIZE // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT_SIZE)[::HOP]
    spectra = scipy.fft.rfft(frames * hann(FFT_SIZE), axis=1)
    power: FloatArray = (spectra.real**2 + spectra.imag**2).astype(np.float32)
    return power


@lru_cache(maxsize=4)
def hann(size: int) -> FloatArray:
    """The periodic Hann window (size,)."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


@lru_cache(maxsize=1)
def bin_hz() -> FloatArray:
    """Centre frequency of each FFT bin, (1 + FFT_SIZE // 2,)."""
    return (np.arange(1 + FFT_SIZE // 2) * SAMPLE_RATE_HZ / FFT_SIZE).astype(np.float32)


@lru_cache(maxsize=1)
def mel_filters() -> FloatArray:
    """Triangles of unit area on the HTK mel scale, 30 Hz to 11,025 Hz: (MEL_BANDS, bins)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (30.0, SAMPLE_RATE_HZ / 2))
    edges = 700 * (10 ** (np.linspace(low, high, MEL_BANDS + 2) / 2595) - 1)
    rising = (bin_hz() - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bin_hz()) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def mel_db(power: FloatArray) -> FloatArray:
    """Mel band levels in dB, (frames, MEL_BANDS), with a floor at -80 dB of `FLOOR`'s scale."""
    decibels: FloatArray = 10 * np.log10(power @ mel_filters().T / FFT_SIZE + FLOOR)
    return decibels


def cepstrum(decibels: FloatArray, count: int = 13) -> FloatArray:
    """MFCC 1..count (orthonormal DCT-II of dB bands, without coefficient 0, the level): (frames, count)."""
    import scipy.fft

    coefficients: FloatArray = scipy.fft.dct(decibels, axis=1, norm="ortho")[:, 1 : count + 1]
    return coefficients


def chroma_of_peaks(power: FloatArray, low_hz: float = 100.0, high_hz: float = 2000.0) -> FloatArray:
    """Pitch-class energy (frames, 12), C first, of interpolated spectral peaks; a frame sums to 1 or is 0.

    Peaks instead of a filter bank: below 500 Hz a bin is wider than a semitone, the interpolated peak is not.
    """
    magnitude = np.sqrt(power)
    first, last = np.searchsorted(bin_hz(), [low_hz, high_hz])
    centre = magnitude[:, first:last]
    left, right = magnitude[:, first - 1 : last - 1], magnitude[:, first + 1 : last + 1]
    is_peak = (centre > left) & (centre >= right) & (centre > 0.02 * magnitude.max(axis=1, keepdims=True))
    rows, columns = np.nonzero(is_peak)
    chroma = np.zeros((len(power), 12), np.float32)
    if not len(rows):
        return chroma
    a, b, c = (np.log(side[rows, columns] + 1e-12) for side in (left, centre, right))
    offset = np.clip(0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-6), -0.5, 0.5)
    hz = (columns + first + offset) * SAMPLE_RATE_HZ / FFT_SIZE
    pitch = np.rint(69 + 12 * np.log2(hz / 440)).astype(np.int64) % 12
    np.add.at(chroma, (rows, pitch), centre[rows, columns])
    total = chroma.sum(axis=1, keepdims=True)
    shares: FloatArray = chroma / np.maximum(total, np.finfo(np.float32).tiny)
    return shares


@lru_cache(maxsize=1)
def _pitch_filters() -> FloatArray:
    """Share of each FFT bin in each pitch class, C first, 130 Hz to 2 kHz: (bins, 12)."""
    hz = np.maximum(bin_hz(), 1.0)
    pitch = 69 + 12 * np.log2(hz / 440)
    distance = np.abs((pitch[:, None] - np.arange(12) + 6) % 12 - 6)
    inside = ((hz > 130) & (hz < 2000)).astype(np.float32)
    filters: FloatArray = (np.exp(-2 * distance**2) * inside[:, None]).astype(np.float32)
    return filters


def pitch_classes(power: FloatArray) -> FloatArray:
    """Pitch-class magnitudes by a filter bank, (frames, 12), C first: coarser than peaks, and thirty times faster."""
    classes: FloatArray = np.sqrt(power) @ _pitch_filters()
    return classes

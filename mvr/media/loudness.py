"""Loudness by EBU R128: integrated loudness (ITU-R BS.1770-4, gated) and true peak (4 x oversampled).

Measured on the stereo mixdown that a listener gets, at 48 kHz; mono counts on both loudspeakers, as it is
played. Silence has no loudness: where every block is below the absolute gate of -70 LUFS the value is None,
and so is the peak of digital silence. Sound shorter than one 400 ms block is measured as if it repeated.

Sound goes through the meter in blocks and is not kept. The K-weighting is applied in the frequency domain: its impulse
response is over within a third of a second, so a block with that much of its past in front gives what the recursive
filter gives, and importing scipy.signal for it would cost more than filtering ten minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from mvr.errors import NotFinite, UsageError
from mvr.media.channels import FloatSamples
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.sound import stereo_blocks

RATE_HZ = 48_000  # the K-weighting filter is specified at this rate
_HOP = RATE_HZ // 10
_HOPS_A_BLOCK = 4  # 400 ms, from one to the next 100 ms
_OVERSAMPLING = 4
_FFT = 1 << 16
_PAST = 1 << 14  # samples after which the filter has forgotten all (below 1e-30)
_PEAK_BLOCK = RATE_HZ * 10
# ITU-R BS.1770-4, tables 1 and 2: b0 b1 b2 a0 a1 a2 at 48 kHz
_HEAD = (1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585)
_HIGH_PASS = (1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621)


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness in LUFS (None: silence) and true peak in dBTP (None: digital silence)."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None


def measure_loudness(path: str | Path, limits: MediaLimits = DEFAULT_LIMITS) -> Loudness:
    """Loudness of a file's sound, which is read once and not kept; errors as for `read_sound`."""
    meter = LoudnessMeter()
    for block in stereo_blocks(path, RATE_HZ, limits):
        meter.push(block)
    return meter.result()


def loudness_of(samples: FloatSamples, sample_rate_hz: int) -> Loudness:
    """Loudness of samples.

    Args:
        samples: (n,) mono or (n, 2) stereo; full scale is 1.
        sample_rate_hz: their rate; anything but 48 kHz is resampled first.

    Raises:
        UsageError: no samples, or more than two channels.
        NotFinite: NaN or infinity in the samples.
    """
    if samples.ndim > 2 or len(samples) == 0 or (samples.ndim == 2 and samples.shape[1] > 2):
        raise UsageError(f"samples must be (n,) or (n, 2) with n > 0, not {samples.shape}")
    if not np.isfinite(samples).all():
        raise NotFinite("the samples hold NaN or infinity")
    stereo = samples.reshape(len(samples), -1)
    if sample_rate_hz != RATE_HZ:
        stereo = soxr.resample(stereo.astype(np.float32), sample_rate_hz, RATE_HZ, quality="HQ")
    meter = LoudnessMeter()
    for begin in range(0, len(stereo), _PEAK_BLOCK):
        block = stereo[begin : begin + _PEAK_BLOCK]
        meter.push(block if block.shape[1] == 2 else np.repeat(block, 2, axis=1))
    return meter.result()


class LoudnessMeter:
    """Measures stereo sound at 48 kHz that is pushed block by block."""

    def __init__(self) -> None:
        self._waiting: list[FloatSamples] = []  # not enough for a transform yet
        self._past = np.zeros((_PAST, 2), np.float64)
        self._hops: list[npt.NDArray[np.float64]] = []  # sums of squares of 100 ms, both channels
        self._length = 0
        self._peak = _PeakMeter()

    def push(self, block: FloatSamples) -> None:
        """Add (n, 2) samples; a whole track is taken in pieces, since what is computed takes ten times its memory."""
        for first in range(0, len(block), _MOST):
            self._take(block[first : first + _MOST])

    def _take(self, block: FloatSamples) -> None:
        self._peak.push(block)
        self._waiting.append(block)
        self._length += len(block)
        if sum(map(len, self._waiting)) >= _STEP:
            held = np.concatenate(self._waiting)
            whole = len(held) // _STEP * _STEP
            for begin in range(0, whole, _STEP):
                self._filter(held[begin : begin + _STEP])
            self._waiting = [held[whole:]]

    def result(self) -> Loudness:
        """Loudness of all that was pushed; nothing may be pushed afterwards.

        Raises:
            UsageError: nothing was.
        """
        if not self._length:
            raise UsageError("there are no samples to measure")
        held = np.concatenate(self._waiting)
        needed = _HOPS_A_BLOCK * _HOP + 1
        if self._length < needed:
            held = np.tile(held, (math.ceil(needed / self._length), 1))
            self._length = len(held)
        for begin in range(0, len(held), _STEP):
            self._filter(held[begin : begin + _STEP])
        return Loudness(self._integrated(), self._peak.dbtp())

    def _filter(self, block: FloatSamples) -> None:
        """Weigh up to `_STEP` samples, only the last block may be shorter, and keep the power of each hop."""
        wide = np.concatenate([self._past, block])
        spectrum = np.fft.rfft(wide, _FFT, axis=0) * _k_weighting()[:, None]
        weighted = np.fft.irfft(spectrum, _FFT, axis=0)[_PAST : _PAST + len(block)]
        self._past = wide[-_PAST:]
        squares = np.pad(weighted, ((0, -len(block) % _HOP), (0, 0))) ** 2
        self._hops.extend(squares.reshape(-1, _HOP, 2).sum(axis=(1, 2)))

    def _integrated(self) -> float | None:
        """Gated loudness: an unfinished last block counts when more than half of its new hop is there."""
        hops = np.array(self._hops)
        count = round(self._length / _HOP) - _HOPS_A_BLOCK + 1
        hops = np.pad(hops, (0, max(0, count + _HOPS_A_BLOCK - 1 - len(hops))))
        power = np.convolve(hops, np.ones(_HOPS_A_BLOCK), "valid")[:count] / (_HOPS_A_BLOCK * _HOP)
        level = -0.691 + 10 * np.log10(np.maximum(power, 1e-30))
        loud = power[level > -70.0]
        if not len(loud):
            return None
        gate = -0.691 + 10 * math.log10(float(loud.mean())) - 10.0
        return -0.691 + 10 * math.log10(float(power[(level > -70.0) & (level > gate)].mean()))


_STEP = (_FFT - _PAST) // _HOP * _HOP
_MOST = 10 * RATE_HZ  # samples of a block that are looked at together


@lru_cache(maxsize=1)
def _k_weighting() -> npt.NDArray[np.complex128]:
    """Frequency response of both filters at the frequencies of a transform."""
    delay = np.exp(-2j * np.pi * np.arange(_FFT // 2 + 1) / _FFT)  # of one sample
    response = np.ones(len(delay), np.complex128)
    for b0, b1, b2, a0, a1, a2 in (_HEAD, _HIGH_PASS):
        response *= (b0 + delay * (b1 + delay * b2)) / (a0 + delay * (a1 + delay * a2))
    return response


class _PeakMeter:
    """True peak: the largest value of the samples and of the curve through them, at four times their rate."""

    def __init__(self) -> None:
        self._over = soxr.ResampleStream(RATE_HZ, _OVERSAMPLING * RATE_HZ, 2, dtype="float32", quality="HQ")
        self._waiting: list[FloatSamples] = []
        self._peak = 0.0

    def push(self, block: FloatSamples) -> None:
        """Add (n, 2) samples."""
        self._waiting.append(block)
        if sum(map(len, self._waiting)) >= RATE_HZ:
            self._see(last=False)

    def dbtp(self) -> float | None:
        """The peak of all that was pushed; None for digital silence."""
        self._see(last=True)
        return 20 * math.log10(self._peak) if self._peak > 0 else None

    def _see(self, last: bool) -> None:
        held = np.ascontiguousarray(np.concatenate(self._waiting), np.float32)
        over = self._over.resample_chunk(held, last=last)
        for values in (held, over):  # never below the samples themselves
            if len(values):
                self._peak = max(self._peak, float(values.max()), -float(values.min()))
        self._waiting = [held[:0]]

"""Loudness by EBU R128: integrated loudness (ITU-R BS.1770-4, gated) and true peak (4 x oversampled).

Measured on the stereo mixdown that a listener gets, at 48 kHz; mono counts on both loudspeakers, as it is
played. Silence has no loudness: where every block is below the absolute gate of -70 LUFS the value is None,
and so is the peak of digital silence. Sound shorter than one 400 ms block is measured as if it repeated.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyloudnorm
import soxr

from mvr.errors import NotFinite, UsageError
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.sound import FloatSamples, read_stereo

RATE_HZ = 48_000  # the K-weighting filter is specified at this rate
_BLOCK_S = 0.4
_OVERSAMPLING = 4


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness in LUFS (None: silence) and true peak in dBTP (None: digital silence)."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None


def measure_loudness(path: str | Path, limits: MediaLimits = DEFAULT_LIMITS) -> Loudness:
    """Loudness of a file's sound; errors as for `read_sound`."""
    return loudness_of(read_stereo(path, RATE_HZ, limits=limits), RATE_HZ)


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
    stereo = np.repeat(
        samples.reshape(len(samples), -1), 2 if samples.ndim == 1 or samples.shape[1] == 1 else 1, axis=1
    )
    if sample_rate_hz != RATE_HZ:
        stereo = soxr.resample(stereo.astype(np.float32), sample_rate_hz, RATE_HZ, quality="HQ")
    return Loudness(_integrated(stereo), _true_peak(stereo))


def _integrated(stereo: FloatSamples) -> float | None:
    needed = math.ceil(_BLOCK_S * RATE_HZ) + 1
    if len(stereo) < needed:
        stereo = np.tile(stereo, (math.ceil(needed / max(1, len(stereo))), 1))
    meter = pyloudnorm.Meter(
        RATE_HZ, filter_class="DeMan"
    )  # the standard's coefficients; the default's are near
    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):  # silence: the log of 0 and the mean of nothing
        warnings.simplefilter("ignore")
        lufs = float(meter.integrated_loudness(stereo))
    return lufs if math.isfinite(lufs) else None


def _true_peak(stereo: FloatSamples) -> float | None:
    resampler = soxr.ResampleStream(
        RATE_HZ, _OVERSAMPLING * RATE_HZ, stereo.shape[1], dtype="float32", quality="HQ"
    )
    peak = float(np.abs(stereo).max())  # never below the samples themselves
    for begin in range(0, len(stereo), RATE_HZ * 10):  # in parts: 20 minutes at 192 kHz would be 1.8 GB
        block = np.ascontiguousarray(stereo[begin : begin + RATE_HZ * 10], np.float32)
        over = resampler.resample_chunk(block, last=begin + RATE_HZ * 10 >= len(stereo))
        peak = max(peak, float(np.abs(over).max(initial=0.0)))
    return 20 * math.log10(peak) if peak > 0 else None

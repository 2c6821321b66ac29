"""Music descriptors: level, rhythm, spectral shape, timbre (MFCC), harmony of ten seconds of sound."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.backbones.backbone import check_features
from mvr.backbones.descriptors import harmony, rhythm
from mvr.backbones.descriptors.dimension import Dimension, clip_to, numbered
from mvr.config.settings import settings_from
from mvr.datatypes import FloatArray, JsonDict, Modality, Segment
from mvr.signal import onsets, spectrum
from mvr.signal.rhythm import tempo

VERSION = 2  # part of the settings hash: raise it whenever a number changes
_ONSET_DB = 1.0  # of the tempo that the shipped heads know
BANDS_HZ = (30, 90, 180, 360, 720, 1440, 2880, 5760, 11025)


@dataclass(frozen=True, kw_only=True)
class MusicSettings:
    """Attributes: window_s: length of sound that one descriptor describes, the middle of a longer segment;
    a shorter one is repeated to fill it ("repeatpad", the default of LAION-CLAP)."""

    window_s: float = 10.0


class MusicDescriptors:
    """The music half of the backbone `descriptors`; a row of `preprocess` is `window_s` of mono sound."""

    name = "descriptors"
    modality = Modality.AUDIO

    def __init__(self, **options: Any) -> None:
        self._settings = settings_from(MusicSettings, options)
        self.dim = len(self.dimensions())

    @property
    def settings(self) -> JsonDict:
        """What changes the output."""
        return {
            "version": VERSION,
            "sample_rate_hz": spectrum.SAMPLE_RATE_HZ,
            "channels": "mean",
            **dataclasses.asdict(self._settings),
        }

    @property
    def window_samples(self) -> int:
        """Number of samples in one row."""
        return round(self._settings.window_s * spectrum.SAMPLE_RATE_HZ)

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> npt.NDArray[Any]:
        """Sound of a file, (S, window_samples) float32 in [-1, 1].

        Raises:
            MediaError: the file cannot be used or has no sound.
        """
        from mvr.media.sound import read_sound

        start_s = min(segment.start_s for segment in segments)
        end_s = max(segment.end_s for segment in segments)
        samples = read_sound(path, spectrum.SAMPLE_RATE_HZ, start_s=start_s, duration_s=end_s - start_s)
        return np.stack([self.cut(samples, segment, start_s) for segment in segments])

    def cut(self, samples: FloatArray, segment: Segment, start_s: float = 0.0) -> FloatArray:
        """One row of (n,) samples that begin at `start_s`: the segment's middle, or it repeated."""
        rate = spectrum.SAMPLE_RATE_HZ
        first = round((segment.start_s - start_s) * rate)
        piece = samples[max(0, first) : round((segment.end_s - start_s) * rate)]
        if len(piece) == 0:
            piece = np.zeros(1, np.float32)
        if len(piece) < self.window_samples:
            return np.resize(piece, self.window_samples).astype(np.float32)
        spare = (len(piece) - self.window_samples) // 2
        return piece[spare : spare + self.window_samples].astype(np.float32)

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """Descriptors (S, dim) float32 of (S, n) rows of sound at 22,050 Hz."""
        rows = [clip_to(describe_sound(row), self.dimensions()) for row in batch]
        return check_features(np.stack(rows), self.name)

    @staticmethod
    def dimensions() -> tuple[Dimension, ...]:
        """Name, unit and range of every column."""
        return _DIMENSIONS


def describe_sound(samples: FloatArray) -> FloatArray:
    """Descriptors (dim,) of mono sound; everything but `level.rms` is independent of gain."""
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    audible = rms > 1e-5  # -100 dBFS: below lies dither, which has no timbre worth a number
    unit = samples / np.float32(rms) if audible else np.zeros_like(samples)
    power = spectrum.power_spectrogram(unit)
    decibels = spectrum.mel_db(power)
    parts = (
        [20 * np.log10(max(rms, 1e-5))],
        _level(unit),
        _rhythm(decibels),
        _shape(power),
        _timbre(decibels),
        harmony.describe(power),
    )
    return np.concatenate([np.asarray(part, np.float32) for part in parts])


def _level(unit: FloatArray) -> list[float]:
    """Crest factor, range, low-energy share, trend and unrest of the level in 50 ms frames."""
    size = spectrum.SAMPLE_RATE_HZ // 20
    frames = unit[: len(unit) // size * size].reshape(-1, size)
    level = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-6)
    times = np.arange(len(level)) / 20
    slope = float(np.polyfit(times, level, 1)[0]) if len(level) > 1 else 0.0
    peak = 20 * np.log10(max(float(np.abs(unit).max()), 1e-5))
    spread = float(np.percentile(level, 95) - np.percentile(level, 10))
    return [peak, spread, float(np.mean(level < -6.0)), slope, float(np.abs(np.diff(level)).mean())]


def _rhythm(decibels: FloatArray) -> FloatArray:
    envelope = onsets.onset_envelope(decibels)
    flux = onsets.band_flux(decibels)
    times = onsets.onset_times(envelope)
    tempogram = rhythm.tempogram(envelope)
    gaps = np.diff(times)
    seconds = len(envelope) / onsets.FRAME_RATE_HZ
    scalars = [
        len(times) / seconds,
        float(envelope.mean()),
        float(np.percentile(envelope, 98)),
        np.log2((tempo.tempo_of(onsets.onset_envelopes(decibels), _ONSET_DB) or tempo.NO_TEMPO_BPM) / 120),
        float(tempogram.max()),
        float(gaps.std() / gaps.mean()) if len(gaps) > 1 else 0.0,
        *(float(flux[:, part].mean()) for part in (slice(0, 6), slice(6, 18), slice(18, 30), slice(30, 40))),
        *(float(flux[:, part].std()) for part in (slice(0, 6), slice(6, 18), slice(18, 30), slice(30, 40))),
    ]
    return np.concatenate([np.array(scalars, np.float32), tempogram])


def _shape(power: FloatArray) -> FloatArray:
    """Centroid, bandwidth, roll-off, flatness (mean, deviation) and octave band levels."""
    hz = spectrum.bin_hz()[1:]
    weights = power[:, 1:] + 1e-9
    share = weights / weights.sum(axis=1, keepdims=True)
    octave = np.log2(hz / 1000)
    centroid = share @ octave
    bandwidth = np.sqrt(np.maximum(0, share @ octave**2 - centroid**2))
    rolloff = octave[np.argmax(np.cumsum(share, axis=1) >= 0.85, axis=1)]
    flatness = np.log10(np.exp(np.log(weights).mean(axis=1)) / weights.mean(axis=1))
    moments = [f(x) for x in (centroid, bandwidth, rolloff, flatness) for f in (np.mean, np.std)]
    edges = np.searchsorted(hz, BANDS_HZ)
    bands = np.stack([weights[:, a:b].sum(axis=1) for a, b in itertools.pairwise(edges)], axis=1)
    mean = bands.mean(axis=0)
    balance = 10 * np.log10(mean / mean.sum() + 1e-6)
    unrest = (10 * np.log10(bands / mean.sum() + 1e-6)).std(axis=0)
    return np.concatenate([np.array(moments), balance, unrest]).astype(np.float32)


def _timbre(decibels: FloatArray) -> FloatArray:
    coefficients = spectrum.cepstrum(decibels)
    changes = np.abs(np.diff(coefficients, axis=0)) if len(coefficients) > 1 else np.zeros_like(coefficients)
    return np.concatenate([coefficients.mean(0), coefficients.std(0), changes.mean(0)]).astype(np.float32)


_DIMENSIONS = (
    Dimension("level.rms", "dBFS", -100, 0),
    Dimension("level.crest", "dB", 0, 40),
    Dimension("level.range", "dB", 0, 60),
    Dimension("level.low_energy", "share", 0, 1),
    Dimension("level.slope", "dB/s", -3, 3),
    Dimension("level.unrest", "dB per 50 ms", 0, 20),
    Dimension("rhythm.onset_rate", "1/s", 0, 20),
    Dimension("rhythm.onset_mean", "dB", 0, 10),
    Dimension("rhythm.onset_peak", "dB", 0, 30),
    Dimension("rhythm.tempo", "octaves from 120 bpm", -1.5, 1.5),
    Dimension("rhythm.pulse_clarity", "correlation", -1, 1),
    Dimension("rhythm.gap_variation", "ratio", 0, 4),
    *(Dimension(f"rhythm.flux_{band}", "dB", 0, 20) for band in ("bass", "low", "mid", "high")),
    *(Dimension(f"rhythm.punch_{band}", "dB", 0, 20) for band in ("bass", "low", "mid", "high")),
    *(Dimension(f"rhythm.tempogram_{bpm:03.0f}bpm", "correlation", -1, 1) for bpm in rhythm.TEMPI_BPM),
    *(
        Dimension(f"shape.{what}_{moment}", unit, low if moment == "mean" else 0, high)
        for what, unit, low, high in (
            ("centroid", "octaves from 1 kHz", -7, 4),
            ("bandwidth", "octaves", 0, 6),
            ("rolloff", "octaves from 1 kHz", -7, 4),
            ("flatness", "log10", -9, 1),
        )
        for moment in ("mean", "deviation")
    ),
    *(Dimension(f"shape.level_{hz}hz", "dB of all", -60, 0) for hz in BANDS_HZ[:-1]),
    *(Dimension(f"shape.unrest_{hz}hz", "dB", 0, 30) for hz in BANDS_HZ[:-1]),
    *numbered("timbre.mfcc_mean", 13, "dB", (-400, 400)),
    *numbered("timbre.mfcc_deviation", 13, "dB", (0, 200)),
    *numbered("timbre.mfcc_change", 13, "dB per frame", (0, 100)),
    *harmony.DIMENSIONS,
)

"""Which files hold the same music: an audio fingerprint that survives other pitch, speed, level, codec and excerpt.

Two channels per frame, ten frames a second: a chroma of 36 bins (three a semitone, so that a shift in pitch is a
rotation) and an onset strength, which a shift in pitch leaves alone. Two fingerprints are laid over each other at
every rotation and every offset by one 2-D correlation; another speed comes either with the shift in pitch that playing
a tape faster has, or with none. Pieces in one key and one rhythm agree in both channels, so there the chroma is
compared again without what stays the same over the overlap: its departures from its mean, and its changes from frame to
frame. Same music is where onsets, departures and changes agree over a long enough overlap.

Chroma features: Müller, "Fundamentals of Music Processing", 2015, chapter 3. The thresholds are measured on transposed,
re-encoded and cut real music: see `tests/media/test_fingerprint.py` and LOG.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits

SAMPLE_RATE_HZ = 11_025
FRAME_RATE_HZ = 10
CHROMA_BINS = 36
_FFT = 4096
_HOP = SAMPLE_RATE_HZ // FRAME_RATE_HZ


@dataclass(frozen=True, kw_only=True)
class FingerprintSettings:
    """When two fingerprints are of the same music.

    Attributes:
        min_chroma: least mean correlation of the chroma over the overlap, -1 to 1.
        min_total: least `Match.total`, -3 to 3, over a long overlap.
        min_total_short: the same over `min_overlap_s` or less: short spans agree by chance. In between: on a line.
        long_overlap_s: the overlap from which `min_total` will do.
        min_overlap_s: least overlap in seconds; of shorter files, `min_overlap_share` of the shorter one.
        max_shift_semitones: pitch shifts that are looked for, with and without the change of speed.
    """

    min_chroma: float = 0.6
    min_total: float = 1.6
    min_total_short: float = 2.2
    long_overlap_s: float = 10.0
    min_overlap_s: float = 6.0
    min_overlap_share: float = 0.8
    max_shift_semitones: int = 4


@dataclass(frozen=True)
class Fingerprint:
    """`chroma` (T, 36) float16, zero mean and unit length per frame; `onset` (T,) float16 of zero mean."""

    chroma: npt.NDArray[np.float16]
    onset: npt.NDArray[np.float16]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.onset) / FRAME_RATE_HZ


@dataclass(frozen=True, kw_only=True)
class Match:
    """Best way to lay `b` over `a`: correlations, shift of `b` against `a` in semitones, offset and overlap.

    Attributes:
        chroma, onset: mean correlation of the frames' chroma; correlation of the onset strengths.
        departure, change: correlation of the chroma less its mean over the overlap; of its changes between frames.
    """

    chroma: float
    onset: float
    departure: float
    change: float
    shift_semitones: float
    offset_s: float
    overlap_s: float

    @property
    def total(self) -> float:
        """What is compared with the thresholds, -3 to 3."""
        return self.onset + self.departure + self.change


def fingerprint(path: Path | str, limits: MediaLimits = DEFAULT_LIMITS) -> Fingerprint:
    """Fingerprint of a file's sound.

    Raises:
        MediaError: no sound, or a file that cannot be read.
    """
    from mvr.media.sound import read_sound

    return fingerprint_of(read_sound(path, SAMPLE_RATE_HZ, limits=limits))


def fingerprint_of(samples: FloatArray) -> Fingerprint:
    """Fingerprint of (n,) float32 mono samples at `SAMPLE_RATE_HZ`; silence gives zeros, which match nothing."""
    padded = np.pad(samples, (_FFT // 2, _FFT // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(_FFT).astype(np.float32), axis=1)).astype(np.float32)
    # The logarithm makes loud bass and quiet melody count alike; its knee follows the level of the file.
    level = float(np.sqrt(np.mean(magnitude**2)))
    compressed = np.log1p(magnitude / level) if level > 1e-6 else np.zeros_like(magnitude)
    chroma = compressed @ chroma_bank().T
    rise = np.maximum(np.diff(compressed, axis=0, prepend=compressed[:1]), 0).sum(axis=1)
    return Fingerprint(
        chroma=_unit_rows(chroma).astype(np.float16), onset=_standardised(rise).astype(np.float16)
    )


@lru_cache(maxsize=1)
def chroma_bank() -> FloatArray:
    """Weights (36, bins) from a magnitude spectrum to chroma, C first: librosa's bank, which the tests compare with.

    A bin adds to each chroma by a Gaussian of its distance, as wide as the bin or a third of a semitone, whichever is
    wider; all bins have unit length, weighted by octave around 4.5 octaves above 27.5 Hz (Ellis, "Chroma feature
    analysis and synthesis", 2007).
    """
    hz = np.arange(1, _FFT) * SAMPLE_RATE_HZ / _FFT
    places = CHROMA_BINS * np.log2(hz / 27.5)
    places = np.concatenate(
        [[places[0] - 1.5 * CHROMA_BINS], places]
    )  # 0 Hz: one and a half octaves below the first
    widths = np.concatenate([np.maximum(np.diff(places), 1.0), [1.0]])
    distance = places - np.arange(CHROMA_BINS)[:, None]
    distance = (distance + CHROMA_BINS // 2 + 10 * CHROMA_BINS) % CHROMA_BINS - CHROMA_BINS // 2
    weights = np.exp(-0.5 * (2 * distance / widths) ** 2)
    weights /= np.linalg.norm(weights, axis=0)
    weights *= np.exp(-0.5 * ((places / CHROMA_BINS - 4.5) / 1.8) ** 2)
    from_c = np.roll(weights, -3 * (CHROMA_BINS // 12), axis=0)[:, : _FFT // 2 + 1]  # the places begin at A
    bank: FloatArray = from_c.astype(np.float32)
    return bank


def match(
    a: Fingerprint, b: Fingerprint, settings: FingerprintSettings = FingerprintSettings()
) -> Match | None:
    """The best overlay of `b` on `a`, or None where the shorter one is too short for any overlap."""
    best: tuple[_Overlay, Fingerprint] | None = None
    reach = settings.max_shift_semitones
    for semitones in sorted(range(-reach, reach + 1), key=abs):
        played = _at_speed(b, 2 ** (semitones / 12))
        found = _overlay(a, played, _rotations(semitones, reach), settings)
        if found is not None and (best is None or found.score > best[0].score):
            best = found, played
    return None if best is None else _described(a, best[1], best[0])


def same_music(a: Fingerprint, b: Fingerprint, settings: FingerprintSettings = FingerprintSettings()) -> bool:
    """Whether the best overlay agrees well enough for its length."""
    found = match(a, b, settings)
    if found is None:
        return False
    overlaps = (settings.min_overlap_s, settings.long_overlap_s)
    wanted = np.interp(found.overlap_s, overlaps, (settings.min_total_short, settings.min_total))
    return found.chroma >= settings.min_chroma and found.total >= float(wanted)


def signature(a: Fingerprint) -> FloatArray:
    """(36 * 8,) unit vector that a shift in pitch or time hardly changes: candidates for `same_music` are neighbours.

    Magnitudes of the 2-D Fourier transform of 8-second patches, median over the patches (Bertin-Mahieux & Ellis,
    "Large-scale cover song recognition using the 2D Fourier transform magnitude", ISMIR 2012).
    """
    patch = 8 * FRAME_RATE_HZ
    chroma = a.chroma.astype(np.float32)
    if len(chroma) < patch:
        chroma = np.pad(
            chroma, ((0, patch - len(chroma)), (0, 0)), mode="wrap" if len(chroma) else "constant"
        )
    patches = np.lib.stride_tricks.sliding_window_view(chroma, patch, axis=0)[:: FRAME_RATE_HZ // 2]
    spectra = np.abs(np.fft.fft2(patches))[:, :, 1:9]
    flat = np.median(spectra, axis=0).ravel()
    unit: FloatArray = (flat / max(float(np.linalg.norm(flat)), 1e-9)).astype(np.float32)
    return unit


@dataclass(frozen=True, kw_only=True)
class _Overlay:
    """A lag of `b` against `a` and a rotation of its chroma, the overlap in frames, and both correlations."""

    chroma: float
    onset: float
    lag: int
    overlap: int
    rotation: int

    @property
    def score(self) -> float:
        return self.chroma + self.onset


def _rotations(semitones: int, reach: int) -> npt.NDArray[np.int64]:
    """Chroma rotations to try at a speed: all at the same speed; else none, or as a tape's; a third of a semitone more
    or less."""
    bins = range(-3 * reach - 1, 3 * reach + 2)
    near = [*range(-1, 2), *range(3 * semitones - 1, 3 * semitones + 2)]
    return np.unique(np.array(bins if semitones == 0 else near) % CHROMA_BINS)


def _overlay(
    a: Fingerprint, b: Fingerprint, rotations: npt.NDArray[np.int64], settings: FingerprintSettings
) -> _Overlay | None:
    """Correlate at every rotation and offset at once, by the correlation theorem."""
    frames = len(a.onset), len(b.onset)
    wanted = min(settings.min_overlap_s * FRAME_RATE_HZ, settings.min_overlap_share * min(frames))
    if wanted < FRAME_RATE_HZ:
        return None
    size = 1 << (sum(frames) - 1).bit_length()
    lags = np.concatenate([np.arange(frames[0]), np.arange(-frames[1] + 1, 0)])
    overlap = np.minimum(frames[0], lags + frames[1]) - np.maximum(0, lags)
    lags, overlap = lags[overlap >= wanted], overlap[overlap >= wanted]
    chroma = _correlate(a.chroma, b.chroma, size)[np.ix_(lags, rotations)] / overlap[:, None]
    onset = _correlate(a.onset[:, None], b.onset[:, None], size)[lags, 0] / _energy(a, b, lags, overlap)
    at, turn = np.unravel_index(int(np.argmax(chroma + onset[:, None])), chroma.shape)
    return _Overlay(
        chroma=float(chroma[at, turn]),
        onset=float(onset[at]),
        lag=int(lags[at]),
        overlap=int(overlap[at]),
        rotation=int(rotations[turn]),
    )


def _described(a: Fingerprint, b: Fingerprint, found: _Overlay) -> Match:
    """An overlay with what its chroma does over time."""
    starts = max(found.lag, 0), max(-found.lag, 0)
    ours, theirs = (
        item.chroma[start : start + found.overlap].astype(np.float32)
        for item, start in zip((a, b), starts, strict=True)
    )
    theirs = np.roll(theirs, found.rotation, axis=1)
    ours, theirs = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
    shift = found.rotation - CHROMA_BINS * (found.rotation > CHROMA_BINS // 2)
    return Match(
        chroma=found.chroma,
        onset=found.onset,
        departure=_likeness(ours, theirs),
        change=_likeness(np.diff(ours, axis=0), np.diff(theirs, axis=0)),
        shift_semitones=-shift / 3,
        offset_s=found.lag / FRAME_RATE_HZ,
        overlap_s=found.overlap / FRAME_RATE_HZ,
    )


def _likeness(a: FloatArray, b: FloatArray) -> float:
    """Correlation of two arrays of zero mean; 0 where one of them does not move."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.sum(a * b)) / lengths if lengths > 1e-6 else 0.0


def _energy(
    a: Fingerprint, b: Fingerprint, lags: npt.NDArray[np.int64], overlap: npt.NDArray[np.int64]
) -> FloatArray:
    """Geometric mean of both onsets' energies inside each overlap: one accent must not outweigh a long silence."""
    sums = [np.concatenate([[0], np.cumsum(o.astype(np.float32) ** 2)]) for o in (a.onset, b.onset)]
    starts = np.maximum(lags, 0), np.maximum(-lags, 0)
    inside = [total[start + overlap] - total[start] for total, start in zip(sums, starts, strict=True)]
    floor = 0.1 * overlap  # a tenth of a fingerprint's mean energy, which is one a frame
    energy: FloatArray = np.sqrt(np.maximum(inside[0], floor) * np.maximum(inside[1], floor)).astype(
        np.float32
    )
    return energy


def _correlate(a: npt.NDArray[np.float16], b: npt.NDArray[np.float16], size: int) -> FloatArray:
    """Circular correlation of (T, C) arrays over both axes, time padded to `size`."""
    width = a.shape[1]
    spectra = np.fft.fft2(a.astype(np.float32), (size, width)) * np.conj(
        np.fft.fft2(b.astype(np.float32), (size, width))
    )
    found: FloatArray = np.fft.ifft2(spectra).real.astype(np.float32)
    return found


def _at_speed(a: Fingerprint, speed: float) -> Fingerprint:
    """The fingerprint of the same music played `speed` times as fast, by linear interpolation over time."""
    if speed == 1.0:
        return a
    old = np.arange(len(a.onset))
    new = np.arange(0, len(a.onset) - 1, speed)
    chroma = np.stack([np.interp(new, old, column) for column in a.chroma.T.astype(np.float32)], axis=1)
    onset = np.interp(new, old, a.onset.astype(np.float32))
    return Fingerprint(
        chroma=_unit_rows(chroma).astype(np.float16), onset=_standardised(onset).astype(np.float16)
    )


def _unit_rows(rows: npt.NDArray[np.floating[npt.NBitBase]]) -> npt.NDArray[np.floating[npt.NBitBase]]:
    centred = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.where(lengths > 1e-6, centred / np.maximum(lengths, 1e-6), 0)


def _standardised(values: npt.NDArray[np.floating[npt.NBitBase]]) -> npt.NDArray[np.floating[npt.NBitBase]]:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-6 else np.zeros_like(values)

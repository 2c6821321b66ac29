"""Sliding a track under a clip: the frozen sum of five curves, and evidence that settles it (`mvr.timing.meeting`).

Sliding the track under the clip in steps of 0.25 s, each start gets five scores: change of the picture
against loudness (smoothed by 0.5 s), change against onsets (0.125 s), cuts against onsets, novelty against
novelty (mean of three scales), and how near cuts lie to beats. Each is standardised over all starts of the
track, then they are added. The method was written down before its first score and is tuned to nothing
(`python -m eval.timing` scores it). Curves are standardised over the clip and over the track; correlations
run by FFT over many tracks at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy.ndimage import gaussian_filter1d

from mvr.datatypes import FloatArray
from mvr.signal.beats import Times
from mvr.signal.curves import CURVE_RATE_HZ, FINE
from mvr.timing.film import FilmTiming
from mvr.timing.meeting import Meeting, Strokes
from mvr.timing.music import MusicTiming

STEP_S = 0.25
VARIANTS = ("energy-loudness", "energy-onset", "cut-onset", "novelty", "cut-beat")
NEAR_BEAT_S = 0.08
_STEP = round(STEP_S * CURVE_RATE_HZ)  # bins from one start to the next
_SLOW, _FAST = 0.5 * CURVE_RATE_HZ, 0.125 * CURVE_RATE_HZ  # of smoothing, in bins
_BEAT_RATE_HZ = 32.0  # of the curve of nearness to beats
_QUARTER = round(STEP_S * _BEAT_RATE_HZ)  # of its samples from one start to the next
FEWEST_CUTS = 2  # fewer say nothing of when


@dataclass(frozen=True, kw_only=True)
class Starts:
    """Scores of all starts of T tracks under one clip; start n is at n x 0.25 s.

    Attributes:
        scores: (5, T, S), each row standardised over the track's own starts, 0 where a variant has nothing to say.
        counts: (T,) how many starts each track has; further columns are 0.
        meeting: how exactly the picture moves with the strokes there.
    """

    scores: FloatArray
    counts: npt.NDArray[np.int64]
    meeting: Meeting

    @property
    def five(self) -> FloatArray:
        """The frozen sum of five, standardised again: (T, S)."""
        return _standardised(self.scores.sum(axis=0), self.counts)

    @property
    def total(self) -> FloatArray:
        """The five with what evidence there is of picture and strokes meeting, standardised again: (T, S)."""
        return _standardised(self.five + self.meeting.evidence, self.counts)


def score_starts(film: FilmTiming, tracks: Sequence[MusicTiming], *, circular: bool = False) -> Starts:
    """Scores of every start of every track.

    Args:
        film: the clip.
        tracks: T tracks.
        circular: the track goes round, for a sound as long as the clip; else a start needs music to the clip's end.
    """
    return Slide(tracks, len(film.energy), circular=circular).starts(film)


class Slide:
    """Tracks made ready to slide under clips of one length; the sound's spectra are computed once.

    Args:
        tracks: T tracks.
        bins: length of the clips' curves.
        circular: see `score_starts`.
    """

    def __init__(self, tracks: Sequence[MusicTiming], bins: int, *, circular: bool = False) -> None:
        self.tracks = tracks
        self.bins = bins
        self.circular = circular
        lengths = np.array([len(track.onset) for track in tracks], np.int64)
        assert not circular or len(set(lengths.tolist())) <= 1, "a circle has one length"
        fitting = np.where(lengths >= bins, (lengths - bins) // _STEP + 1, 0)
        self.counts = lengths // _STEP if circular else fitting
        self.width = max(1, int(self.counts.max(initial=1)))
        longest = int(lengths.max(initial=1))
        self._size = longest if circular else scipy.fft.next_fast_len(longest + bins, real=True)
        sounds = np.zeros((3, len(tracks), longest), np.float32)
        for row, track in enumerate(tracks):
            sounds[:, row, : len(track.onset)] = sound_curves(track)
        self._spectra = scipy.fft.rfft(sounds, self._size)
        self._near = self._beat_table(longest)
        self._strokes = Strokes([track.strokes for track in tracks], bins, circular=circular)

    def starts(self, film: FilmTiming, known: Starts | None = None) -> Starts:
        """Scores under one clip; `known`: those of the same picture with other cuts, of which the rest is taken."""
        energy, change, cuts, new = _picture_curves(film)
        if known is None:
            found = self._correlate(np.stack([energy, change, cuts, new]), [0, 1, 1, 2])
            rows = [_standardised(row, self.counts) for row in found]
        else:
            cut_onset = _standardised(self._correlate(cuts[None], [1])[0], self.counts)
            rows = [*known.scores[:2], cut_onset, known.scores[3]]
        rows.append(_standardised(self._cut_beat(film.cuts_s), self.counts))
        if len(film.cuts_s) < FEWEST_CUTS:
            rows[2] = rows[4] = np.zeros_like(rows[0])
        meeting = (
            known.meeting
            if known
            else self._strokes.under(film.motion, round(STEP_S * CURVE_RATE_HZ * FINE), self.width)
        )
        return Starts(scores=np.stack(rows), counts=self.counts, meeting=meeting)

    def _correlate(self, picture: FloatArray, sounds: list[int]) -> FloatArray:
        """Correlation of picture curves (K, N) with the named sound curves at every start: (K, T, S)."""
        product = self._spectra[sounds] * np.conj(scipy.fft.rfft(picture, self._size))[:, None]
        found: FloatArray = scipy.fft.irfft(product, self._size)[..., ::_STEP][..., : self.width]
        return found / np.float32(self.bins)

    def _beat_table(self, longest: int) -> FloatArray:
        """Nearness to beats by quarter seconds and their eighths: (T, quarters, 8), padded by 0 after a track."""
        quarters = -(-(longest + self.bins) * 4 // _QUARTER) + 2
        near = np.zeros((len(self.tracks), quarters * _QUARTER), np.float32)
        for row, track in enumerate(self.tracks):
            curve = beat_nearness(track.beats_s, len(track.onset))
            near[row, : len(curve)] = curve
            if self.circular:
                near[row] = np.resize(curve, near.shape[1])
        return near.reshape(len(self.tracks), quarters, _QUARTER)

    def _cut_beat(self, cuts_s: Times) -> FloatArray:
        """Mean nearness of cuts to beats at every start: (T, S)."""
        out = np.zeros((len(self.tracks), self.width), np.float32)
        reach, rest = np.divmod(np.round(cuts_s * _BEAT_RATE_HZ).astype(np.int64), _QUARTER)
        for first, inside in zip(reach.tolist(), rest.tolist(), strict=True):
            out += self._near[:, first : first + self.width, inside]
        return out / np.float32(max(1, len(cuts_s)))


def _picture_curves(film: FilmTiming) -> FloatArray:
    """Of the four correlated variants: (4, N), mean 0."""
    cuts = np.zeros(len(film.energy), np.float32)
    places = np.clip((film.cuts_s * CURVE_RATE_HZ).astype(np.int64), 0, len(cuts) - 1)
    np.add.at(cuts, places, 1.0)
    energy = film.energy.astype(np.float32)
    slow, fast = gaussian_filter1d(energy, _SLOW), gaussian_filter1d(energy, _FAST)
    novelty = _new(film.novelty.astype(np.float32))
    return np.stack([_unit(slow), _unit(fast), _unit(gaussian_filter1d(cuts, _FAST)), novelty])


def sound_curves(track: MusicTiming) -> FloatArray:
    """Loudness, onsets and novelty of a track, smoothed and standardised: (3, N)."""
    loudness = gaussian_filter1d(track.loudness_db.astype(np.float32), _SLOW)
    onset = gaussian_filter1d(track.onset.astype(np.float32), _FAST)
    return np.stack([_unit(loudness), _unit(onset), _new(track.novelty.astype(np.float32))])


def _new(novelty: FloatArray) -> FloatArray:
    """Mean of the three scales, each of spread 1; what the kernels do not reach at the ends is neutral."""
    inside = novelty > 0
    many = np.maximum(inside.sum(axis=1, keepdims=True), 1)
    mean = np.where(inside, novelty, 0).sum(axis=1, keepdims=True) / many
    centred = np.where(inside, novelty - mean, 0)
    spread = np.sqrt((centred**2).sum(axis=1, keepdims=True) / many)
    mean_row: FloatArray = np.where(spread > 1e-6, centred / np.maximum(spread, 1e-6), 0).mean(axis=0)
    return mean_row.astype(np.float32)


def _unit(curve: FloatArray) -> FloatArray:
    """Mean 0, spread 1; a flat curve is 0."""
    spread = float(curve.std())
    unit: FloatArray = ((curve - curve.mean()) / spread if spread > 1e-6 else np.zeros_like(curve)).astype(
        np.float32
    )
    return unit


def beat_nearness(beats_s: Times, bins: int) -> FloatArray:
    """exp(-d^2 / 2 (80 ms)^2), d the distance to the nearest beat, 32 times a second: (4 bins,)."""
    times: Times = (np.arange(bins * 4, dtype=np.float64) + 0.5) / _BEAT_RATE_HZ
    if len(beats_s) == 0:
        return np.zeros(len(times), np.float32)
    distance = beat_distances(times, beats_s)
    return np.exp(-0.5 * (distance / NEAR_BEAT_S) ** 2).astype(np.float32)


def _standardised(rows: FloatArray, counts: npt.NDArray[np.int64]) -> FloatArray:
    """Rows (T, S) to mean 0 and spread 1 over their first `counts` columns, 0 beyond and where they are flat."""
    inside = np.arange(rows.shape[1]) < counts[:, None]
    many = np.maximum(counts, 1)[:, None]
    kept = np.where(inside, rows, 0)
    centred = np.where(inside, kept - kept.sum(axis=1, keepdims=True) / many, 0)
    spread = np.sqrt((centred**2).sum(axis=1, keepdims=True) / many)
    unit: FloatArray = np.where(spread > 1e-5, centred / np.maximum(spread, 1e-5), 0).astype(np.float32)
    return unit


def beat_distances(times_s: Times, beats_s: Times) -> Times:
    """Distance in s of each time to the nearest of at least one ascending beats."""
    place = np.searchsorted(beats_s, times_s)
    before, after = beats_s[np.maximum(place - 1, 0)], beats_s[np.minimum(place, len(beats_s) - 1)]
    distances: Times = np.minimum(np.abs(times_s - before), np.abs(times_s - after))
    return distances

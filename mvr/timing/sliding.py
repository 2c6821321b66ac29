"""Sliding a track under a clip: the frozen sum of five curves, and evidence that settles it (`mvr.timing.meeting`).

Sliding the track under the clip in steps of 0.25 s, each start gets five scores: change of the picture
against loudness (smoothed by 0.5 s), change against onsets (0.125 s), cuts against onsets, novelty against
novelty (mean of three scales), and how near cuts lie to beats. Each is standardised over all starts of the
track, then they are added. The method was written down before its first score and is tuned to nothing
(`python -m eval.timing` scores it). Curves are standardised over the clip and over the track; correlations
run by FFT over many tracks at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.signal.beats import Times
from mvr.signal.curves import CURVE_RATE_HZ, FINE
from mvr.signal.smoothing import smoothed
from mvr.timing.film import FilmTiming
from mvr.timing.meeting import Meeting, Strokes, fast_length
from mvr.timing.music import MusicTiming
from mvr.timing.pulses import RATE_HZ, beat_nearness

STEP_S = 0.25
VARIANTS = ("energy-loudness", "energy-onset", "cut-onset", "novelty", "cut-beat")
_STEP = round(STEP_S * CURVE_RATE_HZ)  # bins from one start to the next
_SLOW, _FAST = 0.5 * CURVE_RATE_HZ, 0.125 * CURVE_RATE_HZ  # of smoothing, in bins
_ROOM = 4 * round(_SLOW)  # bins that a smooth value is made of, on each side
_QUARTER = round(STEP_S * RATE_HZ)  # of its samples from one start to the next
_LEAN = 0.5  # of how picture and strokes correlate, against the five curves' sum
FEWEST_CUTS = 2  # fewer say nothing of when


@dataclass(frozen=True, kw_only=True)
class Starts:
    """Scores of all starts of T tracks under one clip; start n is at n x 0.25 s.

    Attributes:
        scores: (5, T, S), each row standardised over the track's own starts, 0 where a variant has nothing to say.
        counts: (T,) how many starts each track has; further columns are 0.
        meeting: how exactly the picture moves with the strokes there.
        settles: (T, S) what that adds to the sum of five: evidence where there is any, else a lean.
    """

    scores: FloatArray
    counts: npt.NDArray[np.int64]
    meeting: Meeting
    settles: FloatArray

    @property
    def five(self) -> FloatArray:
        """The frozen sum of five, standardised again: (T, S)."""
        return _standardised(self.scores.sum(axis=0), self.counts)

    @property
    def total(self) -> FloatArray:
        """The five with how picture and strokes meet, standardised again: (T, S)."""
        return _standardised(self.five + self.settles, self.counts)


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
        self._size = longest if circular else fast_length(longest, bins)
        self._spectra = np.fft.rfft(sound_curves(tracks), self._size)
        self._near = self._beat_table(longest)
        self._strokes = Strokes([track.strokes for track in tracks], bins, circular=circular)

    def starts(self, film: FilmTiming) -> Starts:
        """Scores under one clip."""
        change = self._correlate(_picture_curves(film), [0, 1, 2])
        cut_onset, cut_beat = self._of_cuts(film)
        rows = [_standardised(row, self.counts) for row in change]
        meeting = self._strokes.under(film.motion, round(STEP_S * CURVE_RATE_HZ * FINE), self.width)
        settles = meeting.evidence + np.float32(_LEAN) * _standardised(meeting.correlation, self.counts)
        scores = np.stack([*rows[:2], cut_onset, rows[2], cut_beat])
        return Starts(scores=scores, counts=self.counts, meeting=meeting, settles=settles)

    def totals(self, films: Sequence[FilmTiming], known: Starts) -> Iterator[FloatArray]:
        """`Starts.total` (T, S) under films that differ from a known one in their cuts alone."""
        kept = known.scores[0] + known.scores[1] + known.scores[3]
        for film in films:
            cut_onset, cut_beat = self._of_cuts(film)
            five = _standardised(kept + cut_onset + cut_beat, self.counts)
            yield _standardised(five + known.settles, self.counts)

    def _of_cuts(self, film: FilmTiming) -> tuple[FloatArray, FloatArray]:
        """Cuts against onsets and against beats, standardised: twice (T, S)."""
        if len(film.cuts_s) < FEWEST_CUTS:
            nothing = np.zeros((len(self.tracks), self.width), np.float32)
            return nothing, nothing
        onset = self._correlate(_cut_curve(film)[None], [1])[0]
        return _standardised(onset, self.counts), _standardised(self._cut_beat(film.cuts_s), self.counts)

    def _correlate(self, picture: FloatArray, sounds: list[int]) -> FloatArray:
        """Correlation of picture curves (K, N) with the named sound curves at every start: (K, T, S)."""
        product = self._spectra[sounds] * np.conj(np.fft.rfft(picture, self._size))[:, None]
        found = np.fft.irfft(product, self._size)[..., ::_STEP][..., : self.width]
        return found.astype(np.float32, copy=False) / np.float32(self.bins)

    def _beat_table(self, longest: int) -> FloatArray:
        """Nearness to beats by eighths of quarter seconds: (8, T, quarters), padded by 0 after a track."""
        reach = longest + self.bins if self.circular else max(longest, self.bins)
        quarters = -(-reach * 4 // _QUARTER) + 2
        near = beat_nearness([track.beats_s for track in self.tracks], quarters * _QUARTER)
        for row, track in zip(near, self.tracks, strict=True):
            length = 4 * len(track.onset)
            row[length:] = np.resize(row[:length], len(row) - length) if self.circular else 0.0
        return np.ascontiguousarray(near.reshape(len(self.tracks), quarters, _QUARTER).transpose(2, 0, 1))

    def _cut_beat(self, cuts_s: Times) -> FloatArray:
        """Mean nearness of cuts to beats at every start: (T, S)."""
        out = np.zeros((len(self.tracks), self.width), np.float32)
        reach, rest = np.divmod(np.round(cuts_s * RATE_HZ).astype(np.int64), _QUARTER)
        for first, inside in zip(reach.tolist(), rest.tolist(), strict=True):
            out += self._near[inside, :, first : first + self.width]
        return out / np.float32(max(1, len(cuts_s)))


def _picture_curves(film: FilmTiming) -> FloatArray:
    """Change, smoothed for loudness and for onsets, and novelty, mean 0: (3, N)."""
    energy = film.energy.astype(np.float32)
    smooth = [_unit(smoothed(energy, sigma)) for sigma in (_SLOW, _FAST)]
    return np.stack([*smooth, _new(film.novelty.astype(np.float32)[:, None])[0]])


def _cut_curve(film: FilmTiming) -> FloatArray:
    """Cuts as a smooth curve, mean 0: (N,)."""
    cuts = np.zeros(len(film.energy), np.float32)
    places = np.clip((film.cuts_s * CURVE_RATE_HZ).astype(np.int64), 0, len(cuts) - 1)
    np.add.at(cuts, places, 1.0)
    return _unit(smoothed(cuts, _FAST))


def _unit(curve: FloatArray) -> FloatArray:
    """Mean 0, spread 1; a flat curve is 0."""
    unit: FloatArray = _standardised(curve[None], np.array([len(curve)]))[0]
    return unit


def sound_curves(tracks: Sequence[MusicTiming]) -> FloatArray:
    """Loudness, onsets and novelty of T tracks, smoothed and standardised, 0 after a track's end: (3, T, longest)."""
    lengths = np.array([len(track.onset) for track in tracks], np.int64)
    longest = int(lengths.max(initial=1))
    rows = np.zeros((5, len(tracks), longest), np.float32)
    for row, (track, length) in enumerate(zip(tracks, lengths.tolist(), strict=True)):
        rows[0, row, :length], rows[1, row, :length] = track.loudness_db, track.onset
        rows[2:, row, :length] = track.novelty
    mirrored = _mirrored(lengths, longest)
    smooth = [
        smoothed(np.take_along_axis(each, mirrored, 1), sigma)[:, _ROOM : _ROOM + longest]
        for each, sigma in zip(rows, (_SLOW, _FAST), strict=False)
    ]
    return np.stack([*(_standardised(each, lengths) for each in smooth), _new(rows[2:])])


def _mirrored(lengths: npt.NDArray[np.int64], longest: int) -> npt.NDArray[np.int64]:
    """Places in rows that go on as in a mirror before their start and after their own end: (T, longest + 2 rooms)."""
    places, around = np.arange(-_ROOM, longest + _ROOM), 2 * lengths[:, None]
    turn = places % around
    inside: npt.NDArray[np.int64] = np.minimum(turn, around - 1 - turn)
    return inside


def _new(novelty: FloatArray) -> FloatArray:
    """Mean of three scales (3, T, N), each of spread 1; what no kernel reaches is neutral: (T, N)."""
    inside = novelty > 0
    many = np.maximum(np.count_nonzero(inside, axis=2), 1).astype(np.float32)[..., None]
    mean = novelty.sum(axis=2, keepdims=True) / many  # what is not inside is 0
    centred = (novelty - mean) * inside
    spread = np.sqrt(np.einsum("stn,stn->st", centred, centred)[..., None] / many)
    centred *= np.where(spread > 1e-6, 1 / np.maximum(spread, 1e-6), 0) / np.float32(3)
    together: FloatArray = centred.sum(axis=0, dtype=np.float32)
    return together


def _standardised(rows: FloatArray, counts: npt.NDArray[np.int64]) -> FloatArray:
    """Rows (T, S) to mean 0 and spread 1 over their first `counts` columns, 0 beyond and where they are flat."""
    many = np.maximum(counts, 1).astype(np.float32)[:, None]
    full = bool((counts == rows.shape[1]).all())
    inside = None if full else (np.arange(rows.shape[1]) < counts[:, None]).astype(np.float32)
    unit = rows if inside is None else rows * inside
    unit = unit - unit.sum(axis=1, keepdims=True) / many
    if inside is not None:
        unit *= inside
    spread = np.sqrt(np.einsum("ts,ts->t", unit, unit)[:, None] / many)
    unit *= np.where(spread > 1e-5, 1 / np.maximum(spread, 1e-5), 0)
    standard: FloatArray = unit
    return standard

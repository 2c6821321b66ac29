"""Sliding a track under a clip: the frozen sum of five curves, and evidence that settles it (`meeting`).

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

from mvr.datatypes import FloatArray, Times
from mvr.signal.curves import CURVE_RATE_HZ, FINE
from mvr.timing.film import FilmTiming
from mvr.timing.music import MusicTiming
from mvr.timing.placing.lengths import Lengths
from mvr.timing.placing.meeting import Meeting, Strokes, fast_length
from mvr.timing.placing.pictures import Pictures
from mvr.timing.placing.pulses import RATE_HZ, beat_nearness
from mvr.timing.placing.sounds import sound_curves

Spectra = npt.NDArray[np.complexfloating]

STEP_S = 0.25
VARIANTS = ("energy-loudness", "energy-onset", "cut-onset", "novelty", "cut-beat")
_STEP = round(STEP_S * CURVE_RATE_HZ)  # bins from one start to the next
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
        return self._standardised(self.scores.sum(axis=0))

    @property
    def total(self) -> FloatArray:
        """The five with how picture and strokes meet, standardised again: (T, S)."""
        return self._standardised(self.five + self.settles)

    def _standardised(self, rows: FloatArray) -> FloatArray:
        return Lengths(self.counts, rows.shape[1]).standardise(rows)


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
        self._lengths = Lengths(self.counts, self.width)
        longest = int(lengths.max(initial=1))
        self._size = longest if circular else fast_length(longest, bins)
        self._spectra = np.fft.rfft(sound_curves(tracks), self._size)
        self._near = self._beat_table(longest)
        self._strokes = Strokes([track.strokes for track in tracks], bins, circular=circular)

    def starts(self, film: FilmTiming) -> Starts:
        """Scores under one clip."""
        pictures = Pictures(film)
        change, cut_onset, cut_beat = self._scores(pictures)
        meeting, settles = self._settling(pictures)
        scores = np.stack([*change[:2], cut_onset[0], change[2], cut_beat[0]])
        return Starts(scores=scores, counts=self.counts, meeting=meeting, settles=settles)

    def totals(self, pictures: Pictures) -> tuple[FloatArray, Meeting]:
        """`Starts.total` under each of F pictures, (F, T, S), and how they all meet the strokes."""
        change, cut_onset, cut_beat = self._scores(pictures)
        meeting, settles = self._settling(pictures)
        total = np.add(cut_onset, cut_beat, out=cut_onset)
        total += change[0] + change[1] + change[2]
        self._lengths.standardise(total)
        total += settles
        return self._lengths.standardise(total), meeting

    def _scores(self, pictures: Pictures) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Change against loudness and onsets, and novelty, (3, T, S); for each picture cuts against onsets, and against
        beats, twice (F, T, S). All standardised, 0 where cuts are too few.
        """
        count, few = pictures.cuts_s.shape[0], pictures.cuts_s.shape[1] < FEWEST_CUTS
        scores = np.zeros((3 + 2 * count, len(self.tracks), self.width), np.float32)
        change, cut_onset, cut_beat = scores[:3], scores[3 : 3 + count], scores[3 + count :]
        spectra = pictures.spectra(self._size)
        self._correlate(spectra[:3], self._spectra, change)
        if not few:
            self._correlate(spectra[3:], self._spectra[1], cut_onset)
            self._cut_beat(pictures.cuts_s, cut_beat)
        self._lengths.standardise(change if few else scores)
        return change, cut_onset, cut_beat

    def _settling(self, pictures: Pictures) -> tuple[Meeting, FloatArray]:
        """How pictures and strokes meet, and what that adds to the sum of five."""
        meeting = self._strokes.under(pictures, _STEP * FINE, self.width)
        settles = self._lengths.standardise(meeting.correlation.copy())
        settles *= np.float32(_LEAN)
        settles += meeting.evidence
        return meeting, settles

    def _correlate(self, pictures: Spectra, sounds: Spectra, out: FloatArray) -> None:
        """Correlation of K spectra with those of sounds, (T, size // 2 + 1) or K of them, at every start: (K, T, S)."""
        found = np.fft.irfft(sounds * pictures[:, None], self._size)
        out[:] = found[..., : _STEP * self.width : _STEP]

    def _beat_table(self, longest: int) -> FloatArray:
        """Nearness to beats by eighths of quarter seconds: (8, T, quarters), padded by 0 after a track."""
        reach = longest + self.bins if self.circular else max(longest, self.bins)
        quarters = -(-reach * 4 // _QUARTER) + 2
        near = beat_nearness([track.beats_s for track in self.tracks], quarters * _QUARTER)
        for row, track in zip(near, self.tracks, strict=True):
            length = 4 * len(track.onset)
            row[length:] = np.resize(row[:length], len(row) - length) if self.circular else 0.0
        return np.ascontiguousarray(near.reshape(len(self.tracks), quarters, _QUARTER).transpose(2, 0, 1))

    def _cut_beat(self, cuts_s: Times, out: FloatArray) -> None:
        """Mean nearness of each picture's cuts (F, K) to beats at every start: (F, T, S)."""
        reach, rest = np.divmod(np.round(cuts_s * RATE_HZ).astype(np.int64), _QUARTER)
        for scores, firsts, insides in zip(out, reach.tolist(), rest.tolist(), strict=True):
            for first, inside in zip(firsts, insides, strict=True):
                scores += self._near[inside, :, first : first + self.width]
        out /= np.float32(cuts_s.shape[1])

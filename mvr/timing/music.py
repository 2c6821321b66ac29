"""What is measured once of a track: tempo, beats, bars, curves, sections, hits, and where its own ending begins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mvr.datatypes import FloatArray, JsonDict, Times
from mvr.signal.curves import (
    CURVE_RATE_HZ,
    FINE,
    bins_of,
    dying_away,
    fine_curve,
    frame_times_s,
    loudness_curve,
    novelty,
    onset_curve,
    sound_features,
    standing_out,
)
from mvr.signal.onsets import FRAME_RATE_HZ
from mvr.signal.rhythm.chains import begins_often
from mvr.signal.rhythm.hearing import Heard, find_rhythm, hear
from mvr.signal.spectrum import SAMPLE_RATE_HZ

HITS = 8
_HIT_GAP_S = 2.0
_STRUCK_DB = 1.0  # rise of the mean band
_BROKEN_OFF_S = 0.05  # before the end, where a sound that breaks off rises in all bands
_SECTION_GAP_S = 8.0
_NEW = 0.1  # novelty of a part's start; hiss stays under .09, music reaches .2 to 2
_AUDIBLE_DB = -45.0  # of the loudest eighth of a second
_ENDED_DB = -20.0  # the last moment lies so far below the last ten seconds where music ends by itself
_LONGEST_ENDING_S = 8.0


@dataclass(frozen=True, kw_only=True)
class MusicTiming:
    """Attributes, times in seconds from the start of the track, curves at 8 Hz:
    duration_s: length.   tempo_bpm: None where there is no pulse.   bar_beats: beats in a bar.
    beats_s, downbeats_s: all beats, and those that begin a bar.
    sections_s: where parts begin, the first at 0, on downbeats where there are any.
    hits_s: up to eight strongest strokes, ascending.
    end_s: where the last sound dies away.
    ending_s: where the track's own ending begins; None where it fades out or breaks off.
    loudness_db, onset: (N,).   novelty: (3, N), half widths of 0.5, 2 and 4 s.
    strokes: (4 N,) onsets at 32 Hz, dying away, as they stand out from what is around them.
    """

    duration_s: float
    tempo_bpm: float | None
    bar_beats: int
    beats_s: Times
    downbeats_s: Times
    sections_s: Times
    hits_s: Times
    end_s: float
    ending_s: float | None
    loudness_db: FloatArray
    onset: FloatArray
    novelty: FloatArray
    strokes: FloatArray

    def to_json(self) -> JsonDict:
        """What a list says of it: no curves, no beats."""
        return {
            "tempo_bpm": None if self.tempo_bpm is None else round(self.tempo_bpm, 2),
            "bar_beats": self.bar_beats if len(self.downbeats_s) > 1 else None,
            "bar_s": round(float(np.median(np.diff(self.downbeats_s))), 4)
            if len(self.downbeats_s) > 1
            else None,
            "sections_s": [round(float(time), 3) for time in self.sections_s],
            "hits_s": [round(float(time), 3) for time in self.hits_s],
            "ending_s": None if self.ending_s is None else round(self.ending_s, 3),
            "end_s": round(self.end_s, 3),
        }


def measure_music(samples: FloatArray) -> MusicTiming:
    """Measure mono sound at `SAMPLE_RATE_HZ`; silence has no beats, flat curves and no ending."""
    return measure_heard(hear(samples), len(samples) / SAMPLE_RATE_HZ)


def measure_heard(heard: Heard | None, duration_s: float) -> MusicTiming:
    """The same of what was heard of a sound that is so long; None for silence."""
    bins = bins_of(duration_s)
    rhythm = find_rhythm(heard)
    if heard is None:
        loudness, onset = np.full(bins, -60, np.float32), np.zeros(bins, np.float32)
        change, strokes = np.zeros((3, bins), np.float32), np.zeros(FINE * bins, np.float32)
    else:
        loudness, onset = loudness_curve(heard.level, bins), onset_curve(heard.envelopes[0], bins)
        strokes = standing_out(dying_away(fine_onsets(heard, bins)))
        change = novelty(sound_features(heard.decibels, heard.classes, bins))
    end_s = min(duration_s, _end(loudness))
    ending_s = None if heard is None else _ending(loudness, end_s, rhythm.downbeats_s, duration_s)
    return MusicTiming(
        duration_s=duration_s, tempo_bpm=rhythm.tempo_bpm, bar_beats=rhythm.bar_beats, beats_s=rhythm.beats_s,
        downbeats_s=rhythm.downbeats_s, sections_s=_sections(change[2], rhythm.downbeats_s),
        hits_s=np.zeros(0) if heard is None else _hits(heard), end_s=end_s, ending_s=ending_s,
        loudness_db=loudness, onset=onset, novelty=change, strokes=strokes,
    )  # fmt: skip


def fine_onsets(heard: Heard, bins: int) -> FloatArray:
    """Onset envelope of all bands at 32 Hz: (4 bins,)."""
    return fine_curve(heard.envelopes[0], frame_times_s(len(heard.envelopes[0])), bins)


def measure_music_file(path: Path | str) -> MusicTiming:
    """Measure a file's sound. Raises MediaError."""
    from mvr.media.sound import read_sound

    return measure_music(read_sound(path, SAMPLE_RATE_HZ))


def nearest(times_s: Times, to_s: float) -> float | None:
    """The nearest of ascending times; None where there are none."""
    if len(times_s) == 0:
        return None
    place = int(np.searchsorted(times_s, to_s))
    around = times_s[max(0, place - 1) : place + 1]
    return float(around[np.abs(around - to_s).argmin()])


def strongest_apart(strength: FloatArray, gap: int, most: int, least: float) -> list[int]:
    """Positions of the strongest values over `least`, strongest first, none nearer than `gap` to a stronger one."""
    kept: list[int] = []
    for place in np.argsort(-strength, kind="stable"):
        if len(kept) == most or strength[place] <= least:
            break
        if all(abs(int(place) - other) >= gap for other in kept):
            kept.append(int(place))
    return kept


def _sections(change: FloatArray, downbeats_s: Times) -> Times:
    """Peaks of the slowest novelty, moved to the nearest downbeat within half a bar; 0 first."""
    strong = max(_NEW, float(change.mean() + change.std()))
    peak = np.zeros(len(change), bool)
    peak[1:-1] = (change[1:-1] >= change[:-2]) & (change[1:-1] > change[2:])
    gap = round(_SECTION_GAP_S * CURVE_RATE_HZ)
    places = strongest_apart(np.where(peak, change, 0), gap, len(change), strong)
    starts = {0.0}
    for place in places:
        time_s = place / CURVE_RATE_HZ
        beat = nearest(downbeats_s, time_s)
        bar_s = float(np.median(np.diff(downbeats_s))) if len(downbeats_s) > 1 else 0.0
        starts.add(beat if beat is not None and abs(beat - time_s) <= bar_s / 2 else time_s)
    return np.array(sorted(start for start in starts if start == 0 or start > 1.0))


def _hits(heard: Heard) -> Times:
    """Onsets that are strong in bass and all bands and after which it is louder than before."""
    envelopes = heard.envelopes
    scale = np.maximum(envelopes.std(axis=1, keepdims=True), 1e-3)
    stroke = (envelopes / scale)[:2].sum(axis=0)
    reach = int(FRAME_RATE_HZ / 2)
    total = np.concatenate([[0.0], np.cumsum(heard.level, dtype=np.float64)])
    places = np.arange(len(stroke))
    after = total[np.minimum(places + reach, len(stroke))] - total[places]
    before = total[places] - total[np.maximum(places - reach, 0)]
    rise = 10 * np.log10((after + 1e-3) / (before + 1e-3))
    rise[:reach] = np.minimum(rise[:reach], 6)  # the first sound after nothing is not the hit of the track
    strength = (stroke * np.clip(1 + rise / 6, 0, 4)).astype(np.float32)
    if not begins_often(envelopes):  # chance decides what is strongest in hiss
        strength[envelopes[0] < _STRUCK_DB] = 0
    strength[len(strength) - round(_BROKEN_OFF_S * FRAME_RATE_HZ) :] = 0
    found = strongest_apart(
        strength, round(_HIT_GAP_S * FRAME_RATE_HZ), HITS, float(strength.mean() + 2 * strength.std())
    )
    return np.array(sorted(found)) / FRAME_RATE_HZ


def _end(loudness_db: FloatArray) -> float:
    audible = np.flatnonzero(loudness_db > loudness_db.max() + _AUDIBLE_DB)
    return (
        float(audible[-1] + 1) / CURVE_RATE_HZ
        if len(audible) and loudness_db.max() > loudness_db.min()
        else 0.0
    )


def falling_s(loudness_db: FloatArray, end_s: float) -> float:
    """The second from which a sound is never again as loud as before its end."""
    last = round(end_s * CURVE_RATE_HZ)
    loud = np.flatnonzero(loudness_db[:last] > np.median(_body(loudness_db, last)) - 6)
    return float(loud[-1] + 1) / CURVE_RATE_HZ


def _body(loudness_db: FloatArray, last: int) -> FloatArray:
    """The ten seconds before the last four."""
    return loudness_db[max(0, last - round(14 * CURVE_RATE_HZ)) : max(1, last - round(4 * CURVE_RATE_HZ))]


def _ending(loudness_db: FloatArray, end_s: float, downbeats_s: Times, duration_s: float) -> float | None:
    """The downbeat (or moment) from which the sound dies away; None for a fade-out or a sound that breaks off."""
    last = round(end_s * CURVE_RATE_HZ)
    body = _body(loudness_db, last)
    if len(body) < CURVE_RATE_HZ or loudness_db[last - 1] > np.median(body) + _ENDED_DB:
        return None  # breaks off
    falls_s = falling_s(loudness_db, end_s)
    if end_s - falls_s > _LONGEST_ENDING_S:
        return None  # fades out
    before = downbeats_s[downbeats_s <= falls_s - 0.05]
    return float(before[-1]) if len(before) else max(0.0, falls_s - 2.0)

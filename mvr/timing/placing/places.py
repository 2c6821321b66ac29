"""Where a track should start under a clip, in words and numbers; what slides is in `mvr.timing.placing.sliding`.

Timing places music and does not choose it: a start is moved only where one stands out, and only within the
part of the track that its content chose. How many cuts lie near beats is always said beside what the same
search finds for random cuts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, JsonDict, Times
from mvr.media.fades import CROSSFADE_S, faint_end_s
from mvr.timing.film import FilmTiming
from mvr.timing.music import MusicTiming
from mvr.timing.placing.meeting import Meeting
from mvr.timing.placing.pictures import Pictures
from mvr.timing.placing.pulses import Pulses
from mvr.timing.placing.sliding import FEWEST_CUTS, STEP_S, Slide

_BLOCK = 24  # tracks that are slid at once: more of them leave the cache
# What a block leaves free the C library (glibc) gives back to the system and then takes again page by page, a third of
# all time, until an allocation of more has come and gone once.
_KEPT_BYTES = 1 << 24
_FEWEST_STARTS = 8  # fewer leave no choice
_WORTH = 1.0  # standard deviations above the mean that a start must have to move the music
_OVER_CHANCE = 0.8  # of them, over what the best of so many starts has by chance, that stand out
_MEETS = 4.0  # evidence from which the exact moment is taken instead of a beat near it
_PLACES = 3
_FLAT = 0.02  # spread of log change under which a picture stands still
_EVEN_DB = 0.3  # spread of loudness under which music without a beat sounds the same throughout


@dataclass(frozen=True, kw_only=True)
class Placing:
    """Where a track starts under a clip, and how sure that is.

    Attributes:
        start_s: where in the track the music begins.
        peak: how far the start's score lies above the mean of all starts of the track, in standard deviations;
            None where there is nothing to tell starts apart by.
        words: the same in words.
        places_s: up to three best starts of the whole track, best first.
        near_beats, near_beats_random: share of cuts within 80 ms of a beat at this start, and what the same search
            finds for as many cuts at random times; None without cuts or beats. Where the music starts over under the
            clip, those before that count: where its beats lie afterwards, its crossfade decides.
    """

    start_s: float
    peak: float | None
    words: str
    places_s: tuple[float, ...] = ()
    near_beats: float | None = None
    near_beats_random: float | None = None

    @property
    def told(self) -> str:
        """How sure it is, in words and as a number.

        >>> Placing(start_s=0.0, peak=-0.04, words="no better than elsewhere").told
        'no better than elsewhere (+0.0 deviations)'
        """
        return (
            self.words if self.peak is None else f"{self.words} ({round(self.peak, 1) + 0.0:+.1f} deviations)"
        )

    def to_json(self) -> JsonDict:
        """JSON-able form."""
        return {
            "peak": None if self.peak is None else round(self.peak, 3) + 0.0,  # no -0
            "words": self.words,
            "places_s": [round(place, 3) for place in self.places_s],
            "cuts_near_beats": self.near_beats if self.near_beats is None else round(self.near_beats, 3),
            "random_cuts_near_beats": None
            if self.near_beats_random is None
            else round(self.near_beats_random, 3),
        }


def is_still(film: FilmTiming) -> bool:
    """Whether a picture gives nothing to place music by: no two cuts, and it changes as much at all times."""
    return len(film.cuts_s) < FEWEST_CUTS and float(film.energy.std()) < _FLAT


def is_even(music: MusicTiming) -> bool:
    """Whether music gives nothing to place it by, as a tone, hiss and silence: no beat, one part, one loudness."""
    alike = not len(music.beats_s) and len(music.sections_s) < 2
    return alike and float(music.loudness_db.std()) < _EVEN_DB


def near_beats(cuts_s: Times, beats_s: Times, start_s: float) -> float | None:
    """Share of cuts within 80 ms of a beat when the music starts at `start_s`."""
    moments = cuts_s + start_s
    return _number(float(Pulses([beats_s], float(moments.max(initial=0))).shares(moments[None])[0]))


def place_tracks(
    film: FilmTiming, tracks: Sequence[MusicTiming], parts: Sequence[tuple[float, float]], *, draws: int = 3
) -> list[Placing]:
    """The best start of each track within the part that its content chose.

    Args:
        film: the clip.
        tracks: T tracks.
        parts: (T) start and end in s of the part; the start is kept where nothing speaks for another one.
        draws: how often as many cuts at random times are placed by the same search, 0: never.
    """
    rng, cuts = np.random.default_rng(len(film.cuts_s)), len(film.cuts_s)
    others_s = [np.sort(rng.uniform(0, film.duration_s, cuts)) for _ in range(draws if cuts else 0)]
    pictures = Pictures(film, others_s)
    np.empty(_KEPT_BYTES, np.uint8)  # comes and goes, untouched
    order = sorted(
        range(len(tracks)), key=lambda place: len(tracks[place].onset)
    )  # rows of a block are padded alike
    found: dict[int, Placing] = {}
    for first in range(0, len(order), _BLOCK):
        block = order[first : first + _BLOCK]
        placings = _place_block(
            film, pictures, [tracks[place] for place in block], [parts[place] for place in block]
        )
        found.update(zip(block, placings, strict=True))
    return [found[place] for place in range(len(tracks))]


def _place_block(
    film: FilmTiming, pictures: Pictures, tracks: Sequence[MusicTiming], parts: Sequence[tuple[float, float]]
) -> list[Placing]:
    slide, rows = Slide(tracks, pictures.bins), np.arange(len(tracks))
    totals, meeting = slide.totals(pictures)
    search, still = _Search(slide, parts, film.duration_s), is_still(film)
    best = search.best(totals)
    starts_s = search.on_beat(pictures.cuts_s, STEP_S * best.astype(np.float64))
    moved_s = _start(search, meeting, best[0], totals[0][rows, best[0]], starts_s[0])
    starts_s[0] = search.first_s if still else moved_s
    shares, counts = search.shares(pictures.cuts_s, starts_s), slide.counts
    random = shares[1:].mean(axis=0) if len(shares) > 1 else np.full(len(tracks), np.nan)
    at = np.minimum(np.rint(starts_s[0] / STEP_S), counts - 1).astype(np.int64)
    places = _places(totals[0], counts, search.latest_s)
    found = zip(
        starts_s[0].tolist(), totals[0][rows, at].tolist(), meeting.evidence[rows, at].tolist(), counts.tolist(),
        places, search.few.tolist(), search.even.tolist(), shares[0].tolist(), random.tolist(), strict=True,
    )  # fmt: skip
    return [
        Placing(
            start_s=start_s, **_words(still, even, count, peak, met), places_s=() if few or still or even else where,
            near_beats=_number(near), near_beats_random=_number(by_chance),
        )
        for start_s, peak, met, count, where, few, even, near, by_chance in found
    ]  # fmt: skip


def _start(
    search: _Search, meeting: Meeting, best: npt.NDArray[np.int64], score: FloatArray, near_s: Times
) -> Times:
    """Where tracks start of which the best start is known, its score, and the beat near it: (T,)."""
    rows = np.arange(len(best))
    exact_s = np.clip(best * STEP_S + meeting.later_s(rows, best), 0, search.last_s)
    moved = np.where(meeting.evidence[rows, best] > _MEETS, exact_s, near_s).round(3)  # as it is told
    chosen = np.where((score > _WORTH) & ~search.even, moved, np.minimum(search.first_s, search.last_s))
    placed: Times = np.where(search.few, search.first_s, np.minimum(chosen, search.latest_s))
    return placed


def _words(still: bool, even: bool, starts: int, peak: float, evidence: float) -> dict[str, Any]:
    """How sure a place among so many starts is, as a number and in words."""
    if still:
        return {
            "peak": None,
            "words": "music cannot be placed on this clip: it has no cuts, and its motion never changes",
        }
    if starts < _FEWEST_STARTS:
        longer = "hardly longer" if starts else "shorter"
        return {"peak": None, "words": f"the track is {longer} than the clip"}
    if even:
        return {"peak": None, "words": "the music cannot be placed: it sounds the same from beginning to end"}
    return {"peak": peak, "words": words_of(peak, starts, evidence)}


def _number(share: float) -> float | None:
    return None if np.isnan(share) else float(share)


def percent(share: float) -> int:
    """A share as it is told, a half upwards as browsers round.

    >>> percent(0.125), percent(1 / 3)
    (13, 33)
    """
    return int(100 * share + 0.5)


def words_of(peak: float, starts: int, evidence: float = 0.0) -> str:
    """How sure a place among so many starts is, in words.

    The best of n starts lies about sqrt(2 ln n) over their mean by chance. What stands out lies as far over that,
    or has as much evidence (`meeting`), as one in ten painted films has under music that is not its own
    (`eval.timing` prints what the words are worth). Where music repeats, evidence is in many places: none has a peak.

    >>> words_of(4.2, 200), words_of(3.2, 200), words_of(0.4, 200)
    ('stands out', 'better than most', 'no better than elsewhere')
    """
    if evidence > _MEETS or peak >= np.sqrt(2 * np.log(starts)) + _OVER_CHANCE:
        return "stands out"
    return "better than most" if peak >= _WORTH else "no better than elsewhere"


class _Search:
    """What is the same for a clip's cuts and for random ones: the part to search, and the tracks' beats.

    Attributes:
        few: (T,) whether a track has too few starts to choose from.
        even: (T,) whether it sounds the same from all of them.
        first_s: (T,) where a part begins.
        last_s: (T,) the last start that is scored, 0 without any.
        latest_s: (T,) the last start from which a track sounds to the clip's end: from a moment later it would start
            over, with a crossfade of seconds.
    """

    def __init__(self, slide: Slide, parts: Sequence[tuple[float, float]], clip_s: float) -> None:
        span = np.array(parts, np.float64).reshape(len(slide.tracks), 2)
        last = np.maximum(slide.counts - 1, 0)
        self.last_s = last * STEP_S
        self.few = slide.counts < _FEWEST_STARTS
        self.even = np.array([is_even(track) for track in slide.tracks], bool)
        self.first_s = np.maximum(0.0, span[:, 0])
        first = np.minimum(np.ceil(self.first_s / STEP_S - 1e-6), last)
        end = np.maximum(first, np.minimum(np.floor(span[:, 1] / STEP_S - 1e-6), last))
        reach = int((end - first).max(initial=0)) + 1
        self._columns = np.minimum(first[:, None] + np.arange(reach), end[:, None]).astype(np.int64)
        self._lengths_s = np.array([track.duration_s for track in slide.tracks])
        self._clip_s = clip_s
        self.latest_s = np.maximum(self._lengths_s - clip_s, 0.0)
        latest_s = slide.width * STEP_S + float(self.first_s.max(initial=0))
        self._pulses = Pulses([track.beats_s for track in slide.tracks], latest_s + clip_s)

    def best(self, totals: FloatArray) -> npt.NDArray[np.int64]:
        """The best start in each part, its last possible one where the part begins too late for the clip: (F, T) of
        scores (F, T, S).
        """
        rows = np.arange(totals.shape[1])
        inside = totals[:, rows[:, None], self._columns].argmax(axis=2)
        best: npt.NDArray[np.int64] = self._columns[rows, inside]
        return best

    def on_beat(self, cuts_s: Times, starts_s: Times) -> Times:
        """The beat within half a step of each start (F, T), where cuts (F, K) lie no farther from beats from there."""
        before, after = (each[..., 0] for each in self._pulses.around(starts_s[..., None]))
        beats_s = np.where(np.abs(before - starts_s) <= np.abs(after - starts_s), before, after)
        near = (np.abs(beats_s - starts_s) <= STEP_S / 2) & (beats_s >= 0) & (beats_s <= self.latest_s)
        tried_s = np.where(near, beats_s, starts_s)
        there, here = self._pulses.nearness(_moments(cuts_s, np.stack([tried_s, starts_s])))
        placed: Times = np.where(near & (there >= here - 1e-9), beats_s, starts_s)
        return np.minimum(placed, self.latest_s)

    def shares(self, cuts_s: Times, starts_s: Times) -> Times:
        """Share of cuts (F, K) near beats from each start (F, T), where there are few from where the part begins; NaN:
        none.
        """
        from_s = np.where(self.few, self.first_s, starts_s)
        moments, lengths_s = _moments(cuts_s, from_s), self._lengths_s
        half_s = np.minimum(np.minimum(CROSSFADE_S, (lengths_s - from_s) / 2), lengths_s / 2) / 2
        over = from_s + self._clip_s > lengths_s + faint_end_s(self._clip_s)
        run_s = np.where(over, lengths_s - half_s, np.inf)
        return self._pulses.shares(moments, moments <= run_s[..., None])


def _moments(cuts_s: Times, starts_s: Times) -> Times:
    """Cuts (F, K) under music from starts (..., F, T), in its time: (..., F, T, K)."""
    return cuts_s[:, None] + starts_s[..., None]


def _places(total: FloatArray, counts: npt.NDArray[np.int64], latest_s: Times) -> list[tuple[float, ...]]:
    """Up to three best starts of every track, 2 s apart, none after its latest one, best first."""
    columns, rows = np.arange(total.shape[1]), np.arange(len(total))
    left, found, near = np.where(columns < counts[:, None], total, 0), [], round(2 / STEP_S) - 1
    for _ in range(_PLACES):
        best = left.argmax(axis=1)
        found.append(np.where(left[rows, best] > 0, np.minimum(best * STEP_S, latest_s), np.nan))
        around = best[:, None] + np.arange(-near, near + 1)
        left[rows[:, None], np.clip(around, 0, len(columns) - 1)] = 0
    return [tuple(row[~np.isnan(row)].tolist()) for row in np.stack(found, axis=1)]

"""Where a track should start under a clip, in words and numbers; what slides is in `mvr.timing.sliding`.

Timing places music and does not choose it: a start is moved only where one stands out, and only within the
part of the track that its content chose. How many cuts lie near beats is always said beside what the same
search finds for random cuts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, JsonDict
from mvr.signal.beats import Times
from mvr.timing.film import FilmTiming
from mvr.timing.music import MusicTiming, nearest, strongest_apart
from mvr.timing.sliding import FEWEST_CUTS, NEAR_BEAT_S, STEP_S, Slide, Starts, beat_distances

_BLOCK = 32  # tracks that are slid at once: more of them leave the cache
_FEWEST_STARTS = 8  # fewer leave no choice
_WORTH = 1.0  # standard deviations above the mean that a start must have to move the music
_MEETS = 4.0  # evidence from which the exact moment is taken instead of a beat near it
_FLAT = 0.02  # spread of log change under which a picture stands still


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
            finds for as many cuts at random times; None without cuts or beats.
    """

    start_s: float
    peak: float | None
    words: str
    places_s: tuple[float, ...] = ()
    near_beats: float | None = None
    near_beats_random: float | None = None

    def to_json(self) -> JsonDict:
        """JSON-able form."""
        return {
            "peak": None if self.peak is None else round(self.peak, 3),
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


def near_beats(cuts_s: Times, beats_s: Times, start_s: float) -> float | None:
    """Share of cuts within 80 ms of a beat when the music starts at `start_s`."""
    if len(cuts_s) == 0 or len(beats_s) < 2:
        return None
    return float(np.mean(beat_distances(cuts_s + start_s, beats_s) <= NEAR_BEAT_S))


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
    blocks = [slice(first, first + _BLOCK) for first in range(0, len(tracks), _BLOCK)]
    return [placing for block in blocks for placing in _place_block(film, tracks[block], parts[block], draws)]


def _place_block(
    film: FilmTiming, tracks: Sequence[MusicTiming], parts: Sequence[tuple[float, float]], draws: int
) -> list[Placing]:
    slide = Slide(tracks, len(film.energy))
    starts = slide.starts(film)
    random = _random_share(film, slide, starts, parts, draws)
    still, total = is_still(film), starts.total
    exact_s = np.where(starts.meeting.evidence > _MEETS, starts.meeting.later_s, np.nan)
    return [
        _placed(film, track, part, _Row(total[row, :count], exact_s[row, :count], still), random[row])
        for row, (track, part, count) in enumerate(zip(tracks, parts, starts.counts.tolist(), strict=True))
    ]


@dataclass(frozen=True)
class _Row:
    """Scores of a track's starts, how much later each meets the picture exactly (NaN: not told), and whether the
    clip stands still.
    """

    total: FloatArray
    later_s: FloatArray
    still: bool


def _placed(
    film: FilmTiming, track: MusicTiming, part: tuple[float, float], row: _Row, random: float | None
) -> Placing:
    first, total = max(0.0, part[0]), row.total
    if row.still:
        return _unplaced(
            film,
            track,
            first,
            "music cannot be placed on this clip: it has no cuts, and its motion never changes",
            random,
        )
    if len(total) < _FEWEST_STARTS:
        return _unplaced(film, track, first, "the track is hardly longer than the clip", random)
    inside = _inside(part, len(total))
    best = inside[int(total[inside].argmax())]
    places = tuple(place * STEP_S for place in strongest_apart(total, round(2 / STEP_S), 3, 0.0))
    last_s = (len(total) - 1) * STEP_S
    if total[best] <= _WORTH:
        start_s = min(first, last_s)
    elif np.isfinite(row.later_s[best]):
        start_s = float(np.clip(best * STEP_S + row.later_s[best], 0, last_s))
    else:
        start_s = _on_beat(film, track, float(best) * STEP_S)
    peak = float(total[min(round(start_s / STEP_S), len(total) - 1)])
    return Placing(
        start_s=start_s, peak=peak, words=words_of(peak), places_s=places,
        near_beats=near_beats(film.cuts_s, track.beats_s, start_s), near_beats_random=random,
    )  # fmt: skip


def _unplaced(
    film: FilmTiming, track: MusicTiming, start_s: float, words: str, random: float | None
) -> Placing:
    share = near_beats(film.cuts_s, track.beats_s, start_s)
    return Placing(start_s=start_s, peak=None, words=words, near_beats=share, near_beats_random=random)


def words_of(peak: float) -> str:
    """How sure a place is, in words.

    >>> words_of(3.2), words_of(0.4)
    ('stands out', 'no better than elsewhere')
    """
    if peak >= 2.5:
        return "stands out"
    return "better than most" if peak >= _WORTH else "no better than elsewhere"


def _inside(part: tuple[float, float], count: int) -> npt.NDArray[np.int64]:
    """Starts that lie in the part; the last possible one where it begins too late for the clip."""
    first = min(int(np.ceil(part[0] / STEP_S - 1e-6)), count - 1)
    last = max(first, min(int(part[1] / STEP_S - 1e-6), count - 1))
    return np.arange(first, last + 1)


def _on_beat(film: FilmTiming, track: MusicTiming, start_s: float) -> float:
    """The beat within half a step, where cuts lie no farther from beats from there."""
    beat = nearest(track.beats_s, start_s)
    if beat is None or abs(beat - start_s) > STEP_S / 2 or beat < 0:
        return start_s
    return beat if _nearness(film, track, beat) >= _nearness(film, track, start_s) - 1e-9 else start_s


def _nearness(film: FilmTiming, track: MusicTiming, start_s: float) -> float:
    if len(film.cuts_s) == 0:
        return 0.0
    distances = beat_distances(film.cuts_s + start_s, track.beats_s)
    return float(np.exp(-0.5 * (distances / NEAR_BEAT_S) ** 2).mean())


def _random_share(
    film: FilmTiming, slide: Slide, known: Starts, parts: Sequence[tuple[float, float]], draws: int
) -> list[float | None]:
    """Share of random cuts near beats after the same search, mean of the draws: (T)."""
    if len(film.cuts_s) == 0 or draws == 0:
        return [None] * len(slide.tracks)
    rng = np.random.default_rng(len(film.cuts_s))
    found: list[list[float | None]] = []
    for _ in range(draws):
        other = replace(film, cuts_s=np.sort(rng.uniform(0, film.duration_s, len(film.cuts_s))))
        total = slide.starts(other, known).total
        found.append(
            [
                _share_at_best(other, track, part, total[row, : slide.counts[row]])
                for row, (track, part) in enumerate(zip(slide.tracks, parts, strict=True))
            ]
        )
    shares = [[each for each in column if each is not None] for column in zip(*found, strict=True)]
    return [float(np.mean(column)) if column else None for column in shares]


def _share_at_best(
    film: FilmTiming, track: MusicTiming, part: tuple[float, float], total: FloatArray
) -> float | None:
    start_s = max(0.0, part[0])
    if len(total) >= _FEWEST_STARTS:
        inside = _inside(part, len(total))
        start_s = _on_beat(film, track, float(inside[int(total[inside].argmax())]) * STEP_S)
    return near_beats(film.cuts_s, track.beats_s, start_s)

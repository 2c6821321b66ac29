"""Cuts on beats: the start close to another from which most cuts lie near beats.

A service, not evidence of a match: the same search brings as much for cuts at random times, so that figure stands
beside it always.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mvr.datatypes import JsonDict, Times
from mvr.timing.film import FilmTiming
from mvr.timing.music import MusicTiming
from mvr.timing.placing.pulses import NEAR_BEAT_S, Pulses
from mvr.timing.placing.sliding import FEWEST_CUTS

REACH_S = 10.0  # how far the music may move to either side: a segment that content compares
_ROUNDED_S = 0.0005  # starts are told in whole milliseconds
_LEAST_ROOM_S = 0.02  # to begin elsewhere
_DRAWS = 8  # of random cuts


@dataclass(frozen=True, kw_only=True)
class CutsOnBeats:
    """A start and what it brings.

    Attributes:
        start_s: where in the track the music begins.
        share, random: share of cuts within 80 ms of a beat from there, and of as many cuts at random times from the
            start that the same search finds for them.
    """

    start_s: float
    share: float
    random: float

    def to_json(self) -> JsonDict:
        """JSON-able form."""
        return {
            "start_s": round(self.start_s, 3),
            "share": round(self.share, 3),
            "random": round(self.random, 3),
        }


def cuts_on_beats(
    film: FilmTiming, music: MusicTiming, near_s: float, reach_s: float = REACH_S
) -> CutsOnBeats | None:
    """The start at most `reach_s` from `near_s` from which most cuts lie near beats, the closest of equal ones.

    Returns None for a clip with fewer than two cuts, for music with fewer than two beats there, and where music is too
    short to begin elsewhere.
    """
    latest_s = min(near_s + reach_s, music.duration_s - film.duration_s)
    earliest_s = max(near_s - reach_s, 0.0)
    after, before = (
        music.beats_s > earliest_s - NEAR_BEAT_S,
        music.beats_s < latest_s + film.duration_s + NEAR_BEAT_S,
    )
    beats_s = music.beats_s[after & before]
    if len(film.cuts_s) < FEWEST_CUTS or len(beats_s) < 2 or latest_s - earliest_s < _LEAST_ROOM_S:
        return None
    search = _Search(beats_s, earliest_s, latest_s, near_s)
    rng = np.random.default_rng(len(film.cuts_s))
    drawn = [np.sort(rng.uniform(0, film.duration_s, len(film.cuts_s))) for _ in range(_DRAWS)]
    start_s, share = search.best(film.cuts_s)
    others = [search.best(cuts_s)[1] for cuts_s in drawn]
    return CutsOnBeats(start_s=start_s, share=share, random=float(np.mean(others)))


class _Search:
    """Exact: as the start moves, the share changes only where a cut comes near a beat or leaves it."""

    def __init__(self, beats_s: Times, earliest_s: float, latest_s: float, near_s: float) -> None:
        near = NEAR_BEAT_S - _ROUNDED_S
        apart = np.diff(beats_s) > 2 * near  # stretches of beats that lie closer are one
        self._from_s = beats_s[np.append(True, apart)] - near
        self._to_s = beats_s[np.append(apart, True)] + near
        self._earliest_s, self._latest_s = earliest_s, latest_s
        self._near_s = min(max(near_s, earliest_s), latest_s)
        self._pulses = Pulses([beats_s], latest_s)

    def best(self, cuts_s: Times) -> tuple[float, float]:
        """The closest start from which the largest share of cuts lies near beats, and that share."""
        comes_s, leaves_s = (np.sort((each - cuts_s[:, None]).ravel()) for each in (self._from_s, self._to_s))
        starts_s = np.concatenate([[self._near_s, self._earliest_s, self._latest_s], comes_s, leaves_s])
        starts_s = starts_s[(starts_s >= self._earliest_s) & (starts_s <= self._latest_s)]
        counts = np.searchsorted(comes_s, starts_s, "right") - np.searchsorted(leaves_s, starts_s, "left")
        most = starts_s[counts == counts.max()]
        start_s = float(most[np.abs(most - self._near_s).argmin()])
        told_s = min(round(start_s, 3), math.floor(1000 * self._latest_s) / 1000)
        tried_s = np.array([self._near_s, told_s])
        here, there = self._pulses.near(cuts_s + tried_s[:, None, None])[:, 0].mean(axis=1).tolist()
        return (told_s, there) if there > here else (self._near_s, here)

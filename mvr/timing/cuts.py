"""Cuts on beats: the start close to another from which most cuts lie near beats.

A service, not evidence of a match: the same search brings as much for cuts at random times, so that figure stands
beside it always.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datatypes import JsonDict
from mvr.signal.beats import Times
from mvr.timing.film import FilmTiming
from mvr.timing.music import MusicTiming
from mvr.timing.pulses import Pulses
from mvr.timing.sliding import FEWEST_CUTS

REACH_S = 5.0  # how far the music may move to either side
STEP_S = 0.02
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


def cuts_on_beats(film: FilmTiming, music: MusicTiming, near_s: float) -> CutsOnBeats | None:
    """The start at most 5 s from `near_s` from which most cuts lie near beats, the closest of equal ones.

    Returns None for a clip with fewer than two cuts, for music with fewer than two beats, and where the music is too
    short to begin elsewhere.
    """
    latest_s = min(near_s + REACH_S, music.duration_s - film.duration_s)
    earliest_s = max(near_s - REACH_S, 0.0)
    if len(film.cuts_s) < FEWEST_CUTS or len(music.beats_s) < 2 or latest_s - earliest_s < STEP_S:
        return None
    starts_s = np.arange(earliest_s, latest_s, STEP_S)
    starts_s = starts_s[np.argsort(np.abs(starts_s - near_s), kind="stable")]
    pulses = Pulses([music.beats_s], latest_s + film.duration_s)
    rng = np.random.default_rng(len(film.cuts_s))
    drawn = [np.sort(rng.uniform(0, film.duration_s, len(film.cuts_s))) for _ in range(_DRAWS)]
    start_s, share = _best(film.cuts_s, pulses, starts_s)
    others = [_best(cuts_s, pulses, starts_s)[1] for cuts_s in drawn]
    return CutsOnBeats(start_s=start_s, share=share, random=float(np.mean(others)))


def _best(cuts_s: Times, pulses: Pulses, starts_s: Times) -> tuple[float, float]:
    shares = pulses.near(cuts_s + starts_s[:, None, None])[:, 0].mean(axis=1)
    best = int(shares.argmax())
    return float(starts_s[best]), float(shares[best])

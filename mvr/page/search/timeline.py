"""What the strip under the picture draws of a pair: the clip's cuts and change, the music's beats, parts and
loudness.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from mvr.signal.curves import CURVE_RATE_HZ
from mvr.timing.placing.places import percent

if TYPE_CHECKING:
    from mvr.datatypes import FloatArray
    from mvr.retrieval import Result

MOST_POINTS = 360  # of a curve: about two pixels each


def timeline_of(result: Result) -> str:
    """JSON for `assets/js/player/strip.js`; empty where the pair was not placed."""
    placing, film, music = result.placing, result.film, result.music
    if placing is None or film is None or music is None:
        return ""
    change, loudness = _points(film.energy), _points(music.loudness_db)
    near, random, on_beats = placing.near_beats, placing.near_beats_random, result.cuts_on_beats()
    document = {
        "clip": {
            "duration_s": round(film.duration_s, 3),
            "cuts_s": _times(film.cuts_s),
            "curve": change[0],
            "rate_hz": change[1],
        },
        "music": {
            "duration_s": round(music.duration_s, 3),
            "beats_s": _times(music.beats_s),
            "downbeats_s": _times(music.downbeats_s),
            "sections_s": _times(music.sections_s),
            "curve": loudness[0],
            "rate_hz": loudness[1],
        },
        "placed": {
            "start_s": round(placing.start_s, 3),
            "words": placing.words,
            "told": placing.told,
            "places_s": _times(np.array(placing.places_s)),
            "near": None if near is None else percent(near),
            "random": None if random is None else percent(random),
            "on_beats": None if on_beats is None else on_beats.to_json(),
        },
    }
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def _times(times_s: np.ndarray) -> list[float]:
    return [round(float(time), 3) for time in times_s]


def _points(curve: FloatArray) -> tuple[list[int], float]:
    """A curve as at most `MOST_POINTS` whole numbers from 0 to 100, and how many there are a second."""
    size = max(1, -(-len(curve) // MOST_POINTS))
    padded = np.pad(curve, (0, -len(curve) % size), mode="edge").reshape(-1, size).max(axis=1)
    low, high = np.percentile(padded, [2, 100])
    share = np.clip((padded - low) / max(float(high - low), 1e-6), 0, 1)
    return np.rint(100 * share).astype(int).tolist(), CURVE_RATE_HZ / size

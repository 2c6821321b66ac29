"""Swing: which of two strokes a third of a beat apart is the beat.

Swung music strikes long and short, on the beat and about two thirds after it. A chain of beats on the short strokes
looks as steady, and chords are often played there; but what follows it comes after a third, not after two thirds.
In the mean over all beats of a piece, on a fine clock, both strokes stand out sharply and nothing between them does.
"""

from __future__ import annotations

import numpy as np

from mvr.datatypes import FloatArray, Times
from mvr.signal.rhythm.strokes import STRIKES_S, struck_at

FEWEST = 32  # beats whose mean tells it
_PLACES = 48  # in a beat
_BESIDE = 5  # places by which beats may lie off their strokes
_SHORT = (0.27, 0.41)  # of a beat from a short stroke to the beat after it
_BOTH = 0.35  # of the stronger one that the weaker stroke has at least
_ELSE = 0.45  # of the weaker one that everything between them has at most


def swung_beats(strokes: FloatArray, times_s: Times) -> Times | None:
    """The beats of a chain that lies on the short strokes of swung music; None where it does not, or nothing swings.

    Args:
        strokes: of `mvr.signal.rhythm.strokes.sharp_strokes`.
        times_s: (beats,) of the chain, when they are played.
    """
    if len(times_s) < FEWEST:
        return None
    profile = stroke_profile(strokes, times_s)
    own = int(np.roll(profile, _BESIDE)[: 2 * _BESIDE + 1].argmax()) - _BESIDE
    turned = np.roll(profile, -own)  # the chain's own strokes come first
    first, last = (round(part * _PLACES) for part in _SHORT)
    beat = first + int(turned[first : last + 1].argmax())
    weaker, stronger = sorted((float(turned[0]), float(turned[beat])))
    places = np.arange(_PLACES)
    apart = np.minimum(np.minimum(places, _PLACES - places), np.abs(places - beat))
    if weaker < _BOTH * stronger or float(turned[apart > _BESIDE].max()) > _ELSE * weaker:
        return None
    period_s = float(np.median(np.diff(times_s)))
    moved: Times = times_s + (own + beat) / _PLACES * period_s - STRIKES_S
    return moved


def stroke_profile(strokes: FloatArray, times_s: Times) -> FloatArray:
    """How sharply a piece is struck at each of `_PLACES` places of its beats, in the mean of them.

    Args:
        strokes: of `mvr.signal.rhythm.strokes.sharp_strokes`.
        times_s: (beats,), at least two.
    """
    parts = np.arange(_PLACES) / _PLACES
    moments = times_s[:-1, None] + np.diff(times_s)[:, None] * parts
    profile: FloatArray = struck_at(strokes, moments).mean(axis=0)
    return profile

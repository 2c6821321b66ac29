"""How late the beats of a piece are heard: slow strings and strummed chords peak after the moment they are played.

The mean rise around all beats tells it: its shape over 19 frames in four bands, and how the level climbs. One
linear formula for a whole piece; its weights were fitted on rendered pieces and patterns whose beats are known
(`python -m eval.timing.models.lag_model` writes `lag_model.json`); nothing recorded was used. Where something
strikes clearly beside the beats (`strokes`), that tells it better: it is trusted as far as it is clear.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from mvr.datatypes import FloatArray, Times
from mvr.signal.onsets import FRAME_RATE_HZ
from mvr.signal.rhythm.strokes import STRIKES_S, struck_beside

MODEL = Path(__file__).with_name("lag_model.json")
_REACH = 9  # frames on each side of a beat, 0.2 s
_MOST_S = 0.1
_UNCLEAR = 1.0  # strokes are no clearer than what else rises
_SURE = 150.0  # beats over which strokes twice as clear as all else are trusted wholly
_BROAD_SHARP, _BROADS = (
    (1.2, 1.5),
    0.5,
)  # strums and loose playing strike early and late: they are half trusted
_SOFTEST = 0.05, 0.3  # dB of an envelope's peak and of the level's spread: less is nothing


def rise_around(decibels: FloatArray, envelopes: FloatArray, times_s: Times) -> FloatArray:
    """The mean rise around beats: (95,), four envelopes as a share of their peak, then the level, standardised.

    Args:
        decibels: (frames, 40) mel bands.
        envelopes: (4, frames) of `mvr.signal.onsets`.
        times_s: (beats,), at least one.
    """
    frames = np.arange(len(decibels))
    moments = (times_s * FRAME_RATE_HZ)[:, None] + np.arange(-_REACH, _REACH + 1)
    *rises, level = (
        np.interp(moments, frames, row).mean(axis=0) for row in (*envelopes, decibels.mean(axis=1))
    )
    shares = [rise / max(float(rise.max()), _SOFTEST[0]) for rise in rises]
    climb = (level - level.mean()) / max(float(level.std()), _SOFTEST[1])
    return np.concatenate([*shares, climb]).astype(np.float32)


def lag_s(decibels: FloatArray, envelopes: FloatArray, times_s: Times) -> float:
    """By how much beats heard at `times_s` come after they are played, told by their rise: -0.1 to 0.1 s."""
    weights, offset_s = _model()
    found_s = float(rise_around(decibels, envelopes, times_s) @ weights) + offset_s
    return float(np.clip(found_s, -_MOST_S, _MOST_S))


def by_strokes_s(told_s: float, rises: FloatArray, times_s: Times) -> float:
    """The lag in s that strokes beside the beats tell, as far as they are clear; else what the beats' rise told.

    Args:
        told_s: of `lag_s`.
        rises: of `mvr.signal.rhythm.strokes.stroke_rises`.
        times_s: (beats,) on their click where they keep one, at least one.
    """
    beside = struck_beside(rises, times_s)
    trust = float(np.clip((beside.clear - _UNCLEAR) * len(times_s) / _SURE, 0, 1))
    trust *= float(np.interp(beside.sharp, _BROAD_SHARP, (_BROADS, 1)))
    return told_s + trust * (-beside.after_s - STRIKES_S - told_s)


@lru_cache(maxsize=1)
def _model() -> tuple[FloatArray, float]:
    stored = json.loads(MODEL.read_text(encoding="utf-8"))
    return np.array(stored["weights"], np.float32), float(stored["offset_s"])

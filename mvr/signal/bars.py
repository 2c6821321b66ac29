"""Bars: how many beats they have and where they begin.

Bars of 2, 3 and 4 beats from each beat are hypotheses. What speaks for one is how much louder, lower and
newer in harmony its first beats are than the others, its middle beats likewise, and how well the beats
repeat after a bar. The phase may then move: a Viterbi path over positions in the bar pays for every beat
that is not the next.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.signal.beats import Times, span_change
from mvr.signal.onsets import BANDS, FRAME_RATE_HZ

BAR_BEATS = (2, 3, 4)
BEAT_FEATURES = ("level", "bass", "onset", "bass onset", "middle onset", "treble onset", "harmony", "timbre")
MODEL = Path(__file__).with_name("bar_model.json")
_USUAL_BEATS = 50  # in the excerpts that the weights were fitted on
_JUMP = 6.0  # log odds that a beat out of turn costs


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Attributes:
    bar_beats: beats in a bar.   downbeats: (D,) indices of beats that begin one.
    """

    bar_beats: int
    downbeats: npt.NDArray[np.int64]


def beat_features(
    decibels: FloatArray, classes: FloatArray, envelopes: FloatArray, times_s: Times
) -> FloatArray:
    """What happens on each beat, standardised over the beats: (beats, 8), columns `BEAT_FEATURES`.

    Args:
        decibels, classes: (frames, 40) mel bands and (frames, 12) pitch classes.
        envelopes: (4, frames) of `mvr.signal.onsets`.
        times_s: (beats,) their times.
    """
    frames = np.clip(np.rint(times_s * FRAME_RATE_HZ).astype(np.int64), 0, len(decibels) - 1)
    level, bass = (_level(decibels, band) for band in BANDS[:2])
    columns = [_peak(level, frames, (0, 4)), _peak(bass, frames, (0, 4))]
    columns += [_peak(envelope, frames, (-2, 3)) for envelope in envelopes]
    columns.append(span_change(classes, frames))
    columns.append(span_change(decibels - decibels.mean(axis=0), frames))
    features = np.stack(columns, axis=1)
    scale = np.maximum(features.std(axis=0), (0.3, 0.3, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01))
    standard: FloatArray = ((features - features.mean(axis=0)) / scale).astype(np.float32)
    return standard


def bar_hypotheses(features: FloatArray) -> tuple[list[tuple[int, int]], FloatArray]:
    """(beats in a bar, first downbeat) of each hypothesis, and what speaks for it: (hypotheses, 3 x 8 + 3)."""
    count = len(features)
    names, rows = [], []
    for bar in BAR_BEATS:
        repeat = (
            (features[bar:] * features[:-bar]).mean(axis=0) if count > bar else np.zeros(features.shape[1])
        )
        for phase in range(bar):
            first = features[phase::bar].mean(axis=0) if phase < count else np.zeros(features.shape[1])
            middle = features[(phase + bar // 2) % bar :: bar] if bar % 2 == 0 else features[:0]
            half = middle.mean(axis=0) if len(middle) else np.zeros(features.shape[1])
            names.append((bar, phase))
            rows.append(np.concatenate([first, half, repeat, np.array([bar == each for each in BAR_BEATS])]))
    return names, np.stack(rows).astype(np.float32)


def find_bars(features: FloatArray) -> Bars:
    """Bars of beats with `beat_features`; with fewer than eight beats all of them are one bar of four's."""
    weights = _model()
    if len(features) < 8:
        return Bars(bar_beats=4, downbeats=np.arange(0, len(features), 4))
    names, rows = bar_hypotheses(features)
    scores = rows @ weights
    bar = names[int(scores.argmax())][0]
    return Bars(bar_beats=bar, downbeats=np.flatnonzero(_positions(features, bar, weights) == 0))


def _positions(features: FloatArray, bar: int, weights: FloatArray) -> npt.NDArray[np.int64]:
    """Position in the bar of every beat: (beats,)."""
    width = features.shape[1]
    gain = np.zeros((len(features), bar))
    gain[:, 0] = features @ weights[:width] * bar / _USUAL_BEATS
    if bar % 2 == 0:
        gain[:, bar // 2] += features @ weights[width : 2 * width] * bar / _USUAL_BEATS
    score = np.zeros(bar)
    came = np.zeros((len(features), bar), np.int64)
    for beat, row in enumerate(gain):
        if beat:
            stay = np.roll(score, 1)
            jump = score.max() - _JUMP
            came[beat] = np.where(stay >= jump, (np.arange(bar) - 1) % bar, int(score.argmax()))
            score = np.maximum(stay, jump)
        score = score + row
    at = int(score.argmax())
    path = np.zeros(len(features), np.int64)
    for beat in range(len(features) - 1, -1, -1):
        path[beat] = at
        at = int(came[beat, at])
    return path


def _level(decibels: FloatArray, band: slice) -> FloatArray:
    power: FloatArray = (10.0 ** (decibels[:, band] / 10)).sum(axis=1)
    level: FloatArray = (10 * np.log10(power + 1e-8)).astype(np.float32)
    return level


def _peak(curve: FloatArray, frames: npt.NDArray[np.int64], around: tuple[int, int]) -> FloatArray:
    places = np.clip(frames[:, None] + np.arange(*around), 0, len(curve) - 1)
    highest: FloatArray = curve[places].max(axis=1)
    return highest


@lru_cache(maxsize=1)
def _model() -> FloatArray:
    return np.array(json.loads(MODEL.read_text(encoding="utf-8"))["weights"], np.float32)

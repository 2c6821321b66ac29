"""Bars: which of several chains are the beats, how many of them a bar has and where it begins.

Bars of 2, 3 and 4 beats from each beat of each chain are hypotheses. What speaks for one is what happens on its beats
and between them (`moments`), how well that repeats after a bar, and the traits of its chain. Beats are told
from what lies between them in the same way: bars begin on neither, and so are tempi an octave apart. The phase may then
move: a Viterbi path over positions in the bar pays for every beat that is not the next. The weights were fitted on
rendered pieces and patterns (`python -m eval.timing.models.bar_model`). Where chords swell, they change half a
beat off as clearly as on the beats; how sharply a chain is struck on a fine clock speaks for it beside the weights,
and for its bars that parts of the piece begin on them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, Times
from mvr.signal.rhythm.parts import Parts

BAR_BEATS = (2, 3, 4)
MODEL = Path(__file__).with_name("bar_model.json")
_USUAL_BEATS = 50  # in the excerpts that the weights were fitted on
FEWEST_BEATS = 8  # fewer tell nothing
_JUMP = 6.0  # log odds that a beat out of turn costs
_STRUCK = 4.0  # log odds for e times as sharp strokes
_FASTER = np.log(1.25)  # beats an octave faster are struck so much less sharply where they are the beats, too
_PARTS = 0.25  # of their log odds: what begins a part also speaks in the rows
_SOFTEST = 0.05  # deviations of the strokes


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Attributes:
    chain: which of the chains are the beats.   bar_beats: beats in a bar.
    downbeats: (D,) indices of beats that begin one.
    """

    chain: int
    bar_beats: int
    downbeats: npt.NDArray[np.int64]


class _Hypothesis(NamedTuple):
    """A chain in bars of so many beats, at octaves from 120 bpm: log odds of what is heard on its beats, and of where
    parts begin.
    """

    chain: int
    bar_beats: int
    octaves: float
    score: float
    begun: float


def bar_hypotheses(chain: FloatArray, traits: FloatArray) -> tuple[list[tuple[int, int]], FloatArray]:
    """(beats in a bar, first downbeat) of each hypothesis, and what speaks for it: (hypotheses, columns).

    Columns: mean rows of each beat of a bar of 2, of 3 and of 4 (0 for the other lengths), of the first and of the
    middle beat of a bar of any length, how much each repeats after a bar, which length it is, traits of the chain.

    Args:
        chain: (beats, columns) of `mvr.signal.rhythm.moments`.
        traits: of the chain, the same for all its hypotheses.
    """
    width = chain.shape[1]
    names, rows = [], []
    for place, bar in enumerate(BAR_BEATS):
        later, earlier = chain[bar:], chain[:-bar]
        repeat = (later * earlier).mean(axis=0) if len(later) else np.zeros(width)
        means = np.stack([_mean(chain[beat::bar]) for beat in range(bar)])
        for phase in range(bar):
            parts = [np.zeros(each * width) for each in BAR_BEATS]
            parts[place] = np.roll(means, -phase, axis=0).ravel()
            names.append((bar, phase))
            middle = means[(phase + bar // 2) % bar] if bar % 2 == 0 else np.zeros(width)
            length = np.array([bar == each for each in BAR_BEATS])
            rows.append(np.concatenate([*parts, means[phase], middle, repeat, length, traits]))
    return names, np.stack(rows).astype(np.float32)


def find_bars(
    chains: Sequence[FloatArray],
    traits: Sequence[FloatArray],
    sharp: Sequence[float],
    times_s: Sequence[Times],
    parts: Parts,
) -> Bars:
    """Beats and bars among chains; with fewer than eight beats the first chain, in bars of four.

    Args:
        chains: (beats, columns) of `mvr.signal.rhythm.moments` of each.
        traits: of each, the second of them its octaves from 120 bpm.
        sharp: how sharply the beats of each are struck in the mean (`mvr.signal.rhythm.strokes.struck_near`).
        times_s: beats of each.
        parts: of the piece.
    """
    weights = _model()
    heard: list[_Hypothesis] = []
    for number, (chain, its_traits, struck, beats_s) in enumerate(
        zip(chains, traits, sharp, times_s, strict=True)
    ):
        if len(chain) < FEWEST_BEATS:
            continue
        names, rows = bar_hypotheses(chain, its_traits)
        scores = rows @ weights + _STRUCK * (np.log(max(struck, _SOFTEST)) + _FASTER * its_traits[1])
        begun = {bar: _PARTS * parts.speak_for(beats_s, bar) for bar in BAR_BEATS}
        heard += [
            _Hypothesis(number, bar, float(its_traits[1]), score, float(begun[bar][phase::bar].sum()))
            for (bar, phase), score in zip(names, scores.tolist(), strict=True)
        ]
    if not heard:
        return Bars(chain=0, bar_beats=4, downbeats=np.arange(0, len(chains[0]), 4))
    most: dict[tuple[float, int], float] = defaultdict(float)
    # parts tell where bars begin, not how long they are: those of another length are compared over other seconds
    for each in heard:
        most[each.octaves, each.bar_beats] = max(most[each.octaves, each.bar_beats], each.begun)
    best = max(heard, key=lambda each: each.score + each.begun - most[each.octaves, each.bar_beats])
    begun_there = _PARTS * parts.speak_for(times_s[best.chain], best.bar_beats)
    positions = _positions(chains[best.chain], best.bar_beats, weights, begun_there)
    return Bars(chain=best.chain, bar_beats=best.bar_beats, downbeats=np.flatnonzero(positions == 0))


def _positions(rows: FloatArray, bar: int, weights: FloatArray, begun: Times) -> npt.NDArray[np.int64]:
    """Position in the bar of every beat: (beats,); `begun`: what speaks for each as a first one."""
    width = rows.shape[1]
    first = width * sum(each for each in BAR_BEATS if each < bar)
    template = weights[first : first + width * bar].reshape(bar, width).copy()
    shared = width * sum(BAR_BEATS)  # weights of the first and the middle beat of any bar
    template[0] += weights[shared : shared + width]
    if bar % 2 == 0:
        template[bar // 2] += weights[shared + width : shared + 2 * width]
    gain = rows @ template.T * (bar / _USUAL_BEATS)
    gain[:, 0] += begun
    score = np.zeros(bar)
    came = np.zeros((len(gain), bar), np.int64)
    for beat, row in enumerate(gain):
        if beat:
            stay = np.roll(score, 1)
            jump = score.max() - _JUMP
            came[beat] = np.where(stay >= jump, (np.arange(bar) - 1) % bar, int(score.argmax()))
            score = np.maximum(stay, jump)
        score = score + row
    at = int(score.argmax())
    path = np.zeros(len(gain), np.int64)
    for beat in range(len(gain) - 1, -1, -1):
        path[beat] = at
        at = int(came[beat, at])
    return path


def _mean(rows: FloatArray) -> FloatArray:
    mean: FloatArray = rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1], np.float32)
    return mean


@lru_cache(maxsize=1)
def _model() -> FloatArray:
    return np.array(json.loads(MODEL.read_text(encoding="utf-8"))["weights"], np.float32)

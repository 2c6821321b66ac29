"""Fit the weights of `mvr.signal.rhythm.bars` and write them: `python -m eval.timing.models.bar_model --out FILE`.

Pieces of seeds 700,000 on, patterns and chords of seed 7, none of them in the evaluation; chains of beats are our own,
at the tempi that we take for possible, so what is learned is told from beats as they are found. The loss is the
cross-entropy of the true bar among the nine hypotheses of every chain of a piece.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.optimize

from eval.timing.models.chords import play_chords
from eval.timing.models.model_file import write_model
from eval.timing.models.tempo_model import PATTERN_SEED, SONG_SEED
from eval.timing.patterns import KINDS, Pattern, Times, play_pattern
from eval.timing.songs import BAR_BEATS, Song, render_song
from mvr.datasets.synthetic.latents import GENRES
from mvr.datatypes import FloatArray, JsonDict
from mvr.signal.rhythm.bars import FEWEST_BEATS, MODEL, bar_hypotheses
from mvr.signal.rhythm.chains import find_chains
from mvr.signal.rhythm.hearing import Heard, hear
from mvr.signal.rhythm.moments import Moments

DECAY = 0.001
ROUNDS = 24
CHORDS = 6  # pieces of chords in each round
PATTERN_WEIGHT = 2.0  # of a pattern or chords beside a rendered piece, of which there are more
_NEAR = 0.2  # of a beat


@dataclass(frozen=True, kw_only=True)
class Played:
    """Attributes: what is heard of a piece, and the truth; `bar_beats` 1: any bar is right.   weight: in the loss."""

    heard: Heard
    bpm: float
    beats_s: Times
    downbeats_s: Times
    bar_beats: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class Example:
    """Attributes: (hypotheses, columns) what speaks for each, which of them are true, weight in the loss."""

    rows: FloatArray
    true: npt.NDArray[np.bool_]
    weight: float


def pieces(rounds: int) -> Iterable[Played]:
    """All kinds, chords and genres in each round, each genre a second time, played faster or slower than usual."""
    rng = np.random.default_rng([PATTERN_SEED, 53])
    for number in range(rounds):
        for place, kind in enumerate(KINDS):
            low, high = KINDS[kind][1]
            bpm = float(low * (high / low) ** rng.random())
            yield _played(play_pattern(kind, bpm, PATTERN_SEED * 1000 + 10 * number + place))
        for place in range(CHORDS):
            yield _played(play_chords(PATTERN_SEED * 1000 + 10 * number + place))
        for any_tempo, seed in ((False, SONG_SEED), (True, SONG_SEED + 500)):
            for place, genre in enumerate(GENRES):
                yield _played(render_song(genre, seed + 1000 * place + number, any_tempo=any_tempo))


def _played(piece: Pattern | Song) -> Played:
    heard = hear(piece.samples)
    assert heard is not None, "a rendered sound is never silent"
    whole = isinstance(piece, Song)
    return Played(
        heard=heard, bpm=piece.bpm, beats_s=piece.beats_s, downbeats_s=piece.downbeats_s,
        bar_beats=BAR_BEATS if isinstance(piece, Song) else piece.bar_beats, weight=1.0 if whole else PATTERN_WEIGHT,
    )  # fmt: skip


def examples(played: Iterable[Played]) -> Iterable[Example]:
    """Hypotheses of each piece; pieces whose beats none of our chains follows are left out."""
    for piece in played:
        moments = Moments(piece.heard.decibels, piece.heard.classes, piece.heard.envelopes)
        parts, true = [], []
        for chain in find_chains(piece.heard.envelopes, FEWEST_BEATS):
            names, rows = bar_hypotheses(moments.beaten(chain.times_s), chain.traits)
            parts.append(rows)
            true.append(_true_ones(chain.times_s, chain.bpm, piece, names))
        if any(each.any() for each in true):
            yield Example(rows=np.concatenate(parts), true=np.concatenate(true), weight=piece.weight)


def _true_ones(
    times_s: Times, bpm: float, piece: Played, names: list[tuple[int, int]]
) -> npt.NDArray[np.bool_]:
    """Which bars of a chain are true: (hypotheses,)."""
    none = np.zeros(len(names), bool)
    if not follows(times_s, bpm, piece):
        return none
    if piece.bar_beats == 1:
        return ~none
    near = np.abs(times_s[:, None] - piece.downbeats_s[None]).min(axis=1) < _NEAR * 60 / bpm
    phases = np.bincount(np.flatnonzero(near) % piece.bar_beats, minlength=piece.bar_beats)
    if near.sum() >= 3 and phases.max() >= 0.9 * near.sum():
        none[names.index((piece.bar_beats, int(phases.argmax())))] = True
    return none


def follows(times_s: Times, bpm: float, piece: Played) -> bool:
    """Whether a chain at a tempo is the beats of a piece."""
    if abs(bpm / piece.bpm - 1) > 0.04:
        return False
    away_s = np.abs(times_s[:, None] - piece.beats_s[None]).min(axis=1)
    return bool((away_s < _NEAR * 60 / bpm).mean() >= 0.9)


def fit_bar_model(data: list[Example]) -> JsonDict:
    """`weights` of what speaks for a hypothesis, by L-BFGS."""
    rows = np.concatenate([each.rows for each in data]).astype(np.float64)
    true = np.concatenate([each.true for each in data])
    counts = np.array([len(each.rows) for each in data])
    first = np.cumsum(counts) - counts
    share = np.array([each.weight for each in data]) / sum(each.weight for each in data)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores = rows @ weights
        odds = np.exp(scores - np.repeat(np.maximum.reduceat(scores, first), counts))
        every, right = np.add.reduceat(odds, first), np.add.reduceat(odds * true, first) + 1e-30
        slope = np.repeat(share, counts) * (
            odds / np.repeat(every, counts) - odds * true / np.repeat(right, counts)
        )
        value = (share * (np.log(every) - np.log(right))).sum() + DECAY * (weights**2).sum()
        return float(value), rows.T @ slope + 2 * DECAY * weights

    found = scipy.optimize.minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B")
    return {"weights": [float(each) for each in np.round(found.x, 4)]}


if __name__ == "__main__":
    write_model(__doc__, MODEL, {"rounds": ROUNDS}, lambda rounds: examples(pieces(rounds)), fit_bar_model)

"""Fit the weights of `mvr.signal.bars` and write them: `python -m eval.timing.bar_model --out FILE`.

Pieces of seeds 700,000 on and patterns of seed 7, none of them in the evaluation; beats are our own,
followed at the true tempo, so what is learned is told from beats as they are found. The loss is the
cross-entropy of the true bar among nine hypotheses.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import scipy.optimize
import scipy.special

from eval.timing.patterns import ACCENTED, KINDS, Times, play_pattern
from eval.timing.songs import BAR_BEATS, draw_songs
from eval.timing.tempo_model import PATTERN_SEED, SONG_SEED
from mvr.datatypes import FloatArray
from mvr.signal.bars import MODEL, bar_hypotheses, beat_features
from mvr.signal.beats import beat_times
from mvr.signal.rhythm import hear

DECAY = 3e-3
Example = tuple[FloatArray, int]


def examples(songs_per_genre: int, patterns_per_kind: int) -> Iterable[Example]:
    """(what speaks for each hypothesis, index of the true one)."""
    for song in draw_songs(songs_per_genre, SONG_SEED):
        yield from _example(song.samples, song.bpm, song.downbeats_s, BAR_BEATS)
    rng = np.random.default_rng([PATTERN_SEED, 53])
    for number in range(patterns_per_kind):
        for place, kind in enumerate(ACCENTED):
            bar_beats, (low, high), _ = KINDS[kind]
            bpm = float(low * (high / low) ** rng.random())
            pattern = play_pattern(kind, bpm, PATTERN_SEED * 1000 + 10 * number + place)
            yield from _example(pattern.samples, bpm, pattern.downbeats_s, bar_beats)


def _example(samples: FloatArray, bpm: float, downbeats_s: Times, bar_beats: int) -> Iterable[Example]:
    heard = hear(samples)
    assert heard is not None, "a rendered sound is never silent"
    times = beat_times(heard.envelopes, bpm, heard.classes)
    near = np.abs(times[:, None] - downbeats_s[None]).min(axis=1) < 0.07
    if near.sum() < 3:
        return
    phases = np.bincount(np.flatnonzero(near) % bar_beats, minlength=bar_beats)
    if phases.max() < 0.9 * near.sum():  # the beats slipped: there is no one true answer
        return
    names, rows = bar_hypotheses(beat_features(heard.decibels, heard.classes, heard.envelopes, times))
    yield rows, names.index((bar_beats, int(phases.argmax())))


def fit_bar_model(data: list[Example]) -> list[float]:
    """Weights of what speaks for a hypothesis, by L-BFGS."""
    rows = np.stack([row for row, _ in data]).astype(np.float64)
    truth = np.array([index for _, index in data])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = scipy.special.log_softmax(rows @ weights, axis=1)
        share = np.exp(log_odds)
        share[np.arange(len(truth)), truth] -= 1
        value = -log_odds[np.arange(len(truth)), truth].mean() + DECAY * (weights**2).sum()
        return float(value), np.einsum("nh,nhf->f", share, rows) / len(truth) + 2 * DECAY * weights

    found = scipy.optimize.minimize(loss, np.zeros(rows.shape[2]), jac=True, method="L-BFGS-B")
    return [float(each) for each in np.round(found.x, 4)]


def main() -> None:
    """Render, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=MODEL)
    parser.add_argument("--songs", type=int, default=8, help="pieces per genre")
    parser.add_argument("--patterns", type=int, default=20, help="patterns per kind")
    wish = parser.parse_args()
    data = list(examples(wish.songs, wish.patterns))
    made = f"python -m eval.timing.bar_model --songs {wish.songs} --patterns {wish.patterns}"
    document = {"made_by": made, "examples": len(data), "weights": fit_bar_model(data)}
    wish.out.write_text(json.dumps(document) + "\n", encoding="utf-8")
    print(f"{wish.out}: fitted on {len(data)} excerpts")


if __name__ == "__main__":
    main()

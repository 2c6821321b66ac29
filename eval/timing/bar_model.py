"""Fit the weights of `mvr.signal.bars` and write them: `python -m eval.timing.bar_model --out FILE`.

Pieces of seeds 700,000 on and patterns of seed 7, none of them in the evaluation; chains of beats are our own,
followed at the true tempo, so what is learned is told from beats as they are found. The loss is the
cross-entropy of the true bar among nine hypotheses of each chain.
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
from eval.timing.songs import BAR_BEATS, render_song
from eval.timing.tempo_model import PATTERN_SEED, SONG_SEED
from mvr.datasets.synthetic.latents import GENRES
from mvr.datatypes import FloatArray
from mvr.signal.bars import MODEL, bar_hypotheses, beaten
from mvr.signal.beats import beat_candidates
from mvr.signal.rhythm import Heard, hear

DECAY = 0.01
Example = tuple[FloatArray, int]


def examples(rounds: int) -> Iterable[Example]:
    """(what speaks for each hypothesis of each chain, index of the true one), all kinds and genres in each round.

    Every second round has each genre a second time, played faster or slower than usual.
    """
    rng = np.random.default_rng([PATTERN_SEED, 53])
    for number in range(rounds):
        for place, kind in enumerate(ACCENTED):
            bar_beats, (low, high), _ = KINDS[kind]
            bpm = float(low * (high / low) ** rng.random())
            pattern = play_pattern(kind, bpm, PATTERN_SEED * 1000 + 10 * number + place)
            yield from _example(hear(pattern.samples), bpm, pattern.downbeats_s, bar_beats)
        for any_tempo, seed in ((False, SONG_SEED), (True, SONG_SEED + 500))[: 1 + number % 2]:
            for place, genre in enumerate(GENRES):
                song = render_song(genre, seed + 1000 * place + number, any_tempo=any_tempo)
                yield from _example(hear(song.samples), song.bpm, song.downbeats_s, BAR_BEATS)


def _example(heard: Heard | None, bpm: float, downbeats_s: Times, bar_beats: int) -> Iterable[Example]:
    assert heard is not None, "a rendered sound is never silent"
    parts: list[FloatArray] = []
    truth = None
    for times in beat_candidates(heard.envelopes, bpm):
        names, rows = bar_hypotheses(beaten(heard.decibels, heard.classes, heard.envelopes, times))
        phase = _true_phase(times, bpm, downbeats_s, bar_beats)
        if phase is not None and truth is None:
            truth = 9 * len(parts) + names.index((bar_beats, phase))
        parts.append(rows)
    if truth is not None:  # else the beats slipped: there is no one true answer
        yield np.concatenate(parts), truth


def _true_phase(times: Times, bpm: float, downbeats_s: Times, bar_beats: int) -> int | None:
    """Number of the first downbeat in a chain; None where the chain is not the beats."""
    near = np.abs(times[:, None] - downbeats_s[None]).min(axis=1) < 0.2 * 60 / bpm
    phases = np.bincount(np.flatnonzero(near) % bar_beats, minlength=bar_beats)
    return int(phases.argmax()) if near.sum() >= 3 and phases.max() >= 0.9 * near.sum() else None


def fit_bar_model(data: list[Example]) -> list[float]:
    """Weights of what speaks for a hypothesis, by L-BFGS."""
    most, truth = max(len(rows) for rows, _ in data), np.array([index for _, index in data])
    rows = np.zeros((len(data), most, data[0][0].shape[1]))
    absent = np.zeros((len(data), most))  # log odds of hypotheses that a piece with fewer chains has not
    for number, (each, _) in enumerate(data):
        rows[number, : len(each)] = each
        absent[number, len(each) :] = -1e9

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = scipy.special.log_softmax(rows @ weights + absent, axis=1)
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
    parser.add_argument("--rounds", type=int, default=12, help="times that each kind and genre is played")
    wish = parser.parse_args()
    data = list(examples(wish.rounds))
    made = f"python -m eval.timing.bar_model --rounds {wish.rounds}"
    document = {"made_by": made, "examples": len(data), "weights": fit_bar_model(data)}
    wish.out.write_text(json.dumps(document) + "\n", encoding="utf-8")
    print(f"{wish.out}: fitted on {len(data)} excerpts")


if __name__ == "__main__":
    main()

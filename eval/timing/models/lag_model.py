"""Fit the weights of `mvr.signal.rhythm.lags` and write them: `python -m eval.timing.models.lag_model --out FILE`.

On the pieces that `eval.timing.models.bar_model` fits on: every chain that follows the beats is an example, its lag the
median over its beats. Ridge regression, sharp and slow attacks together.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from eval.timing.models.bar_model import ROUNDS, Played, follows, pieces
from eval.timing.models.model_file import write_model
from mvr.datatypes import FloatArray, JsonDict
from mvr.signal.rhythm.bars import FEWEST_BEATS
from mvr.signal.rhythm.chains import find_chains
from mvr.signal.rhythm.lags import MODEL, rise_around

RIDGE = 10.0


def examples(played: Iterable[Played]) -> Iterable[tuple[FloatArray, float]]:
    """(mean rise around the beats, lag in s) of each chain that follows the beats."""
    for piece in played:
        for chain in find_chains(piece.heard.envelopes, FEWEST_BEATS):
            if follows(chain.times_s, chain.bpm, piece):
                away_s = chain.times_s[:, None] - piece.beats_s[None]
                nearest = away_s[np.arange(len(away_s)), np.abs(away_s).argmin(axis=1)]
                yield (
                    rise_around(piece.heard.decibels, piece.heard.envelopes, chain.times_s),
                    float(np.median(nearest)),
                )


def fit_lag_model(data: list[tuple[FloatArray, float]]) -> JsonDict:
    """`weights` of the rise in s, and `offset_s`."""
    rows = np.stack([rise for rise, _ in data]).astype(np.float64)
    lags = np.array([lag for _, lag in data])
    mean, deviation = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-3)
    unit = (rows - mean) / deviation
    slopes = np.linalg.solve(unit.T @ unit + RIDGE * np.eye(unit.shape[1]), unit.T @ (lags - lags.mean()))
    weights = slopes / deviation
    return {
        "weights": np.round(weights, 6).tolist(),
        "offset_s": round(float(lags.mean() - mean @ weights), 6),
    }


if __name__ == "__main__":
    write_model(__doc__, MODEL, {"rounds": ROUNDS}, lambda rounds: examples(pieces(rounds)), fit_lag_model)

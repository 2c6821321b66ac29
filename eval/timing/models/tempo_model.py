"""Fit the network of `mvr.signal.rhythm.tempo` and write it: `python -m eval.timing.models.tempo_model --out FILE`.

Pieces of seeds 700,000 on, patterns of seed 7: none of them is in the evaluation. Every piece is shown
whole (30 s) and as two excerpts of 10 s. The target is a bump of 0.02 octaves around the true tempo, the
loss its cross-entropy.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from eval.timing.models.model_file import write_model
from eval.timing.patterns import draw_patterns
from eval.timing.songs import draw_songs
from mvr.datatypes import FloatArray, JsonDict
from mvr.signal.rhythm.tempo import MODEL, TEMPI_BPM, envelopes_of, hypotheses
from mvr.signal.spectrum import SAMPLE_RATE_HZ

SONG_SEED, PATTERN_SEED = 700_000, 7
HIDDEN, DECAY, STEPS = 6, 3e-3, 400
EXCERPTS_S = ((0, 30), (2, 12), (12, 22))


def examples(songs_per_genre: int, patterns: int) -> Iterable[tuple[float, FloatArray]]:
    """(tempo, features of all tempi) of excerpts of rendered pieces and of patterns."""
    for any_tempo, seed in ((False, SONG_SEED), (True, SONG_SEED + 500)):
        for song in draw_songs(songs_per_genre, seed, any_tempo=any_tempo):
            for start_s, end_s in EXCERPTS_S:
                yield song.bpm, _features(song.samples[start_s * SAMPLE_RATE_HZ : end_s * SAMPLE_RATE_HZ])
    for duration_s in (10.0, 30.0):
        for pattern in draw_patterns(patterns // 2, PATTERN_SEED, duration_s):
            yield pattern.bpm, _features(pattern.samples)


def fit_tempo_model(data: list[tuple[float, FloatArray]]) -> JsonDict:
    """`weights` by L-BFGS, as nested lists."""
    import torch

    torch.manual_seed(0)
    features = torch.tensor(np.stack([each for _, each in data]))
    mean, deviation = features.mean((0, 1)), features.std((0, 1))
    features = (features - mean) / deviation
    octaves = np.log2(TEMPI_BPM[None] / np.array([bpm for bpm, _ in data])[:, None])
    target = torch.tensor(np.exp(-0.5 * (octaves / 0.02) ** 2).astype(np.float32))
    target = target / target.sum(1, keepdim=True)
    width = features.shape[2]
    weights = {
        "hidden": 0.3 * torch.randn(width, HIDDEN), "bias": torch.zeros(HIDDEN),
        "out": 0.3 * torch.randn(HIDDEN), "direct": torch.zeros(width),
    }  # fmt: skip
    for each in weights.values():
        each.requires_grad_()
    optimizer = torch.optim.LBFGS(weights.values(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        hidden = torch.tanh(features @ weights["hidden"] + weights["bias"])
        scores = features @ weights["direct"] + hidden @ weights["out"]
        value = -(target * torch.log_softmax(scores, 1)).sum(1).mean()
        value = value + DECAY * sum((w**2).sum() for name, w in weights.items() if name != "bias")
        value.backward()  # type: ignore[no-untyped-call]
        return float(value.detach())

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    found = {"mean": mean, "deviation": deviation} | {name: w.detach() for name, w in weights.items()}
    return {
        "weights": {name: np.round(w.numpy().astype(np.float64), 4).tolist() for name, w in found.items()}
    }


def _features(samples: FloatArray) -> FloatArray:
    envelopes = envelopes_of(samples)
    assert envelopes is not None, "a rendered sound is never silent"
    return hypotheses(envelopes)


if __name__ == "__main__":
    write_model(__doc__, MODEL, {"songs": 16, "patterns": 1350}, examples, fit_tempo_model)

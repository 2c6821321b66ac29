"""Validation scores against loops, and what is done when there is too little to score by."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mvr.errors import DataError
from mvr.heads import create_head
from mvr.training.optimizer import supervised_weights
from mvr.training.selection import Selection
from mvr.training.validation import BranchScore, check_spread, label_score, pair_score


def unit(rows: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(rows, 5)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def slow_label_precision(video, audio, labels, k=10):
    """Macro over classes of the share of the first k items, own pair left out, that share a label."""
    rows = [i for i in range(len(labels)) if labels[i].any()]
    shares = {}
    for i in rows:
        both = []
        for q, t in ((video, audio), (audio, video)):
            order = sorted((j for j in rows if j != i), key=lambda j: -float(q[i] @ t[j]))[:k]
            both.append(np.mean([bool((labels[i] & labels[j]).any()) for j in order]))
        shares[i] = np.mean(both)
    used = [c for c in range(labels.shape[1]) if labels[:, c].any()]
    return np.mean([np.mean([shares[i] for i in rows if labels[i, c]]) for c in used])


def test_label_precision_equals_the_loop():
    labels = np.random.default_rng(3).random((50, 4)) > 0.7
    labels[:, 3] = False
    score = label_score(unit(50, 1), unit(50, 2), labels)
    assert score.values["label_precision"] == pytest.approx(
        slow_label_precision(unit(50, 1), unit(50, 2), labels)
    )
    assert score.better == (-score.values["label_precision"],)


@pytest.mark.parametrize("labelled", [0, 1, 29])
def test_too_few_labelled_rows_give_no_order(labelled):
    labels = np.zeros((60, 2), np.bool_)
    labels[:labelled, 0] = True
    assert label_score(unit(60, 1), unit(60, 2), labels).better == ()


def test_pair_scores_are_the_mean_of_both_directions_and_groups_count_once():
    video, audio = unit(20, 1), unit(20, 2)
    scores = video @ audio.T
    forth = (scores >= np.diag(scores)[:, None]).sum(1)
    back = (np.diag(scores)[:, None] <= scores.T).sum(1)
    alone = pair_score(video, audio, np.arange(20), "mrr")
    assert alone.values["median_rank"] == (np.median(forth) + np.median(back)) / 2
    assert alone.better[0] == pytest.approx(-((1 / forth).mean() + (1 / back).mean()) / 2)
    grouped = pair_score(video, audio, np.arange(20) // 2, "median_rank")
    assert grouped.values["median_rank"] < alone.values["median_rank"]


def test_a_constant_head_is_refused():
    with pytest.raises(DataError, match="all alike"):
        check_spread(np.tile(unit(1, 1), (9, 1)), "music embeddings")


def test_branches_keep_their_own_best_weights_and_an_unscored_one_the_newest():
    head = create_head("control-mvr", video_dim=4, audio_dim=4, hidden=4, dim=2, taxonomies=["genre"])
    selection, states = Selection(head), []
    for epoch, (ssl, genre) in enumerate([((3.0,), ()), ((2.0,), ()), ((5.0,), ())]):
        state = {name: torch.full_like(t, float(epoch)) for name, t in head.state_dict().items()}
        states.append(state)
        scores = {"ssl": BranchScore(values={}, better=ssl), "genre": BranchScore(values={}, better=genre)}
        selection.update(epoch, scores, state)
    merged = selection.merged(states[-1])
    assert selection.newest == 1
    assert (
        float(merged["p.ssl/video.bias"].flatten()[0]) == 1
        and float(merged["p.genre/video.bias"].flatten()[0]) == 2
    )
    assert all(".genre/" in name for name in supervised_weights(head)) and len(supervised_weights(head)) == 8

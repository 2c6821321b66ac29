"""Metrics against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sklearn

from mvr.metrics.graded import tie_averaged_ndcg
from mvr.metrics.labels import LabelTask, label_positions, summarise_labels
from mvr.metrics.ranks import rank_truths


def test_recall_equals_scikit_learn_where_nothing_ties():
    scores = np.random.default_rng(3).standard_normal((200, 200)) + 2 * np.eye(200)
    ranks = rank_truths(scores)
    for k in (1, 5, 10):
        theirs = sklearn.top_k_accuracy_score(np.arange(200), scores, k=k, labels=np.arange(200))
        assert ranks.hits(k).mean() == pytest.approx(theirs, abs=1e-12)
    theirs = sklearn.label_ranking_average_precision_score(np.eye(200), scores)
    assert ranks.reciprocal().mean() == pytest.approx(theirs, abs=1e-12)


def test_map_equals_scikit_learn_where_nothing_ties():
    generator = np.random.default_rng(1)
    scores, classes = generator.standard_normal((40, 60)), generator.integers(0, 5, 60)
    own = generator.integers(0, 5, 40)
    found = label_positions(
        scores,
        LabelTask(query_labels=[[str(c)] for c in own], item_labels=[[str(c)] for c in classes]),
    )
    precisions = [
        sklearn.average_precision_score(classes == c, row) for c, row in zip(own, scores, strict=True)
    ]
    np.testing.assert_allclose(found.micro.average_precision(), precisions, atol=1e-12)
    gains = [
        sklearn.ndcg_score([(classes == c).astype(int)], [row], k=10)
        for c, row in zip(own, scores, strict=True)
    ]
    np.testing.assert_allclose(found.micro.ndcg(10), gains, atol=1e-12)
    macro = [np.mean([p for p, c in zip(precisions, own, strict=True) if c == name]) for name in range(5)]
    assert summarise_labels(found).macro_average_precision == pytest.approx(np.mean(macro))


def test_tied_ndcg_equals_scikit_learn():
    assert tie_averaged_ndcg([10, 0, 0, 1, 5], [1, 1, 1, 0.5, 0.5]) == pytest.approx(0.699812, abs=5e-7)
    assert tie_averaged_ndcg([10, 0, 0, 1, 5], [1] * 5) == pytest.approx(0.690979, abs=5e-7)
    generator = np.random.default_rng(1)
    for _ in range(50):
        gains, scores = generator.integers(0, 4, 12), generator.integers(0, 4, 12)
        for k in (3, 10, None):
            theirs = sklearn.ndcg_score([gains], [scores], k=k)
            assert tie_averaged_ndcg(gains, scores, k) == pytest.approx(theirs, abs=1e-12)

"""Label metrics against a slow loop over all orders of ties, and against scikit-learn and ir-measures
without ties."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvr.errors import DataError, NotFinite, WrongShape
from mvr.metrics.labels import (
    LabelTask,
    label_chance,
    label_positions,
    label_positions_of_embeddings,
    summarise_labels,
)


def orders(scores):
    """Every order of the items in which no item stands before a higher-scored one."""
    levels = sorted(set(scores), reverse=True)
    for parts in itertools.product(
        *(itertools.permutations([i for i, s in enumerate(scores) if s == level]) for level in levels)
    ):
        yield [item for part in parts for item in part]


def slow(scores, relevant, k):
    """Metrics of one query by listing every order of its tied items."""
    rows = []
    for order in orders(scores):
        flags = [bool(relevant[i]) for i in order]
        places = [place for place, flag in enumerate(flags, 1) if flag]
        ideal = sum(1 / np.log2(r + 1) for r in range(1, min(k, len(places)) + 1))
        rows.append(
            (
                sum(flags[:k]) / min(k, len(flags)),
                sum(flags[:k]) / len(places),
                np.mean([(i + 1) / place for i, place in enumerate(places)]),
                sum(1 / np.log2(p + 1) for p in places if p <= k) / ideal,
                1 / places[0],
                places[0],
                float(places[0] <= k),
            )
        )
    return np.mean(rows, axis=0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.integers(2, 6), st.integers(1, 3), st.integers(1, 4), st.integers(0, 9999))
def test_every_label_metric_is_the_mean_over_the_orders_of_tied_items(queries, items, levels, k, seed):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, levels, (queries, items)).astype(float)
    own = [["a"] for _ in range(queries)]
    theirs = [["a"] if flag else ["b"] for flag in generator.integers(0, 2, items)]
    theirs[0] = ["a", "b"]
    positions = label_positions(scores, LabelTask(query_labels=own, item_labels=theirs)).micro
    ours = np.column_stack(
        [
            positions.precision(k),
            positions.recall(k),
            positions.average_precision(),
            positions.ndcg(k),
            positions.reciprocal(),
            positions.first_rank(),
            positions.hits(k),
        ]
    )
    relevant = ["a" in labels for labels in theirs]
    np.testing.assert_allclose(ours, [slow(row, relevant, k) for row in scores], atol=1e-12)


def test_macro_of_several_labels_asks_each_class_on_its_own():
    scores = np.array([[4.0, 3.0, 2.0, 1.0]])
    task = LabelTask(query_labels=[["rock", "sad"]], item_labels=[["sad"], ["rock"], [], ["rock", "sad"]])
    summary = summarise_labels(label_positions(scores, task), (2,))
    assert summary.precision[2] == 1.0  # both of the first two share a label
    assert summary.macro_precision[2] == 0.5  # rock: 1 of 2; sad: 1 of 2
    rock, sad = (1 / 2 + 2 / 4) / 2, (1 / 1 + 2 / 4) / 2
    assert summary.macro_average_precision == pytest.approx((rock + sad) / 2)


@pytest.mark.parametrize("own", [None, np.arange(30)])
def test_a_constant_scorer_scores_exactly_label_chance(own):
    generator = np.random.default_rng(2)
    labels = [sorted(set(generator.choice(list("abcd"), 2))) for _ in range(30)]
    task = LabelTask(query_labels=labels, item_labels=labels, own=own)
    found = label_positions(np.zeros((30, 30)), task)
    assert summarise_labels(found) == label_chance(label_positions(generator.random((30, 30)), task))
    assert found.pool == (30 if own is None else 29)


def test_random_scores_average_to_label_chance():
    generator = np.random.default_rng(3)
    labels = [[name] for name in generator.choice(list("aabc"), 400)]
    task = LabelTask(query_labels=labels, item_labels=labels)
    found = label_positions(generator.random((400, 400)), task)
    assert summarise_labels(found).precision[10] == pytest.approx(label_chance(found).precision[10], abs=0.03)


def test_the_own_pair_can_be_left_out():
    scores = np.eye(3) + np.array([0.3, 0.2, 0.1])
    labels = [["a"], ["b"], ["a"]]
    kept = label_positions(scores, LabelTask(query_labels=labels, item_labels=labels))
    left_out = label_positions(scores, LabelTask(query_labels=labels, item_labels=labels, own=[0, 1, 2]))
    assert summarise_labels(kept).precision[1] == 1.0
    assert left_out.without_relevant == 1  # nobody else is "b"
    assert left_out.queries.tolist() == [0, 2]
    np.testing.assert_allclose(left_out.micro.precision(1), [0.0, 1.0])


def test_groups_are_one_candidate_with_all_their_labels():
    scores = np.array([[0.9, 0.1, 0.5]])
    task = LabelTask(query_labels=[["a"]], item_labels=[["b"], ["a"], ["c"]], groups=["g", "g", "h"])
    found = label_positions(scores, task)
    assert found.pool == 2
    assert found.micro.precision(1)[0] == 1.0


def test_queries_without_label_or_relevant_item_are_counted():
    task = LabelTask(query_labels=[["a"], [], ["z"]], item_labels=[["a"], ["b"]])
    found = label_positions(np.zeros((3, 2)), task)
    assert (found.unlabelled, found.without_relevant, len(found.micro)) == (1, 1, 1)


def test_embeddings_in_blocks_equal_their_matrix(monkeypatch):
    generator = np.random.default_rng(5)
    queries, items = generator.integers(-2, 3, (2, 20, 4)).astype(np.float32)
    labels = [[str(c)] for c in generator.integers(0, 3, 20)]
    task = LabelTask(query_labels=labels, item_labels=labels)
    whole = summarise_labels(label_positions(queries @ items.T, task))
    monkeypatch.setattr("mvr.metrics.ranks._BLOCK_SCORES", 50)
    assert summarise_labels(label_positions_of_embeddings(queries, items, task)) == whole


def test_what_does_not_fit_is_refused():
    task = LabelTask(query_labels=[["a"]], item_labels=[["b"], ["c"]])
    with pytest.raises(DataError, match="no query has a label"):
        label_positions(np.zeros((1, 2)), task)
    with pytest.raises(WrongShape, match="do not fit"):
        label_positions(np.zeros((2, 2)), task)
    with pytest.raises(NotFinite, match="NaN"):
        label_positions(np.full((1, 2), np.nan), task)

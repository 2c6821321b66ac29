"""Ranks against slow loops, known answers (tests/golden/evaluation_known_answers.json) and trusted
libraries."""

from __future__ import annotations

import itertools
import resource

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvr.errors import DataError, NotFinite, UsageError, WrongShape
from mvr.metrics.chance import hit_chance, pair_chance
from mvr.metrics.pools import subpool_hits, subpool_ranks, subpool_reciprocal
from mvr.metrics.ranks import Ranks, rank_embeddings, rank_truths, summarise


def one(above: int, tied: int, pool: int = 1000) -> Ranks:
    return Ranks(above=np.array([above]), tied=np.array([tied]), pool=pool)


def slow_ranks(scores: np.ndarray) -> list[list[int]]:
    """Ranks of query i's item i under every order of its ties, by counting one score at a time."""
    ranks = []
    for own, row in enumerate(scores):
        higher = sum(score > row[own] for score in row)
        same = sum(score == row[own] for score in row)
        ranks.append([higher + place for place in range(1, same + 1)])
    return ranks


@pytest.mark.parametrize(
    ("above", "tied", "k", "recall", "rank", "reciprocal"),
    [  # K12 of the known answers
        (0, 1, 1, 1.0, 1.0, 1.0),
        (0, 4, 1, 0.25, 2.5, 0.520833),
        (0, 4, 2, 0.5, 2.5, 0.520833),
        (3, 5, 5, 0.4, 6.0, 0.176905),
        (9, 3, 10, 0.333333, 11.0, 0.091414),
        (0, 1000, 10, 0.01, 500.5, 0.007485),
    ],
)
def test_ties_give_the_values_worked_out_on_paper(above, tied, k, recall, rank, reciprocal):
    ranks = one(above, tied)
    assert ranks.hits(k)[0] == pytest.approx(recall, abs=5e-7)
    assert ranks.expected[0] == rank
    assert ranks.reciprocal()[0] == pytest.approx(reciprocal, abs=5e-7)
    assert (ranks.optimistic[0] <= k) == 1
    assert (ranks.pessimistic[0] <= k) == (above + tied <= k)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.integers(0, 5), st.integers(1, 4), st.integers(0, 10_000))
def test_every_metric_is_the_mean_over_the_orders_of_tied_items(queries, extra, levels, seed):
    scores = np.random.default_rng(seed).integers(0, levels, (queries, queries + extra)).astype(np.float32)
    ranks, slow = rank_truths(scores), slow_ranks(scores)
    np.testing.assert_array_equal(ranks.expected, [np.mean(r) for r in slow])
    np.testing.assert_array_equal(ranks.optimistic, [min(r) for r in slow])
    np.testing.assert_array_equal(ranks.pessimistic, [max(r) for r in slow])
    np.testing.assert_allclose(ranks.reciprocal(), [np.mean([1 / x for x in r]) for r in slow], rtol=1e-12)
    for k in (1, 2, 5, 50):
        np.testing.assert_allclose(ranks.hits(k), [np.mean([x <= k for x in r]) for r in slow], atol=1e-12)
        gains = [np.mean([(x <= k) / np.log2(x + 1) for x in r]) for r in slow]
        np.testing.assert_allclose(ranks.gains(k), gains, atol=1e-12)


def test_recall_and_mrr_equal_ir_measures_where_nothing_ties():
    import ir_measures
    from ir_measures import RR, R

    scores = np.random.default_rng(4).standard_normal((60, 60)) + np.eye(60)
    qrels = {f"q{i}": {f"d{i:02}": 1} for i in range(60)}
    run = {f"q{i}": {f"d{j:02}": float(s) for j, s in enumerate(row)} for i, row in enumerate(scores)}
    theirs = ir_measures.calc_aggregate([RR, R @ 1, R @ 10], qrels, run)
    ours = summarise(rank_truths(scores), (1, 10))
    assert ours.mrr == pytest.approx(theirs[RR], abs=1e-9)
    assert ours.recall[1] == pytest.approx(theirs[R @ 1], abs=1e-9)
    assert ours.recall[10] == pytest.approx(theirs[R @ 10], abs=1e-9)


@pytest.mark.parametrize("value", [0.0, -0.3, 7.0])
def test_a_constant_scorer_scores_exactly_chance(value):
    ours, chance = summarise(rank_truths(np.full((50, 50), value)), (1, 5, 10)), pair_chance(50)
    assert ours.recall == pytest.approx(chance.recall)
    assert ours.ndcg == pytest.approx(chance.ndcg)
    assert (ours.median_rank, ours.mrr) == pytest.approx((chance.median_rank, chance.mrr))
    assert ours.optimistic[1] == 1 and ours.pessimistic[10] == 0
    assert (ours.mean_tied, ours.tied_share) == (50, 1)


def test_chance_has_the_known_values():
    chance = pair_chance(1000)
    assert chance.recall[10] == 0.01 and chance.median_rank == 500.5
    assert chance.mrr == pytest.approx(0.007485, abs=5e-7)
    assert chance.ndcg[10] == pytest.approx(0.004544, abs=5e-7)
    assert hit_chance(1000, 3, 10) == pytest.approx(0.029730, abs=5e-7)
    assert hit_chance(5, 3, 3) == 1.0 and hit_chance(5, 0, 3) == 0.0


def test_nothing_changes_by_a_constant_or_when_all_cosines_are_negative():
    scores = np.random.default_rng(5).integers(-20, 20, (30, 40)) / 32
    first = rank_truths(scores)
    for other in (scores - 2, scores + 8, scores * 4):
        again = rank_truths(other)
        np.testing.assert_array_equal(first.above, again.above)
        np.testing.assert_array_equal(first.tied, again.tied)


def test_a_permutation_of_items_changes_nothing():
    generator = np.random.default_rng(6)
    scores, order = generator.integers(0, 9, (20, 50)).astype(float), generator.permutation(50)
    again = rank_truths(scores[:, order], truth=np.argsort(order)[:20])
    np.testing.assert_array_equal(rank_truths(scores).expected, again.expected)


def test_a_duplicated_track_changes_no_grouped_metric():
    generator = np.random.default_rng(7)
    scores = generator.standard_normal((40, 40))
    doubled = np.concatenate([scores, scores[:, :15], scores[:, :15] - 0.1], axis=1)
    groups = np.concatenate([np.arange(40), np.arange(15), np.arange(15)])
    plain, grouped = rank_truths(scores), rank_truths(doubled, truth=np.arange(40), groups=groups)
    assert grouped.pool == 40
    np.testing.assert_array_equal(plain.above, grouped.above)
    np.testing.assert_array_equal(plain.tied, grouped.tied)
    assert rank_truths(doubled, truth=np.arange(40)).tied.max() == 2  # without groups, the copies tie


def test_grouped_ranks_equal_a_slow_loop():
    generator = np.random.default_rng(8)
    scores, groups = generator.integers(0, 6, (12, 30)).astype(np.float32), generator.integers(0, 9, 30)
    truth = generator.integers(0, 30, 12)
    ranks = rank_truths(scores, truth=truth, groups=[f"g{g}" for g in groups])
    for query, row in enumerate(scores):
        best = {g: max(s for s, h in zip(row, groups, strict=True) if h == g) for g in set(groups)}
        own = best[groups[truth[query]]]
        assert ranks.above[query] == sum(score > own for score in best.values())
        assert ranks.tied[query] == sum(score == own for score in best.values())


def test_embeddings_in_blocks_rank_like_their_matrix(monkeypatch):
    generator = np.random.default_rng(9)
    queries = generator.integers(-3, 4, (70, 5)).astype(np.float32)  # whole numbers: the products are exact
    items = generator.integers(-3, 4, (90, 5)).astype(np.float32)
    whole = rank_truths(queries @ items.T, groups=np.arange(90) // 2)
    monkeypatch.setattr("mvr.metrics.ranks._BLOCK_SCORES", 200)
    blocked = rank_embeddings(queries, items, groups=np.arange(90) // 2)
    np.testing.assert_array_equal(whole.above, blocked.above)
    np.testing.assert_array_equal(whole.tied, blocked.tied)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_diverged_model_is_refused(bad):
    scores = np.zeros((4, 4))
    scores[2, 1] = bad
    with pytest.raises(NotFinite, match="NaN or infinity: 1 of 16"):
        rank_truths(scores)
    with pytest.raises(NotFinite, match="NaN or infinity"):
        rank_embeddings(np.full((3, 2), bad), np.ones((3, 2)))


def test_overflow_to_infinity_inside_the_product_is_refused():
    huge = np.full((3, 2), 3e38, np.float32)
    with pytest.raises(NotFinite, match="diverged"):
        rank_embeddings(huge, huge)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rank_truths(np.zeros((3, 2))), WrongShape, "3 queries cannot each have their own of 2"),
        (lambda: rank_truths(np.zeros(3)), WrongShape, "must be"),
        (lambda: rank_truths(np.zeros((0, 3))), WrongShape, "at least one query"),
        (lambda: rank_truths(np.zeros((2, 3)), truth=[0, 3]), DataError, "there are 3 items"),
        (lambda: rank_truths(np.zeros((2, 3)), truth=[0.5, 1.0]), WrongShape, "column number"),
        (lambda: rank_truths(np.zeros((2, 3)), groups=[0, 1]), WrongShape, "one per item"),
        (lambda: rank_embeddings(np.zeros((2, 3)), np.zeros((2, 4))), WrongShape, "embeddings"),
        (lambda: pair_chance(0), UsageError, "at least one item"),
        (lambda: hit_chance(5, 6, 1), UsageError, "6 relevant"),
        (lambda: subpool_hits(one(0, 1, 10), 11, 1), UsageError, "sub-pool of 11"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_subpool_conversion_has_the_known_values():
    assert subpool_hits(one(99, 1), 100, 10)[0] == pytest.approx(0.471388, abs=5e-7)
    assert subpool_hits(one(49, 1), 100, 10)[0] == pytest.approx(0.982411, abs=5e-7)


@pytest.mark.parametrize(("above", "tied"), [(0, 1), (2, 1), (3, 3), (0, 7), (6, 1)])
@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_subpool_conversion_equals_listing_every_subpool(above, tied, size):
    pool, hits, reciprocals, places = 7, [], [], []
    others = [2.0] * above + [1.0] * (tied - 1) + [0.0] * (pool - above - tied)
    for chosen in itertools.combinations(others, size - 1):
        ranks = rank_truths(np.array([[1.0, *chosen]]))
        hits.append(ranks.hits(2)[0])
        reciprocals.append(ranks.reciprocal()[0])
        places.append(ranks.expected[0])
    ranks = one(above, tied, pool)
    assert subpool_hits(ranks, size, 2)[0] == pytest.approx(np.mean(hits))
    assert subpool_reciprocal(ranks, size)[0] == pytest.approx(np.mean(reciprocals))
    assert subpool_ranks(ranks, size)[0] == pytest.approx(np.mean(places))


def test_ten_thousand_by_ten_thousand_needs_no_second_matrix():
    queries = np.random.default_rng(0).standard_normal((10_000, 8), dtype=np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ranks = rank_embeddings(queries, queries)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert len(ranks) == ranks.pool == 10_000
    assert grown_mb < 150  # the matrix alone would be 400 MB

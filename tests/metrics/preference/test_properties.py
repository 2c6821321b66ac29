"""K15: what must not change the strengths, and trusted libraries as second opinions."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvr.errors import DataError, NotFinite, UsageError, WrongShape
from mvr.metrics.preference import PairVotes, Ties, fit_davidson, rate, votes_to_separate
from mvr.metrics.preference.covariance import estimate_covariances
from mvr.metrics.preference.sensitivity import sensitivity
from mvr.metrics.preference.shares import voter_share
from mvr.metrics.preference.stopping import e_value, sample_size
from mvr.metrics.preference.votes import capped_weights, effective_number


def random_votes(seed: int, count: int = 400, systems: int = 4, spread: float = 0.6) -> PairVotes:
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, spread, systems)
    left = rng.integers(0, systems, count)
    right = (left + rng.integers(1, systems, count)) % systems
    gap = theta[left] - theta[right] + 0.15
    terms = np.stack([np.exp(gap / 2), np.exp(-gap / 2), np.full(count, 0.5)], axis=1)
    draws = rng.random(count)[:, None] > np.cumsum(terms / terms.sum(axis=1, keepdims=True), axis=1)
    return PairVotes(
        systems=tuple("abcdefgh"[:systems]),
        left=left,
        right=right,
        outcome=np.minimum(draws.sum(axis=1), 2),
        voter=rng.integers(0, 25, count),
        video=rng.integers(0, 20, count),
    )


def errors(votes: PairVotes) -> dict[str, np.ndarray]:
    fit = fit_davidson(votes)
    matrices = estimate_covariances(votes, np.ones(len(votes)), fit).matrices
    return {name: np.diagonal(matrix).copy() for name, matrix in matrices.items()}


SEEDS = st.integers(0, 10_000)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_swapping_the_sides_everywhere_flips_the_slot_term_only(seed):
    votes = random_votes(seed)
    swapped = dataclasses.replace(
        votes, left=votes.right, right=votes.left, outcome=np.array([1, 0, 2])[votes.outcome]
    )
    a, b = fit_davidson(votes), fit_davidson(swapped)
    np.testing.assert_allclose(a.theta, b.theta, atol=1e-8)
    assert a.gamma == pytest.approx(-b.gamma, abs=1e-8) and a.eta == pytest.approx(b.eta, abs=1e-8)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_the_order_of_votes_and_the_names_of_everything_change_nothing(seed):
    votes = random_votes(seed)
    rng = np.random.default_rng(seed)
    order, names = rng.permutation(len(votes)), rng.permutation(4)
    moved = PairVotes(
        systems=tuple(votes.systems[i] for i in np.argsort(names)),
        left=names[votes.left][order],
        right=names[votes.right][order],
        outcome=votes.outcome[order],
        voter=rng.permutation(100)[votes.voter][order],
        video=rng.permutation(100)[votes.video][order],
    )
    first, second = rate(votes), rate(moved)
    assert [row.system for row in first.rows] == [row.system for row in second.rows]
    for a, b in zip(first.rows, second.rows, strict=True):
        assert (a.theta, a.se) == (pytest.approx(b.theta, abs=1e-8), pytest.approx(b.se, abs=1e-8))


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_the_same_votes_twice_by_the_same_voters_teach_nothing_new(seed):
    votes = random_votes(seed)
    assert votes.voter is not None and votes.video is not None
    twice = PairVotes(
        systems=votes.systems,
        **{name: np.tile(getattr(votes, name), 2) for name in ("left", "right", "outcome", "voter", "video")},
    )
    one, two = errors(votes), errors(twice)
    np.testing.assert_allclose(one["voter"], two["voter"], atol=1e-11)
    np.testing.assert_allclose(one["video"], two["video"], atol=1e-11)
    np.testing.assert_allclose(one["iid"], 2 * two["iid"], rtol=1e-8)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_whole_weights_are_repeated_votes(seed):
    votes = random_votes(seed, 200)
    weights = np.random.default_rng(seed).integers(1, 4, 200)
    repeated = votes.where(np.ones(200, bool))
    columns = {name: np.repeat(getattr(repeated, name), weights) for name in ("left", "right", "outcome")}
    a = fit_davidson(votes, weights.astype(float))
    b = fit_davidson(PairVotes(systems=votes.systems, **columns))
    np.testing.assert_allclose(a.parameters, b.parameters, atol=1e-8)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_strengths_without_slot_are_those_of_evalica(seed):
    import evalica

    votes = random_votes(seed, 300)
    names = np.array(votes.systems)
    winners = [(evalica.Winner.X, evalica.Winner.Y, evalica.Winner.Draw)[code] for code in votes.outcome]
    found = evalica.newman(names[votes.left], names[votes.right], winners, tolerance=1e-12, limit=5000)
    theirs = np.log(np.array([found.scores[name] for name in votes.systems]))
    ours = fit_davidson(votes, slot=False)
    np.testing.assert_allclose(ours.theta, theirs - theirs.mean(), atol=1e-5)
    assert ours.nu == pytest.approx(2 * found.v, abs=1e-5)


def test_decisive_votes_with_slot_and_their_clustered_errors_are_those_of_statsmodels():
    import statsmodels.api as statsmodels

    votes = random_votes(3)
    kept = votes.where(votes.outcome != 2)
    design = np.zeros((len(kept), 4))
    rows = np.arange(len(kept))
    for column, sign in ((kept.left, 1.0), (kept.right, -1.0)):
        inside = column > 0
        design[rows[inside], column[inside] - 1] += sign
    design[:, 3] = 1.0
    result = statsmodels.GLM(kept.outcome == 0, design, family=statsmodels.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": kept.voter, "use_correction": False}
    )
    fit = fit_davidson(votes, ties=Ties.DROP)
    contrast = fit.theta - fit.theta[0]
    np.testing.assert_allclose(contrast[1:], result.params[:3], atol=1e-7)
    assert fit.gamma == pytest.approx(result.params[3], abs=1e-7)
    matrix = estimate_covariances(votes, np.ones(len(votes)), fit).matrices["voter"]
    groups = len(np.unique(kept.voter))
    c = np.array([-1.0, 1.0, 0, 0, 0, 0])
    assert c @ matrix @ c == pytest.approx(result.cov_params()[0, 0] * groups / (groups - 1), rel=1e-6)


def seconds_to_rate(count: int) -> float:
    """Of processor time."""
    votes, rng = random_votes(0, count, systems=6), np.random.default_rng(0)
    votes = dataclasses.replace(
        votes, voter=rng.zipf(1.5, count) % 20_000, video=rng.integers(0, 2000, count)
    )
    start = time.process_time()
    assert rate(votes).votes == count
    return time.process_time() - start


def test_ten_times_the_votes_take_about_ten_times_as_long():
    short, long = seconds_to_rate(100_000), seconds_to_rate(1_000_000)
    print(f"1M votes: {long:.2f} CPU seconds")  # 2 s is the aim on a quiet machine
    assert long < 50 * short, "ten are expected; a quadratic slip takes a hundred"


def test_heavy_voters_weigh_less_and_count_less():
    voter = np.array([0] * 100 + list(range(1, 31)))
    weights = capped_weights(voter, 130)
    assert weights[:100].sum() == pytest.approx(10) and (weights[100:] == 1).all()
    assert effective_number(weights, voter) == pytest.approx(40**2 / (10**2 + 30))


def test_ranks_are_intervals_that_hold_the_place():
    ratings = rate(random_votes(1, 2000, spread=0.3))
    for place, row in enumerate(ratings.rows, 1):
        assert row.rank_low is not None and row.rank_high is not None
        assert 1 <= row.rank_low <= place <= row.rank_high <= 4
    assert len(ratings.differences) == 6 and all(d.difference >= 0 for d in ratings.differences)
    sure = sum(d.p_holm < 0.05 for d in ratings.differences)
    assert sum(row.rank_high - row.rank_low for row in ratings.rows) == 2 * (6 - sure)


def test_a_slot_that_always_wins_is_not_comparable():
    votes = PairVotes.from_names(["a", "b"] * 20, ["b", "a"] * 20, [0] * 40)
    fit = fit_davidson(votes)
    assert fit.separated and np.isfinite(fit.parameters).all()


def test_only_ties_and_no_votes():
    ties = PairVotes.from_names(["a"] * 5, ["b"] * 5, [2] * 5)
    assert fit_davidson(ties).separated and np.abs(fit_davidson(ties).theta).max() < 1e-9
    with pytest.raises(DataError, match="no votes"):
        fit_davidson(ties.where(np.zeros(5, bool)))


def test_votes_that_make_no_sense_are_refused():
    with pytest.raises(WrongShape, match="itself"):
        PairVotes.from_names(["a"], ["a"], [0])
    with pytest.raises(WrongShape, match="outcome must be in"):
        PairVotes.from_names(["a"], ["b"], [3])
    with pytest.raises(WrongShape, match="shape"):
        PairVotes.from_names(["a"], ["b"], [0, 1])
    with pytest.raises(NotFinite, match="weights"):
        fit_davidson(PairVotes.from_names(["a"], ["b"], [0]), np.array([np.nan]))


def test_other_choices_are_computed_beside_the_primary_one():
    votes = dataclasses.replace(random_votes(2, 1500), pair_prob=np.full(1500, 1 / 6))
    found = sensitivity(votes)
    names = [other.name for other in found.alternatives]
    first = [
        "decisive votes only",
        "every vote weighs 1",
        "without the slot term",
        "weights 1 / pair probability",
    ]
    assert names[:4] == first
    slotless = fit_davidson(votes, capped_weights(votes.voter, 1500), slot=False)
    np.testing.assert_allclose(found.alternatives[2].theta, slotless.theta)
    assert sum("tie quartile" in name for name in names) == 4 and "5 most influential" in names[-1]
    equal = next(other for other in found.alternatives if "pair probability" in other.name)
    assert equal.largest_change < 1e-8 and equal.same_order
    dropped = fit_davidson(votes, capped_weights(votes.voter, 1500), ties=Ties.DROP)
    np.testing.assert_allclose(found.alternatives[0].theta, dropped.theta)


def test_a_shrunken_scale_is_not_published():
    rng = np.random.default_rng(0)
    votes = random_votes(5, 6000, spread=1.2)
    easy = rng.random(6000) < 0.3 * (
        np.abs(votes.left - votes.right) == 1
    )  # ties that have nothing to do with strength
    votes = dataclasses.replace(votes, outcome=np.where(easy, 2, votes.outcome))
    found = sensitivity(votes)
    change = found.alternatives[0].largest_change
    assert found.publish_decisive_only == (change > 0.1)


def test_looking_after_every_vote_calls_equals_different_in_at_most_five_percent():
    rng = np.random.default_rng(11)
    wrong = 0
    for _ in range(200):
        wins = np.cumsum(rng.random(400) < 0.5)
        wrong += any(e_value(int(w), n - int(w)) >= 20 for n, w in enumerate(wins, 1))
    assert wrong / 200 <= 0.05


def test_votes_still_needed_fall_with_the_gap_and_agree_with_the_normal_theory():
    assert votes_to_separate(0.2, 0.1, 1000) == pytest.approx(1000 * (2.8016 * 0.5) ** 2 - 1000, abs=2)
    assert votes_to_separate(0.2, 0.1, 1000, comparisons=15) > votes_to_separate(0.2, 0.1, 1000)
    assert votes_to_separate(1.0, 0.1, 1000) == 0
    with pytest.raises(UsageError):
        votes_to_separate(0.0, 0.1, 1000)
    with pytest.raises(UsageError):
        sample_size(0.5)


def test_a_share_knows_how_many_people_stand_behind_it():
    hits = np.array([True, False] * 50)
    many = voter_share(hits, np.arange(100))
    few = voter_share(np.repeat([True, False] * 5, 10), np.repeat(np.arange(10), 10))
    assert many.point == few.point == 0.5
    assert few.high - few.low > 2 * (many.high - many.low)
    alone = voter_share(hits, np.zeros(100, int))
    assert (alone.low, alone.high) == (0.0, 1.0)
    everyone = voter_share(np.ones(100, bool), np.arange(100))
    assert everyone.point == everyone.high == 1.0 and 0.95 < everyone.low < 0.97

"""K16: do 95 % intervals hold the truth 95 % of the time when few people cast most votes on few videos, day by day?

The crowds are those of `python -m eval.votes coverage`, whose 500 repeats a row stand in eval/results/votes; the truth
is what the same model gives on votes that each come from a fresh voter on a fresh video of a fresh day.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t as student_t

from eval.votes.coverage import CROWDS, K16, coverage, widths
from eval.votes.crowds import Crowd
from mvr.metrics.preference import RatingSettings, rate
from mvr.metrics.preference.covariance import LEAST_CLUSTERS, LEAST_DAYS
from mvr.metrics.preference.ratings import ELO_PER_NAT, contrast_of


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "name", ["busy voters, few videos", "tastes move, each voter one day", "tastes move, all days"]
)
def test_intervals_of_the_recipe_hold_and_naive_ones_do_not(name):
    found = coverage(CROWDS[name], 400, seed=5)
    print(name, found["strengths"], found["difference"])
    assert 0.93 <= found["strengths"]["recipe"] <= 0.98 and 0.92 <= found["difference"]["recipe"] <= 0.985
    assert found["strengths"]["naive"] < 0.7


def test_a_few_runs_already_tell_the_recipe_from_naive_intervals():
    shares = coverage(replace(K16, votes=3000), 25, seed=5, truth_votes=200_000)["strengths"]
    assert shares["recipe"] > 0.88 and shares["naive"] < 0.8 and shares["recipe"] - shares["naive"] > 0.15


@pytest.mark.parametrize("voter_days", ["one", "all"])
def test_a_few_runs_already_tell_days_as_clusters_from_days_that_nobody_looked_at(voter_days):
    crowd = replace(K16, votes=3000, days=7, day_sd=0.8, voter_days=voter_days)
    shares = coverage(crowd, 25, seed=3, truth_votes=200_000)["strengths"]
    assert shares["recipe"] > 0.85 and shares["recipe"] - shares["without days"] > 0.1


def test_more_effective_voters_give_narrower_intervals():
    rng = np.random.default_rng(1)
    few = replace(K16, voters=20, busy=None, votes=2000).draw(rng)
    many = replace(K16, voters=1000, busy=None, votes=2000).draw(rng)
    settings = RatingSettings(cap=float("inf"))
    assert rate(many, settings).rows[0].se < rate(few, settings).rows[0].se


@pytest.mark.parametrize("days", [14, 1])
def test_the_width_is_that_of_the_estimate_that_knows_all_clusters_and_no_less_than_of_independent_votes(
    days,
):
    """With days three-way, without them the widest of voter, video, two-way: Student's t for clusters, z for votes."""
    for seed in range(12):
        votes = replace(K16, votes=300, days=days).draw(np.random.default_rng(seed))
        covariances = rate(votes).covariances
        contrast = contrast_of(6, 1, 4)
        few = covariances.degrees
        if days > 1:
            assert covariances.effective_days is not None
            few = min(few, covariances.effective_days - 1)
        names = ("three-way",) if days > 1 else ("voter", "video", "two-way")
        errors = {name: np.sqrt(contrast @ m @ contrast) for name, m in covariances.matrices.items()}
        clustered = [student_t.ppf(0.975, few) * errors[name] for name in names]
        expected = max(1.959963984540054 * errors["iid"], *clustered)
        assert covariances.half_width(contrast, 0.95) == pytest.approx(expected, rel=1e-12)
        largest = max(errors[name] for name in ("iid", *names))
        assert covariances.standard_error(contrast) == pytest.approx(largest, rel=1e-12)


def test_an_interval_is_not_the_widest_of_what_chance_made():
    """Of independent votes all six estimates say the same but for chance: the widest is what chance made largest."""
    ratios = []
    for seed in range(15):
        votes = replace(K16, votes=300, voter_sd=0.0, video_sd=0.0, slot_sd=0.0).draw(
            np.random.default_rng(seed)
        )
        covariances = rate(votes).covariances
        contrast = contrast_of(6, 0, 2)
        assert covariances.effective_days is not None
        few = min(covariances.degrees, covariances.effective_days - 1)
        degrees = dict.fromkeys(covariances.matrices, covariances.degrees) | {"day": few, "three-way": few}
        widest = max(
            student_t.ppf(0.975, degrees[name]) * np.sqrt(contrast @ m @ contrast)
            for name, m in covariances.matrices.items()
        )
        ratios.append(covariances.half_width(contrast, 0.95) / widest)
    assert max(ratios) <= 1 + 1e-9 and np.mean(ratios) < 0.97


def test_three_way_clusters_are_inclusion_and_exclusion_over_all_of_them():
    """Cameron, Gelbach and Miller's sum with sums over votes written out, one vote after another."""
    votes = replace(K16, votes=150, voters=12, videos=9, days=6).draw(np.random.default_rng(4))
    ratings = rate(votes, RatingSettings(cap=float("inf")))
    fit = ratings.fit
    scores = []
    for left, right, outcome in zip(votes.left, votes.right, votes.outcome, strict=True):
        p = fit.probabilities(left, right)
        u = np.zeros(8)
        u[left] = (0.5, -0.5, 0.0)[outcome] - (p[0] - p[1]) / 2
        u[right], u[6], u[7] = -u[left], u[left], (outcome == 2) - p[2]
        scores.append(u)
    columns = np.stack([votes.voter, votes.video, votes.day])
    total = np.zeros((8, 8))
    for chosen in ([0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]):
        groups: dict[tuple[int, ...], np.ndarray] = {}
        for key, u in zip(columns[chosen].T.tolist(), scores, strict=True):
            groups[tuple(key)] = groups.get(tuple(key), np.zeros(8)) + u
        meat = sum(np.outer(g, g) for g in groups.values()) * len(groups) / (len(groups) - 1)
        total += (1 if len(chosen) % 2 else -1) * fit.bread @ meat @ fit.bread
    values, vectors = np.linalg.eigh(total)
    expected = (vectors * np.maximum(values, 0)) @ vectors.T
    np.testing.assert_allclose(ratings.covariances.matrices["three-way"], expected, atol=1e-9)


def test_the_least_number_of_voters_is_the_one_at_which_intervals_say_more_than_nothing():
    crowd = Crowd(busy=None, days=1, videos=40)
    shares = {
        voters: widths(replace(crowd, voters=voters, votes=10 * voters), 25, seed=1)["wider_than_before"]
        for voters in (3, 5, 8)
    }
    assert LEAST_CLUSTERS == 5
    assert shares[3] > 0.2 and shares[5] < 0.03 and shares[8] == 0


def test_too_few_voters_or_videos_have_strengths_but_neither_interval_nor_rank():
    rng = np.random.default_rng(0)
    for few in ({"voters": 2}, {"voters": 4}, {"videos": 3}):
        votes = replace(Crowd(busy=None, votes=200), **few).draw(rng)
        ratings = rate(votes)
        assert all(row.low is row.high is row.rank_low is row.rank_high is None for row in ratings.rows)
        assert all(np.isinf(gap.low) and gap.p_holm == 1 for gap in ratings.differences)


def test_no_bound_is_ever_further_off_than_before_the_first_vote():
    rng = np.random.default_rng(0)
    before = 1.96 * 2 * ELO_PER_NAT
    for _ in range(40):
        crowd = Crowd(
            busy=0.6, votes=int(rng.integers(15, 120)), voters=int(rng.integers(2, 14)), videos=12, days=3
        )
        for row in rate(crowd.draw(rng)).rows:
            assert row.high is None or (row.high - row.low) * ELO_PER_NAT / 2 <= before + 1e-6


def test_two_days_are_no_clusters_and_three_are():
    rng = np.random.default_rng(0)
    for days, known in ((1, False), (2, False), (3, True)):
        covariances = rate(replace(K16, days=days).draw(rng)).covariances
        assert covariances.knows_days is known, days
        assert (covariances.effective_days >= LEAST_DAYS) is known

"""K16: do 95 % intervals hold the truth 95 % of the time when few people cast most votes on few videos?

The truth is what the same model gives on two million votes, each by a fresh voter on a fresh video.
"""

from __future__ import annotations

import numpy as np
import pytest

from mvr.metrics.preference import PairVotes, RatingSettings, fit_davidson, rate
from mvr.metrics.preference.covariance import estimate_covariances
from mvr.metrics.preference.ratings import half_width

THETA = np.array([0.5, 0.3, 0.1, -0.1, -0.3, -0.5])
VOTER_SD, SLOT_SD, VIDEO_SD, NU, SLOT = 0.6, 0.5, 0.6, 0.5, 0.15


def simulate(rng: np.random.Generator, voter: np.ndarray, video: np.ndarray) -> PairVotes:
    count, systems = len(voter), len(THETA)
    tastes = rng.normal(0, VOTER_SD, (int(voter.max()) + 1, systems)).astype(np.float32)
    sources = rng.normal(0, VIDEO_SD, (int(video.max()) + 1, systems)).astype(np.float32)
    slots = rng.normal(SLOT, SLOT_SD, int(voter.max()) + 1)
    left = rng.integers(0, systems, count)
    right = (left + rng.integers(1, systems, count)) % systems
    strength = THETA + tastes[voter] + sources[video]
    rows = np.arange(count)
    gap = strength[rows, left] - strength[rows, right] + slots[voter]
    terms = np.stack([np.exp(gap / 2), np.exp(-gap / 2), np.full(count, NU)], axis=1)
    edges = np.cumsum(terms / terms.sum(axis=1, keepdims=True), axis=1)
    outcome = np.minimum((rng.random(count)[:, None] > edges).sum(axis=1), 2)
    return PairVotes(
        systems=tuple("abcdef"), left=left, right=right, outcome=outcome, voter=voter, video=video
    )


def truth(rng: np.random.Generator, count: int) -> np.ndarray:
    fresh = np.arange(count)
    return fit_davidson(simulate(rng, fresh, fresh)).theta


def coverage(runs: int, votes: int, truth_votes: int) -> tuple[float, float, float]:
    rng = np.random.default_rng(5)
    real = truth(rng, truth_votes)
    ours, gaps, naive = [], [], []
    for _ in range(runs):
        busy = rng.pareto(1.2, 100) + 0.1
        voter = rng.choice(100, votes, p=busy / busy.sum())
        data = simulate(rng, voter, rng.integers(0, 60, votes))
        ratings = rate(data)
        for row in ratings.rows:
            assert row.low is not None and row.high is not None
            ours.append(row.low <= real["abcdef".index(row.system)] <= row.high)
        pair = next(d for d in ratings.differences if {d.better, d.worse} == {"a", "c"})
        gap = real[0] - real[2] if pair.better == "a" else real[2] - real[0]
        gaps.append(pair.low <= gap <= pair.high)
        naive += naive_hits(data, real)
    return float(np.mean(ours)), float(np.mean(gaps)), float(np.mean(naive))


def naive_hits(data: PairVotes, real: np.ndarray) -> list[bool]:
    """What boards usually print: every vote weighs 1 and stands for itself."""
    fit = fit_davidson(data)
    independent = estimate_covariances(data, np.ones(len(data)), fit).matrices["iid"]
    width = 1.96 * np.sqrt(np.diagonal(independent)[:6])
    return (np.abs(fit.theta - real) <= width).tolist()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_intervals_of_the_recipe_hold_and_naive_ones_do_not():
    ratings, difference, naive = coverage(400, 5000, 2_000_000)
    print(f"K16: ratings {ratings:.3f}, difference {difference:.3f}, naive {naive:.3f}")
    assert 0.93 <= ratings <= 0.98 and 0.93 <= difference <= 0.985
    assert naive < 0.7


def test_a_few_runs_already_tell_the_recipe_from_naive_intervals():
    ratings, _, naive = coverage(25, 3000, 200_000)
    assert ratings > 0.88 and naive < 0.8 and ratings - naive > 0.15


def test_more_effective_voters_give_narrower_intervals():
    rng = np.random.default_rng(1)
    few = simulate(rng, rng.integers(0, 20, 2000), rng.integers(0, 60, 2000))
    many = simulate(rng, rng.integers(0, 1000, 2000), rng.integers(0, 60, 2000))
    width = half_width(1.0, 9.0, 0.95)
    assert width == pytest.approx(2.262157, abs=1e-6)
    settings = RatingSettings(cap=float("inf"))
    assert rate(many, settings).rows[0].se < rate(few, settings).rows[0].se

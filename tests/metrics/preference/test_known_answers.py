"""K1 to K8 of the evaluation specification, to the printed digits.

`tests/golden/evaluation_known_answers.json` was made with statsmodels (Poisson log-linear and logistic regression),
evalica and scipy; the integer data of K3 are made here and checked by their hash.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta

from mvr.metrics.preference import PairVotes, RatingSettings, Ties, e_value, fit_davidson, rate, sign_test
from mvr.metrics.preference.covariance import estimate_covariances
from mvr.metrics.preference.ratings import ELO_PER_NAT
from mvr.metrics.preference.separation import strong_components
from mvr.metrics.preference.stopping import sample_size
from mvr.metrics.significance import wilson_interval

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "evaluation_known_answers.json").read_text())
DIGITS = 6e-7


def integer_data() -> PairVotes:
    i = np.arange(600)
    a = i % 4
    b = (a + 1 + (i // 4) % 3) % 4
    voter, video = (7 * i + i // 11) % 23, (5 * i + i // 7) % 17
    h = (31 * i * i + 17 * i + 7) % 101
    threshold = 44 + 9 * (b - a)
    outcome = np.where(h < threshold, 0, np.where(h < threshold + 16, 2, 1))
    return PairVotes(systems=("a", "b", "c", "d"), left=a, right=b, outcome=outcome, voter=voter, video=video)


def two_systems(wins: int, losses: int, ties: int = 0) -> PairVotes:
    outcomes = [0] * wins + [1] * losses + [2] * ties
    return PairVotes.from_names(["a"] * len(outcomes), ["b"] * len(outcomes), outcomes)


def difference_se(covariance: np.ndarray) -> float:
    return math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])


def test_k1_sixty_to_forty():
    fit = fit_davidson(two_systems(60, 40), ties=Ties.DROP, slot=False)
    answer = GOLDEN["K1_bt2"]
    assert fit.theta[0] - fit.theta[1] == pytest.approx(answer["theta_diff"], abs=DIGITS)
    assert fit.theta[0] - fit.theta[1] == pytest.approx(math.log(1.5), abs=1e-9)
    assert difference_se(fit.bread) == pytest.approx(answer["se"], abs=DIGITS)
    assert ELO_PER_NAT * (fit.theta[0] - fit.theta[1]) == pytest.approx(answer["elo"], abs=1e-4)
    assert ELO_PER_NAT * difference_se(fit.bread) == pytest.approx(answer["elo_se"], abs=1e-4)


def test_k2_fifty_thirty_and_twenty_ties():
    fit = fit_davidson(two_systems(50, 30, 20), slot=False)
    answer = GOLDEN["K2_davidson2"]
    assert fit.theta[0] - fit.theta[1] == pytest.approx(answer["theta_diff"], abs=DIGITS)
    assert fit.nu == pytest.approx(answer["nu"], abs=DIGITS)
    assert difference_se(fit.bread) == pytest.approx(answer["se_diff"], abs=DIGITS)
    assert fit.fisher_se[-1] == pytest.approx(answer["se_eta"], abs=DIGITS)


def test_k3_the_integer_data_are_the_ones_of_the_specification():
    votes = integer_data()
    assert votes.voter is not None and votes.video is not None
    columns = (np.arange(600), votes.left, votes.right, votes.voter, votes.video, votes.outcome)
    lines = "\n".join(",".join(map(str, row)) for row in zip(*columns, strict=True))
    assert hashlib.sha256(lines.encode()).hexdigest() == GOLDEN["K3_sha256"]
    assert np.bincount(votes.outcome).tolist() == GOLDEN["K3_outcomes_A_B_T"]


def test_k3_davidson_with_slot_and_all_its_standard_errors():
    votes, answer = integer_data(), GOLDEN["K3_davidson_position"]
    fit = fit_davidson(votes)
    covariances = estimate_covariances(votes, np.ones(600), fit)
    np.testing.assert_allclose(fit.theta, answer["theta"], atol=DIGITS)
    for got, key in ((fit.gamma, "gamma"), (fit.eta, "eta"), (fit.nu, "nu")):
        assert got == pytest.approx(answer[key], abs=DIGITS), key
    np.testing.assert_allclose(fit.fisher_se[:4], answer["se_theta_fisher"], atol=DIGITS)
    assert fit.fisher_se[4] == pytest.approx(answer["se_gamma"], abs=DIGITS)
    assert fit.fisher_se[5] == pytest.approx(answer["se_eta"], abs=DIGITS)
    for name, key in (
        ("iid", "se_theta_HC0"),
        ("voter", "se_theta_cluster_voter_CR1"),
        ("video", "se_theta_cluster_video_CR1"),
        ("two-way", "se_theta_two_way"),
    ):
        errors = np.sqrt(np.diagonal(covariances.matrices[name])[:4])
        np.testing.assert_allclose(errors, answer[key], atol=DIGITS, err_msg=key)
    assert covariances.lowest_eigenvalue == pytest.approx(answer["min_eig_two_way"], abs=1e-9)
    assert covariances.effective_voters == pytest.approx(answer["Gstar_voter"], abs=6e-5)
    assert covariances.effective_videos == pytest.approx(answer["Gstar_video"], abs=6e-5)
    elo = [1000 + ELO_PER_NAT * theta for theta in fit.theta]
    np.testing.assert_allclose(elo, answer["elo_centered_1000"], atol=6e-4)
    assert fit.theta[0] - fit.theta[1] == pytest.approx(answer["diff_0_minus_1"], abs=DIGITS)
    assert difference_se(fit.bread) == pytest.approx(answer["se_diff_fisher"], abs=DIGITS)


def test_k3_the_recipe_takes_the_largest_variance():
    ratings = rate(integer_data(), RatingSettings(cap=1000))
    errors = [ratings.row(name).se for name in "abcd"]
    np.testing.assert_allclose(errors, GOLDEN["K3_se_theta_max_rule"], atol=DIGITS)
    first = next(d for d in ratings.differences if (d.better, d.worse) == ("a", "b"))
    answer = GOLDEN["K3_recommended_cap1000"]
    assert first.se == pytest.approx(answer["se_diff_0_1"], abs=DIGITS)
    assert ratings.covariances.degrees == pytest.approx(answer["df"], abs=DIGITS)


def test_k4_ties_as_half_a_win():
    votes, answer = integer_data(), GOLDEN["K4_bt_ties_half_no_position"]
    fit = fit_davidson(votes, ties=Ties.HALF, slot=False)
    np.testing.assert_allclose(fit.theta, answer["theta"], atol=DIGITS)
    robust = estimate_covariances(votes, np.ones(600), fit).matrices["iid"]
    np.testing.assert_allclose(np.sqrt(np.diagonal(robust)[:4]), answer["se_HC0"], atol=DIGITS)


def test_k5_ties_dropped():
    fit, answer = fit_davidson(integer_data(), ties=Ties.DROP), GOLDEN["K5_bt_ties_dropped_position"]
    np.testing.assert_allclose(fit.theta, answer["theta"], atol=DIGITS)
    assert fit.gamma == pytest.approx(answer["gamma"], abs=DIGITS)


def test_k6_davidson_without_slot():
    answer = GOLDEN["K6_davidson_no_position (evalica.newman, 2v=nu)"]
    fit = fit_davidson(integer_data(), slot=False)
    np.testing.assert_allclose(fit.theta, answer["theta"], atol=DIGITS)
    assert fit.nu == pytest.approx(answer["nu"], abs=DIGITS)


def test_k7_somebody_who_never_lost_gets_a_finite_strength_an_interval_and_no_rank():
    names = [("a", "b", 0)] * 30 + [("b", "c", 0)] * 15 + [("b", "c", 1)] * 15
    left, right, outcome = zip(*names, strict=True)
    votes = PairVotes.from_names(left, right, outcome, voter=[str(i % 9) for i in range(60)])
    fit = fit_davidson(votes, slot=False)
    answer = GOLDEN["K7_separated_MAP"]
    assert strong_components(votes)[0] == answer["strong_components"] == fit.components
    np.testing.assert_allclose(fit.theta, answer["theta"], atol=6e-5)
    np.testing.assert_allclose(fit.fisher_se[:3], answer["se_laplace"], atol=6e-5)
    ratings = rate(votes, RatingSettings(slot=False))
    assert ratings.separated
    for row in ratings.rows:
        assert row.rank_low is None and row.low is not None and row.high is not None
        assert row.high - row.low > 1


def test_k7_an_undefeated_share_has_an_interval():
    answer = GOLDEN["K7_separation"]
    assert float(beta.ppf(0.025, 30, 1)) == pytest.approx(answer["clopper_pearson95"][0], abs=DIGITS)
    assert wilson_interval(30, 30).low == pytest.approx(answer["wilson95"][0], abs=DIGITS)
    fit = fit_davidson(two_systems(30, 0), np.full(30, 1.0), slot=False)
    assert fit.separated and math.isfinite(fit.theta[0]) and fit.fisher_se[0] > 0.1


@pytest.mark.parametrize(("share", "answer"), GOLDEN["K8_evalue_beta20"].items())
def test_k8_e_values(share, answer):
    wins, votes = map(int, share.split("/"))
    assert e_value(wins, votes - wins) == pytest.approx(answer, abs=6e-5)


@pytest.mark.parametrize(("share", "answer"), GOLDEN["K8_sign_test_p"].items())
def test_k8_sign_tests(share, answer):
    wins, votes = map(int, share.split("/"))
    assert sign_test(wins, votes - wins) == pytest.approx(answer, abs=DIGITS)


@pytest.mark.parametrize(("share", "votes"), [(0.6, 210), (0.55, 820), (0.65, 97)])
def test_k8_votes_for_80_percent_power(share, votes):
    assert sample_size(share) == votes

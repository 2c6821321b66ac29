"""Significance against SciPy, listed permutations, known answers, and its own error rates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mvr.errors import NotFinite, UsageError, WrongShape
from mvr.metrics.significance import (
    Resampling,
    cluster_bootstrap,
    holm,
    mcnemar_exact,
    median_bootstrap,
    median_difference_bootstrap,
    sign_flip_test,
    wilson_interval,
)

KNOWN = json.loads((Path(__file__).parents[1] / "golden" / "evaluation_known_answers.json").read_text())


def test_the_exact_sign_flip_test_has_the_known_value():
    assert sign_flip_test(KNOWN["K9_paired_randomisation"]["d"]) == 0.15625
    assert mcnemar_exact(9, 2) == pytest.approx(KNOWN["K9_paired_randomisation"]["McNemar 9 vs 2"], abs=5e-7)


def test_the_sign_flip_test_equals_scipy():
    d = np.random.default_rng(0).normal(0.3, 1, 11)
    theirs = stats.permutation_test(
        (d,),
        lambda x, axis: x.mean(axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    )
    assert sign_flip_test(d) == pytest.approx(theirs.pvalue)


def test_drawn_signs_come_near_all_signs():
    d = np.random.default_rng(1).normal(0.4, 1, 13)
    exact = sign_flip_test(d)  # 8,192 patterns
    drawn = sign_flip_test(d, resampling=Resampling(draws=8_000, seed=3))
    assert drawn == pytest.approx(exact, abs=0.02)
    assert drawn == sign_flip_test(d, resampling=Resampling(draws=8_000, seed=3))


def test_a_certain_difference_never_has_p_zero():
    assert sign_flip_test(np.ones(200)) == pytest.approx(1 / 10_001)
    assert sign_flip_test(np.zeros(200)) == 1.0


def test_clips_of_one_video_are_one_observation():
    d = [0.3, -0.1, 0.2, 0.05]
    clips = np.repeat(d, 5)
    assert sign_flip_test(clips, np.repeat(["a", "b", "c", "d"], 5)) == sign_flip_test(d)
    assert sign_flip_test(clips) < sign_flip_test(d)


def test_equal_systems_are_rejected_at_the_nominal_rate():
    generator = np.random.default_rng(2)
    quick = Resampling(draws=400)
    by_clip = by_video = 0
    for _ in range(200):
        d = np.repeat(generator.normal(0, 1, 40), 5) + generator.normal(0, 0.5, 200)
        by_clip += sign_flip_test(d, resampling=quick) < 0.05
        by_video += sign_flip_test(d, np.repeat(np.arange(40), 5), resampling=quick) < 0.05
    assert by_video / 200 < 0.10
    assert by_clip / 200 > 0.20  # what testing over clips would do


def test_bootstrap_intervals_equal_the_analytic_ones_for_many_clusters():
    values = np.random.default_rng(3).normal(2, 1, 2000)
    (interval,) = cluster_bootstrap(values)
    half = 1.96 / np.sqrt(2000)
    assert interval.point == pytest.approx(values.mean())
    assert (interval.low, interval.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.006
    )


def test_clustered_intervals_are_wider_and_do_not_grow_narrow_by_copies():
    values = np.random.default_rng(4).normal(0, 1, 60)
    (plain,) = cluster_bootstrap(values)
    (copied,) = cluster_bootstrap(np.repeat(values, 4), np.repeat(np.arange(60), 4))
    (naive,) = cluster_bootstrap(np.repeat(values, 4))
    assert (copied.low, copied.high) == pytest.approx((plain.low, plain.high))
    assert naive.high - naive.low < 0.6 * (plain.high - plain.low)


def test_columns_share_their_draws():
    values = np.random.default_rng(5).normal(0, 1, (50, 1))
    first, second = cluster_bootstrap(np.hstack([values, values + 1]))
    assert (second.low - first.low, second.high - first.high) == pytest.approx((1, 1))


def test_the_median_interval_covers_and_equals_a_slow_bootstrap():
    values = np.random.default_rng(6).exponential(10, 101)
    interval = median_bootstrap(values, resampling=Resampling(draws=4000))
    theirs = stats.bootstrap(
        (values,), np.median, n_resamples=4000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert interval.point == np.median(values)
    assert (interval.low, interval.high) == pytest.approx((theirs.low, theirs.high), abs=0.8)


def test_the_median_of_an_even_number_is_the_mean_of_the_middle_two():
    interval = median_bootstrap([1.0, 3.0], resampling=Resampling(draws=400))
    assert (interval.low, interval.point, interval.high) == (1.0, 2.0, 3.0)


def test_holm_has_the_known_values():
    assert holm(KNOWN["K10_holm"]["p"]) == pytest.approx(KNOWN["K10_holm"]["adj"])
    assert holm([0.3, 0.001, 0.04, 0.02, 0.01]) == pytest.approx([0.3, 0.005, 0.08, 0.06, 0.04])
    assert holm([0.04, 0.04]) == pytest.approx([0.08, 0.08]) and holm([]) == []


def test_wilson_equals_scipy():
    theirs = stats.binomtest(100, 1000).proportion_ci(method="wilson")
    ours = wilson_interval(100, 1000)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert (round(ours.low, 3), round(ours.high, 3)) == (0.083, 0.120)


def test_what_does_not_fit_is_refused():
    with pytest.raises(NotFinite, match="NaN"):
        sign_flip_test([0.1, float("nan")])
    with pytest.raises(WrongShape, match="one per query"):
        cluster_bootstrap([1.0, 2.0], ["a"])
    with pytest.raises(UsageError, match="between 0 and 1"):
        holm([1.2])
    with pytest.raises(UsageError, match="successes"):
        wilson_interval(3, 2)
    assert mcnemar_exact(0, 0) == 1.0


def test_the_difference_of_medians_equals_a_slow_bootstrap():
    generator = np.random.default_rng(4)
    a = generator.integers(1, 60, 30).astype(float)
    b = a + generator.integers(-3, 9, 30)
    clusters = np.repeat(np.arange(15), 2)
    found = median_difference_bootstrap((a, b), clusters, Resampling(draws=4_000, seed=1))
    drawn = []
    for _ in range(4_000):
        rows = np.concatenate([[2 * c, 2 * c + 1] for c in generator.integers(0, 15, 15)])
        drawn.append(np.median(a[rows]) - np.median(b[rows]))
    assert found.point == np.median(a) - np.median(b)
    assert [found.low, found.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=1.0)


def test_equal_systems_have_no_difference_of_medians():
    values = np.random.default_rng(5).uniform(1, 50, 40)
    same = median_difference_bootstrap((values, values), resampling=Resampling(draws=500))
    assert (same.point, same.low, same.high) == (0, 0, 0)
    shifted = median_difference_bootstrap((values + 2, values), resampling=Resampling(draws=500))
    assert (shifted.low, shifted.high) == pytest.approx((2, 2))
    with pytest.raises(WrongShape, match="one shape"):
        median_difference_bootstrap((values, values[1:]))

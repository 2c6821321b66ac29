"""Krippendorff's alpha on the published example, its interval, and the gold rule."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from mvr.errors import UsageError, WrongShape
from mvr.metrics.agreement import (
    Distance,
    fails_gold,
    inattention,
    krippendorff_alpha,
    rating_table,
    reliability,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "evaluation_known_answers.json").read_text())
EXAMPLE = np.array(
    [
        [np.nan if cell == "." else float(cell) for cell in row.split()]
        for row in (
            "1 2 3 3 2 1 4 1 2 . . .",
            "1 2 3 3 2 2 4 1 2 5 . 3",
            ". 3 3 3 2 3 4 2 2 5 1 .",
            "1 2 3 3 2 4 4 1 2 5 1 .",
        )
    ]
)


@pytest.mark.parametrize("distance", list(Distance))
def test_k14_the_published_example(distance):
    assert krippendorff_alpha(EXAMPLE, distance) == pytest.approx(GOLDEN["K14_alpha"][distance], abs=6e-7)


def interval_alpha(table: np.ndarray) -> float:
    """A slow loop over all pairs of values: 1 - observed / expected squared difference."""
    units = [column[~np.isnan(column)] for column in table.T if (~np.isnan(column)).sum() >= 2]
    observed = sum(((u[:, None] - u[None, :]) ** 2).sum() / (len(u) - 1) for u in units)
    values = np.concatenate(units)
    expected = ((values[:, None] - values[None, :]) ** 2).sum() / (len(values) - 1)
    return 1 - observed / expected


def test_alpha_is_that_of_a_slow_loop():
    rng = np.random.default_rng(0)
    for _ in range(5):
        table = rng.integers(0, 4, (4, 15)).astype(float)
        table[rng.random(table.shape) < 0.3] = np.nan
        assert krippendorff_alpha(table, Distance.INTERVAL) == pytest.approx(interval_alpha(table), abs=1e-9)


def test_the_interval_holds_the_point_and_narrows_with_units():
    rng = np.random.default_rng(1)

    def judged(units):
        truth = rng.integers(0, 4, units)
        return np.clip(truth + rng.integers(-1, 2, (3, units)), 0, 3).astype(float)

    small, large = reliability(judged(20), draws=200), reliability(judged(400), draws=200)
    assert small.interval and large.interval
    assert small.interval.low < small.alpha < small.interval.high
    assert large.interval.high - large.interval.low < small.interval.high - small.interval.low
    assert large.units == 400 and large.raters == 3


def test_without_disagreement_or_overlap_there_is_no_alpha():
    assert reliability(np.full((3, 4), 2.0)).alpha is None
    assert reliability(rating_table(*(np.array([0, 1]),) * 2, np.array([1.0, 2.0]))).alpha is None
    assert reliability(np.zeros((0, 0))).units == 0
    with pytest.raises(WrongShape):
        krippendorff_alpha(np.full((1, 3), 1.0))


@pytest.mark.parametrize(("passed", "shown"), [(0, 0), (0, 2), (1, 4), (3, 4), (5, 6)])
def test_the_gold_rule_is_the_integral_of_the_posterior(passed, shown):
    def density(rate):
        return rate**passed * (1 - rate) ** (shown - passed)

    expected = quad(density, 0, 0.6)[0] / quad(density, 0, 1)[0]
    assert inattention(passed, shown) == pytest.approx(expected, abs=1e-9)
    assert fails_gold(passed, shown) == (expected > 0.9)


def test_more_passed_than_shown_is_refused():
    with pytest.raises(UsageError, match="2 checks passed of 1"):
        inattention(2, 1)

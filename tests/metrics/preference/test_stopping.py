"""Evidence that has a direction."""

from __future__ import annotations

import numpy as np
import pytest

from mvr.metrics.preference.stopping import SEPARATED_AT, directed_e_value, e_value


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (3, 9), (65, 35), (94, 285)])
def test_the_two_directions_add_up_to_the_two_sided_evidence(wins, losses):
    both = directed_e_value(wins, losses) + directed_e_value(losses, wins)
    assert both == pytest.approx(e_value(wins, losses), rel=1e-9)


def test_the_evidence_is_the_mean_likelihood_over_chances_above_one_half():
    chances = (np.arange(200_000) + 0.5) / 200_000
    prior = (chances * (1 - chances)) ** 19
    likelihood = (2 * chances) ** 30 * (2 * (1 - chances)) ** 12
    expected = (prior * likelihood * (chances > 0.5)).sum() / prior.sum()
    assert directed_e_value(30, 12) == pytest.approx(expected, rel=1e-4)


def test_more_losses_than_wins_never_speak_for_the_first():
    for losses in (20, 285, 100_000):
        assert directed_e_value(losses // 3, losses) < 1 < SEPARATED_AT < e_value(losses // 3, 4 * losses)
    assert directed_e_value(100_000, 0) > 1e300, "no overflow"

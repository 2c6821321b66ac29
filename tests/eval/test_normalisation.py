"""Normalisation against hubs: equal to a slow loop, a planted hub is pushed down, wrong banks are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eval.protocols.normalisation import dynamic_inverted_softmax, inverted_softmax
from mvr.errors import NotFinite, UsageError, WrongShape
from mvr.metrics.ranks import rank_truths

GENERATOR = np.random.default_rng(0)
SCORES, BANK = GENERATOR.uniform(-1, 1, (5, 7)), GENERATOR.uniform(-1, 1, (9, 7))


@pytest.mark.parametrize("beta", [0.5, 20.0])
def test_the_inverted_softmax_equals_a_slow_loop(beta):
    found = inverted_softmax(SCORES, BANK, beta)
    for q in range(5):
        for i in range(7):
            share = math.exp(beta * SCORES[q, i]) / sum(math.exp(beta * BANK[b, i]) for b in range(9))
            assert math.exp(found[q, i]) == pytest.approx(share)


def test_only_queries_whose_best_item_is_a_hub_are_changed():
    bank = np.vstack([BANK[:3], SCORES[1]])
    found, hubs = dynamic_inverted_softmax(SCORES, bank, 5.0), set(bank.argmax(axis=1))
    changed = [query for query in range(5) if SCORES[query].argmax() in hubs]
    assert 0 < len(changed) < 5
    for query in range(5):
        expected = inverted_softmax(SCORES, bank, 5.0)[query] if query in changed else SCORES[query]
        np.testing.assert_array_equal(found[query], expected)


@pytest.mark.parametrize("normalise", [inverted_softmax, dynamic_inverted_softmax])
def test_an_item_that_is_near_to_everything_is_pushed_down(normalise):
    scores = 0.5 * np.eye(6)
    scores[:, 0] = 0.6  # a hub: every query likes item 0 best
    bank = np.zeros((20, 6))
    bank[:, 0] = 0.6
    assert rank_truths(scores).expected.tolist() == [1, 2, 2, 2, 2, 2]
    assert rank_truths(normalise(scores, bank, 10.0)).expected.tolist()[1:] == [1] * 5


def test_large_temperatures_do_not_overflow():
    assert np.isfinite(inverted_softmax(SCORES, BANK, 1e6)).all()


def test_banks_that_do_not_fit_are_refused():
    with pytest.raises(WrongShape, match="same items"):
        inverted_softmax(SCORES, BANK[:, :3], 1.0)
    with pytest.raises(WrongShape, match="same items"):
        inverted_softmax(SCORES, BANK[:0], 1.0)
    with pytest.raises(UsageError, match="beta must be positive"):
        inverted_softmax(SCORES, BANK, 0.0)
    with pytest.raises(NotFinite, match="NaN"):
        inverted_softmax(SCORES, np.full((2, 7), np.nan), 1.0)

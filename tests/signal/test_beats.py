"""Beats of steady pieces lie on a line; those of all others stay where they were heard."""

import numpy as np
import pytest

from mvr.signal.beats import straightened

RNG = np.random.default_rng(3)
CLICK_S = 1.3 + 0.5373 * np.arange(300)


def test_beats_that_were_made_to_a_click_lie_on_it_though_each_was_heard_off():
    heard = CLICK_S + RNG.normal(0, 0.01, 300)
    heard[::17] += 0.03  # soft strokes, heard late

    assert np.abs(straightened(heard) - CLICK_S).max() < 0.003


@pytest.mark.parametrize("drift", [0.02, -0.02, 0.1])
def test_beats_of_a_piece_that_grows_faster_or_slower_stay_where_they_were_heard(drift):
    played = np.cumsum(0.5 * (1 + drift * np.linspace(0, 1, 240)))

    assert np.array_equal(straightened(played), played)


def test_a_slower_ending_stays_where_it_was_heard():
    played = np.append(CLICK_S, CLICK_S[-1] + np.cumsum([0.7, 0.8, 1.0]))

    found = straightened(played)

    assert np.array_equal(found[-3:], played[-3:])
    assert np.abs(found[:-3] - CLICK_S).max() < 0.003


def test_a_piece_that_pauses_in_its_middle_lies_on_no_line():
    played = np.concatenate([CLICK_S[:150], CLICK_S[150:] + 0.2])

    assert np.array_equal(straightened(played), played)


def test_a_few_beats_are_no_line():
    few = np.array([0.5, 1.01, 1.49, 2.0])

    assert np.array_equal(straightened(few), few)

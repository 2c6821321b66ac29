"""Before and after its click's stretch a piece goes on with the click where it is struck there."""

import numpy as np
import pytest

from mvr.signal.rhythm.strokes import RATE_HZ
from mvr.signal.rhythm.tails import on_with_click

PERIOD_S = 0.51
CLICK_S = 0.7 + PERIOD_S * np.arange(140)


def struck_at(times_s: np.ndarray) -> np.ndarray:
    strokes = np.random.default_rng(8).normal(0, 0.3, round(75 * RATE_HZ)).astype(np.float32)
    strokes[np.rint(times_s * RATE_HZ).astype(int)] += 3
    return strokes


@pytest.mark.parametrize("off", [0.33, -0.4, 0.5])
@pytest.mark.parametrize("where", [slice(0, 30), slice(100, 140)], ids=["before", "after"])
def test_beats_on_other_strokes_are_moved_to_the_click_that_goes_on(where, off):
    heard = CLICK_S.copy()
    heard[where] += off * PERIOD_S + 0.004 * np.random.default_rng(1).normal(size=len(heard[where]))
    found = on_with_click(struck_at(CLICK_S), heard)
    numbers = (found - CLICK_S[0]) / PERIOD_S
    assert np.abs(numbers - np.rint(numbers)).max() < 1e-6
    assert abs(len(found) - 140) <= 1


@pytest.mark.parametrize("tempo", [0.9, 0.97, 1.04])
def test_a_part_at_another_tempo_stays(tempo):
    played = np.append(CLICK_S[:90], CLICK_S[89] + np.cumsum(PERIOD_S / tempo * np.ones(40)))
    heard = played + np.r_[np.zeros(90), 0.002 * np.random.default_rng(1).normal(size=40)]
    assert np.array_equal(on_with_click(struck_at(played), heard), heard)


def test_a_part_that_begins_anew_after_a_pause_stays():
    played = np.append(CLICK_S[:90], CLICK_S[90:] + 0.2)
    heard = played + np.r_[np.zeros(90), 0.002 * np.random.default_rng(1).normal(size=50)]
    assert np.array_equal(on_with_click(struck_at(played), heard), heard)


def test_a_few_beats_beside_the_click_and_beats_without_one_stay():
    few = np.append(CLICK_S, CLICK_S[-1] + [0.6, 1.3, 2.1])
    assert np.array_equal(on_with_click(struck_at(CLICK_S), few), few)
    loose = CLICK_S + 0.01 * np.random.default_rng(2).normal(size=140)
    assert np.array_equal(on_with_click(struck_at(CLICK_S), loose), loose)

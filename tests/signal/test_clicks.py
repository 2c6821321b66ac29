"""A piece that was made to a click has its beats on it; one that drifts keeps them where they were heard."""

import numpy as np
import pytest

from mvr.signal.onsets import FRAME_RATE_HZ
from mvr.signal.rhythm.beats import LOOSE, beat_candidates
from mvr.signal.rhythm.chains import find_chains
from mvr.signal.rhythm.clicks import Click, find_click, on_click

RNG = np.random.default_rng(3)
PERIOD_S = 0.5373
CLICK_S = 1.3 + PERIOD_S * np.arange(300)


def settled(times_s):
    click = find_click(times_s)
    return times_s if click is None else on_click(click, times_s)


def test_beats_that_were_made_to_a_click_lie_on_it_though_each_was_heard_off():
    heard = CLICK_S + RNG.normal(0, 0.01, 300)
    heard[::17] += 0.03  # soft strokes, heard late

    assert np.abs(settled(heard) - CLICK_S).max() < 0.003


def test_the_period_of_a_click_is_found_to_a_ten_thousandth():
    assert find_click(CLICK_S + RNG.normal(0, 0.008, 300)).period_s == pytest.approx(PERIOD_S, rel=1e-4)


def test_a_chain_that_leaves_the_click_in_a_break_and_comes_back_never_left_it():
    heard = CLICK_S.copy()
    heard[100:140] += 0.18 * np.sin(np.pi * np.linspace(0, 1, 40))

    assert np.abs(settled(heard) - CLICK_S).max() < 0.003


def test_a_chain_that_follows_other_strokes_half_of_the_time_never_left_the_click():
    heard = CLICK_S + RNG.normal(0, 0.003, 300)
    for first in range(20, 240, 43):  # swung strokes, a third of a beat early
        heard[first : first + 28] -= 0.17 * np.sin(np.pi * np.linspace(0, 1, 28)) ** 0.5

    assert (np.abs(heard - CLICK_S) < 0.02).mean() < 0.6
    assert np.abs(settled(heard) - CLICK_S).max() < 0.003


@pytest.mark.parametrize("swing_s", [0.03, 0.06, 0.1])
def test_a_tempo_that_waves_passes_a_line_and_does_not_stay_on_it(swing_s):
    played = CLICK_S + swing_s * np.sin(2 * np.pi * CLICK_S / 9)

    assert np.array_equal(settled(played), played)


def test_a_chain_that_gains_a_beat_in_a_break_has_as_many_as_the_click():
    pace = np.linspace(CLICK_S[100], CLICK_S[140], 42)
    heard = np.concatenate([CLICK_S[:100], pace, CLICK_S[141:]])

    found = settled(heard)

    assert len(found) == 300 and np.abs(found - CLICK_S).max() < 0.003


def test_an_intro_heard_half_a_beat_off_belongs_to_the_click():
    heard = np.concatenate([CLICK_S[:80] + PERIOD_S / 2, CLICK_S[81:]])
    heard[76:80] = np.linspace(heard[75], heard[80], 6)[1:-1]

    found = settled(heard)

    assert np.abs(found - CLICK_S[-len(found) :]).max() < 0.003 and len(found) >= 299


@pytest.mark.parametrize("drift", [0.02, -0.02, 0.1])
def test_beats_of_a_piece_that_grows_faster_or_slower_stay_where_they_were_heard(drift):
    played = np.cumsum(0.5 * (1 + drift * np.linspace(0, 1, 240)))

    assert np.array_equal(settled(played), played)


def test_a_slower_ending_stays_where_it_was_heard():
    played = np.append(CLICK_S, CLICK_S[-1] + np.cumsum([0.7, 0.8, 1.0]))

    found = settled(played)

    assert np.array_equal(found[-3:], played[-3:])
    assert np.abs(found[:-3] - CLICK_S).max() < 0.003


@pytest.mark.parametrize("tempo", [0.93, 0.97, 1.03, 1.2])
def test_a_last_part_at_another_tempo_stays_where_it_was_heard(tempo):
    played = np.append(CLICK_S, CLICK_S[-1] + PERIOD_S / tempo * np.arange(1, 90))

    found = settled(played)

    assert np.allclose(found[-80:], played[-80:], atol=0.003)


def test_a_piece_that_pauses_in_its_middle_has_no_click():
    played = np.concatenate([CLICK_S[:150], CLICK_S[150:] + 0.2])

    assert np.array_equal(settled(played), played)


def test_a_few_beats_and_a_mix_of_hours_have_no_click():
    assert find_click(np.array([0.5, 1.01, 1.49, 2.0])) is None
    assert find_click(0.5 * np.arange(7200)) is None


def test_a_chain_that_swells_drag_along_is_heard_again_stiffly():
    frame, strength = np.arange(round(90 * FRAME_RATE_HZ)), 0.0
    for number in range(148):  # 100 bpm, with louder strokes that come up to 0.15 s early and late
        swell_s = 0.15 * np.sin(2 * np.pi * number / 24)
        for moment_s, level in ((0.1 + 0.6 * number, 1.0), (0.1 + 0.6 * number + swell_s, 1.5)):
            strength = strength + level * np.exp(-0.5 * ((frame - moment_s * FRAME_RATE_HZ) / 2) ** 2)
    envelopes = np.tile(strength.astype(np.float32), (4, 1))

    chains = [chain for chain in find_chains(envelopes, 8) if abs(chain.bpm - 100) < 1]

    assert find_click(beat_candidates(envelopes, 100.0, LOOSE)[0]) is None
    assert any(np.ptp(np.diff(chain.times_s)) < 1e-6 for chain in chains)
    assert min(abs(chain.bpm - 100) for chain in chains) < 0.02


def test_beats_that_all_lie_half_a_beat_from_a_click_stay_as_they_were_heard():
    heard = CLICK_S + PERIOD_S / 2
    assert on_click(Click(PERIOD_S, CLICK_S[0]), heard) is heard

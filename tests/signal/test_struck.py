from __future__ import annotations

import numpy as np
import pytest

from eval.timing.songs import render_song
from mvr.signal.rhythm.bars import Bars
from mvr.signal.rhythm.hearing import find_rhythm, hear
from mvr.signal.rhythm.strokes import RATE_HZ, sharp_strokes
from mvr.signal.rhythm.struck import struck_beats

BEATS = 160
PERIOD_S = 0.667


def rises_at(times_s: np.ndarray, seconds: float = 110.0, strength: float = 9.0) -> np.ndarray:
    """(6, fine frames): what rises by chance, and a sharp rise in the lowest band and the whole at each time."""
    rises = np.random.default_rng(4).exponential(1.0, (6, 1 + round(seconds * RATE_HZ)))
    places = np.rint(times_s * RATE_HZ).astype(int)
    for band in (0, 5):
        np.add.at(rises[band], places, strength)
        np.add.at(rises[band], places + 1, strength / 2)
    return rises.astype(np.float32)


def dragged(times_s: np.ndarray) -> np.ndarray:
    """Beats as slow strings let them be heard: 90 ms late, by 45 ms more or less from phrase to phrase."""
    rng = np.random.default_rng(6)
    return times_s + 0.09 + 0.045 * np.sin(times_s / 2.3) + rng.normal(0, 0.008, len(times_s))


def four(times_s: np.ndarray) -> Bars:
    return Bars(chain=0, bar_beats=4, downbeats=np.arange(0, len(times_s), 4))


@pytest.mark.parametrize("struck", [1, 2, 4], ids=["every beat", "every other beat", "the first of each bar"])
def test_beats_that_strings_drag_along_lie_on_the_click_that_a_drum_keeps(struck):
    played = 0.8 + PERIOD_S * np.arange(BEATS)
    heard = dragged(played)
    found = struck_beats(rises_at(played[::struck]), heard, four(heard))
    assert found is not None
    assert abs(found.click.period_s / PERIOD_S - 1) < 1e-4
    assert len(found.times_s) == BEATS
    assert np.abs(found.times_s - played).max() < 0.01


def test_a_drum_half_a_beat_away_from_the_beats_keeps_their_click():
    played = 0.8 + 0.32 * np.arange(40)
    heard = played + 0.16 + 0.045 * np.sin(np.pi * (np.arange(40) + 0.5) / 10)
    found = struck_beats(rises_at(played, 16.0), heard, four(heard))
    assert found is not None and abs(found.click.period_s / 0.32 - 1) < 1e-3
    assert np.abs(found.click.away_s(found.times_s)).max() < 1e-6


def test_a_drum_that_drifts_with_the_beats_keeps_no_click():
    score = 0.8 + PERIOD_S * np.arange(BEATS)
    played = score + 0.045 * np.sin(score / 6)
    heard = played + np.random.default_rng(2).normal(0, 0.008, BEATS)
    assert struck_beats(rises_at(played), heard, four(heard)) is None, (
        "it is struck where it was heard, and not on a line"
    )


def test_strings_without_a_drum_and_a_few_beats_keep_no_click():
    played = 0.8 + PERIOD_S * np.arange(BEATS)
    heard = dragged(played)
    assert struck_beats(rises_at(played[:0]), heard, four(heard)) is None
    assert struck_beats(rises_at(played), heard[:12], four(heard[:12])) is None


def test_beats_that_keep_to_no_line_are_left_alone():
    played = 0.8 + PERIOD_S * np.arange(BEATS)
    heard = np.where(np.arange(BEATS) < BEATS // 2, played, played + PERIOD_S * 0.04 * np.arange(BEATS))
    assert struck_beats(rises_at(played), heard, four(heard)) is None


def test_what_swells_for_long_is_not_sharp():
    swell = np.tile(1 + np.sin(np.arange(8000) * 2 * np.pi / 160), (6, 1)).astype(np.float32)
    swell[:, 4000] += 2
    strokes = sharp_strokes(swell)
    assert strokes.argmax() == 4000 and np.delete(strokes, np.s_[3980:4020]).max() < strokes[4000] / 3


def test_slow_strings_have_the_tempo_of_the_drum_below_them():
    song = render_song("orchestral", 68_025, 40.0)
    assert find_rhythm(hear(song.samples)).tempo_bpm == pytest.approx(song.bpm, rel=0.0015)


@pytest.mark.parametrize("seed", [64_015, 68_015])
def test_bars_of_slow_strings_begin_where_chords_are_played_and_not_a_beat_early(seed):
    song = render_song("orchestral", seed, 40.0)
    downbeats = find_rhythm(hear(song.samples)).downbeats_s
    away = np.abs(downbeats[:, None] - song.downbeats_s).min(axis=1)
    assert len(downbeats) >= 15 and np.median(away) < 0.04

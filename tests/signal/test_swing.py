"""Swung music is heard on its long strokes, which are the beats, and not on the short ones before them."""

import numpy as np
import pytest

from eval.timing.songs import render_whole_song
from mvr.signal.rhythm.hearing import find_rhythm, hear
from mvr.signal.rhythm.strokes import RATE_HZ
from mvr.signal.rhythm.swing import swung_beats

BEATS = 0.4 + 0.53 * np.arange(100)


def struck(*parts: tuple[float, float]) -> np.ndarray:
    """(fine frames,): chance, and strokes so far into each beat and so sharp."""
    strokes = np.random.default_rng(8).normal(0, 0.3, round(55 * RATE_HZ)).astype(np.float32)
    for after, sharp in parts:
        strokes[np.rint((BEATS + after * 0.53) * RATE_HZ).astype(int)] += sharp
    return strokes


@pytest.mark.parametrize("short", [0.6, 0.65, 0.71])
def test_a_chain_on_the_short_strokes_is_moved_to_the_long_ones(short):
    found = swung_beats(struck((0, 3), (short, 2)), BEATS + short * 0.53)
    assert found is not None
    assert np.abs(found - 0.53 - BEATS).max() < 0.012


def test_a_chain_on_the_beats_of_swung_music_stays():
    assert swung_beats(struck((0, 3), (0.65, 2)), BEATS) is None


@pytest.mark.parametrize(
    "parts",
    [
        ((0, 3), (0.5, 2)),
        ((0, 3), (0.25, 2), (0.5, 2), (0.75, 2)),
        ((0, 3), (1 / 3, 2), (2 / 3, 2)),
        ((0, 3),),
    ],
    ids=["eighths", "sixteenths", "triplets", "quarters"],
)
def test_music_that_does_not_swing_stays(parts):
    strokes = struck(*parts)
    for after, _ in parts:
        assert swung_beats(strokes, BEATS + after * 0.53) is None


def test_a_few_beats_tell_nothing():
    assert swung_beats(struck((0, 3), (0.65, 2)), (BEATS + 0.65 * 0.53)[:20]) is None


@pytest.mark.parametrize("seed", [120_077, 120_317], ids=["all of it on short strokes", "parts of it"])
def test_bars_of_swung_music_begin_on_true_downbeats(seed):
    song = render_whole_song("jazz", seed, 60.0)
    downbeats = find_rhythm(hear(song.stereo.mean(axis=1))).downbeats_s
    true = np.append(song.downbeats_s, song.ending_s)
    away = np.abs(downbeats[:, None] - true).min(axis=1)
    assert len(downbeats) >= 20 and (away <= 0.02).mean() > 0.95

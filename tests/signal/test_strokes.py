from __future__ import annotations

import numpy as np
import pytest

from mvr.signal.rhythm.hearing import find_rhythm, hear
from mvr.signal.rhythm.lags import by_strokes_s
from mvr.signal.rhythm.strokes import HOP, sharp_strokes, stroke_rises, struck_beside, struck_near
from mvr.signal.spectrum import SAMPLE_RATE_HZ


def strokes(times_s: np.ndarray, seconds: float) -> np.ndarray:
    """Short noise, from each time on."""
    rng, size = np.random.default_rng(2), 800
    sound = 0.001 * rng.standard_normal(round(seconds * SAMPLE_RATE_HZ))
    for time_s in times_s:
        sound[round(time_s * SAMPLE_RATE_HZ) :][:size] += rng.standard_normal(size) * np.exp(
            -np.arange(size) / 150
        )
    return sound.astype(np.float32)


@pytest.mark.parametrize("late_s", [-0.04, 0.0, 0.05, 0.11])
def test_strokes_are_found_where_they_fall_beside_beats(late_s):
    beats = np.arange(0.5, 15, 0.61)
    beside = struck_beside(stroke_rises(strokes(beats, 15.5)), beats + late_s)
    assert -0.007 < beside.after_s + late_s < 0.003 and beside.clear > 4 and beside.sharp > 1.5, (
        "noise rises most steeply when its window begins to hold it"
    )


def test_beats_are_as_sharp_as_they_are_struck_though_their_lag_is_told_wrong_by_15_ms():
    beats = np.arange(0.5, 15, 0.61)
    sharp = sharp_strokes(stroke_rises(strokes(beats, 15.5)))
    right, late, between = (struck_near(sharp, beats + later_s) for later_s in (0.0, 0.015, 0.3))
    assert right == pytest.approx(late, rel=0.02) and between < 0.1 * right


@pytest.mark.parametrize(("loose_s", "least_s", "most_s"), [(0.0, -0.004, 0.004), (0.02, 0.016, 0.03)])
def test_a_sharp_stroke_tells_the_lag_alone_and_a_broad_one_half_of_it(loose_s, least_s, most_s):
    beats = np.arange(0.5, 79, 0.78)
    played = beats + np.random.default_rng(2).normal(0, loose_s, len(beats))
    found_s = by_strokes_s(0.04, stroke_rises(strokes(played, 80.0)), beats)
    assert least_s < found_s < most_s


def test_what_never_strikes_is_not_clear():
    rng = np.random.default_rng(3)
    hiss = (0.1 * rng.standard_normal(20 * SAMPLE_RATE_HZ)).astype(np.float32)
    rises = stroke_rises(hiss)
    assert rises.shape == (6, 1 + len(hiss) // HOP) and (rises >= 0).all()
    assert struck_beside(rises, np.arange(0.5, 19, 0.61)).clear < 2


def test_a_long_sound_is_heard_in_pieces_as_at_once(monkeypatch):
    sound = strokes(np.arange(0.2, 9, 0.37), 9.5)
    whole = stroke_rises(sound)
    monkeypatch.setattr("mvr.signal.rhythm.strokes._CHUNK", 4096)
    np.testing.assert_allclose(stroke_rises(sound), whole, atol=1e-4)


def swelling_chords(bpm: float, seconds: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Chords that take 0.16 s to rise on every beat, a soft low drum under each fourth: samples, beats in s."""
    rng, beat_s = np.random.default_rng(1), 60 / bpm
    beats = np.arange(0.3, seconds - 2, beat_s)
    sound = 0.001 * rng.standard_normal(round(seconds * SAMPLE_RATE_HZ))
    since = np.arange(round(1.4 * beat_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    rise = 0.5 - 0.5 * np.cos(np.pi * np.clip(since / 0.16, 0, 1))
    fall = 0.5 + 0.5 * np.cos(np.pi * np.clip((since - beat_s) / (0.4 * beat_s), 0, 1))
    drum = 0.25 * np.sin(2 * np.pi * 75 * since) * np.exp(-9 * since)
    roots_hz = 220 * 2 ** (rng.permutation(12) / 12)
    for number, beat in enumerate(beats):
        turn = 2 * np.pi * roots_hz[number // 2 % 12] * since
        chord = sum(np.sin(turn * note * part) / part for note in (1, 1.26, 1.5) for part in range(1, 8))
        first = round(beat * SAMPLE_RATE_HZ)
        sound[first : first + len(since)] += 0.05 * chord * rise * fall + (drum if number % 4 == 0 else 0)
    return sound.astype(np.float32), beats


@pytest.mark.parametrize("bpm", [84, 92, 108])
def test_slow_chords_over_a_drum_are_heard_when_the_drum_strikes(bpm):
    sound, beats = swelling_chords(bpm)
    rhythm = find_rhythm(hear(sound))
    nearest = np.abs(rhythm.beats_s[:, None] - beats).argmin(axis=1)
    assert abs(np.median(rhythm.beats_s - beats[nearest])) <= 0.006

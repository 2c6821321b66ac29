from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from eval.timing.patterns import play_pattern
from mvr.signal.rhythm.hearing import hear
from mvr.signal.spectrum import SAMPLE_RATE_HZ
from mvr.timing.fitting.joins import find_joins
from mvr.timing.fitting.loops import cut_plainly, find_round
from mvr.timing.fitting.paths import FitWish, plan_fit
from mvr.timing.fitting.plan import Method
from mvr.timing.fitting.rendering import render_fit
from mvr.timing.music import measure_music


def fitted(samples: np.ndarray, length_s: float):
    music, heard = measure_music(samples), hear(samples)
    plan = plan_fit(music, find_joins(heard, music.downbeats_s, music.end_s), FitWish(length_s=length_s))
    return plan, render_fit(samples[:, None], plan, SAMPLE_RATE_HZ)[:, 0]


def a_loop(kind: str, bpm: float, beats: int) -> np.ndarray:
    """Whole beats from a downbeat on, as loops are sold: what rings at its end rings at its beginning."""
    pattern = play_pattern(kind, bpm, seed=5, duration_s=30.0)
    first = round(pattern.downbeats_s[2] * SAMPLE_RATE_HZ)
    return pattern.samples[first : first + round(60 / bpm * beats * SAMPLE_RATE_HZ)]


@pytest.mark.parametrize(
    ("kind", "bpm", "beats"),
    [("rock", 120, 4), ("four on the floor", 126, 8), ("rock", 93, 4), ("rock", 100, 16), ("3/4", 140, 6)],
)
def test_a_loop_of_whole_beats_starts_over_to_the_sample(kind, bpm, beats):
    loop = a_loop(kind, bpm, beats)
    plan, sound = fitted(loop, 21.3)
    assert plan.method is Method.PLAIN and "starts over" in plan.note
    faded = round(plan.fade_s * SAMPLE_RATE_HZ)
    np.testing.assert_allclose(sound[:-faded], np.resize(loop, len(sound))[:-faded], atol=1e-6)


def test_a_few_bars_that_end_between_beats_start_over_on_a_beat():
    bpm = 110
    loop = a_loop("rock", bpm, 7)
    ragged = np.concatenate([loop, loop[: round(0.4 * 60 / bpm * SAMPLE_RATE_HZ)]])
    plan, _ = fitted(ragged, 20.0)
    assert plan.method is Method.PLAIN and len(plan.pieces) > 2
    for before, piece in itertools.pairwise(plan.pieces):
        beats = (before.source_end_s - piece.source_start_s) * bpm / 60
        assert beats == pytest.approx(round(beats), abs=0.1)


def test_sound_that_starts_late_is_no_loop_and_its_silence_is_heard_once():
    """Four seconds of silence and six of music are as long as whole beats, too."""
    late = np.concatenate([np.zeros(4 * SAMPLE_RATE_HZ, np.float32), a_loop("rock", 120, 12)])
    plan, sound = fitted(late, 30.0)
    assert len(plan.pieces) > 2
    assert all(piece.source_start_s > 3.9 for piece in plan.pieces[1:])
    seconds = np.abs(sound[4 * SAMPLE_RATE_HZ : 28 * SAMPLE_RATE_HZ]).reshape(24, -1)
    assert seconds.max(axis=1).min() > 0.01


@pytest.mark.parametrize("seconds", [0.7, 2.0, 5.0])
def test_a_short_sound_without_a_beat_keeps_its_level_where_it_starts_over(seconds):
    rng = np.random.default_rng(7)
    hiss = (0.2 * rng.standard_normal(round(seconds * SAMPLE_RATE_HZ))).astype(np.float32)
    plan, sound = fitted(hiss, 9.0)
    assert measure_music(hiss).tempo_bpm is None and len(plan.joins) >= 1
    body = sound[: -round(plan.fade_s * SAMPLE_RATE_HZ) or None]
    steps = np.array_split(body, len(body) // 1000)
    levels = 10 * np.log10([np.mean(step.astype(np.float64) ** 2) for step in steps])
    assert np.ptp(levels) < 1.5


def test_where_a_sound_starts_over_there_is_sound_on_both_sides():
    rng = np.random.default_rng(8)
    for seconds in (0.3, 1.0, 3.0, 20.0):
        music = measure_music((0.1 * rng.standard_normal(round(seconds * SAMPLE_RATE_HZ))).astype(np.float32))
        around = find_round(music)
        assert around.from_s >= around.crossfade_s / 2 - 1e-9
        assert around.until_s + around.crossfade_s / 2 <= music.duration_s + 1e-9
        assert around.until_s - around.from_s >= 2 * around.crossfade_s


def test_beats_that_lie_after_all_sound_lead_nowhere():
    music = measure_music(a_loop("rock", 120, 16))
    odd = replace(music, beats_s=np.array([7.9, 8.4]), duration_s=8.13, end_s=3.0)
    around = find_round(odd)
    assert 0 < around.from_s < around.until_s <= 3.0
    assert sum(piece.duration_s for piece in cut_plainly(odd, 0.0, 20.0).pieces) == pytest.approx(20.0)

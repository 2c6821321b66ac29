from __future__ import annotations

import mir_eval
import numpy as np
import pytest

from eval.timing.patterns import play_pattern
from eval.timing.songs import render_song
from mvr.signal.rhythm import find_rhythm, hear
from mvr.signal.spectrum import SAMPLE_RATE_HZ, mel_db, power_spectrogram


@pytest.mark.parametrize(("kind", "bpm"), [("plain", 73), ("plain", 190), ("rock", 128), ("swing", 96)])
def test_beats_of_patterns_are_found_without_lag(kind, bpm):
    pattern = play_pattern(kind, bpm, seed=905)
    rhythm = find_rhythm(hear(pattern.samples))
    assert mir_eval.beat.f_measure(pattern.beats_s, rhythm.beats_s) > 0.95
    nearest = np.abs(rhythm.beats_s[:, None] - pattern.beats_s).argmin(axis=1)
    assert abs(np.median(rhythm.beats_s - pattern.beats_s[nearest])) <= 0.012


@pytest.mark.parametrize(("kind", "bar_beats"), [("accent 3", 3), ("accent 4", 4), ("rock", 4), ("3/4", 3)])
def test_bars_begin_where_the_accent_is(kind, bar_beats):
    pattern = play_pattern(kind, 112, seed=906)
    rhythm = find_rhythm(hear(pattern.samples))
    assert rhythm.bar_beats == bar_beats
    assert mir_eval.beat.f_measure(pattern.downbeats_s, rhythm.downbeats_s, 0.07) > 0.9


def test_bars_of_a_rendered_piece_begin_where_its_chords_change():
    song = render_song("synthwave", 915_003)
    rhythm = find_rhythm(hear(song.samples))
    assert rhythm.bar_beats == 4
    assert mir_eval.beat.f_measure(song.downbeats_s, rhythm.downbeats_s) > 0.85


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.5, 2.0])
def test_silence_of_any_length_has_no_beats(seconds):
    rhythm = find_rhythm(hear(np.zeros(int(seconds * SAMPLE_RATE_HZ), np.float32)))
    assert rhythm.tempo_bpm is None and len(rhythm.beats_s) == len(rhythm.downbeats_s) == 0


def test_two_seconds_of_music_give_a_rhythm_or_none_inside_them():
    rhythm = find_rhythm(hear(play_pattern("rock", 120, seed=3, duration_s=2.0).samples))
    assert all(-0.05 <= beat <= 2.05 for beat in rhythm.beats_s)


def test_hearing_in_chunks_is_hearing_at_once():
    sound = np.random.default_rng(4).standard_normal(SAMPLE_RATE_HZ * 60).astype(np.float32)
    heard = hear(sound)
    assert heard is not None
    whole = mel_db(power_spectrogram(sound / np.float32(heard.rms)))
    np.testing.assert_allclose(heard.decibels, whole, atol=1e-3)

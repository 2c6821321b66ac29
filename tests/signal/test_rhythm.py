from __future__ import annotations

import mir_eval
import numpy as np
import pytest

from eval.timing.patterns import play_pattern
from eval.timing.songs import render_song
from mvr.library.demo import demo_dir
from mvr.media.sound import read_sound
from mvr.signal.onsets import FRAME_RATE_HZ
from mvr.signal.rhythm.bars import find_bars
from mvr.signal.rhythm.beats import beat_candidates
from mvr.signal.rhythm.hearing import find_rhythm, hear
from mvr.signal.rhythm.moments import WIDTH
from mvr.signal.rhythm.parts import Parts
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


@pytest.mark.parametrize(("genre", "seed"), [("house", 833_000), ("lo-fi", 832_000)])
def test_beats_lie_where_they_are_felt_and_not_half_a_beat_later(genre, seed):
    song = render_song(genre, seed)
    rhythm = find_rhythm(hear(song.samples))
    assert mir_eval.beat.f_measure(song.beats_s, rhythm.beats_s) > 0.85
    assert mir_eval.beat.f_measure(song.downbeats_s, rhythm.downbeats_s) > 0.85


def test_beats_are_those_that_are_struck_though_chords_change_as_clearly_half_a_beat_off():
    song = render_song("rock", 835_001, any_tempo=True)
    rhythm = find_rhythm(hear(song.samples))
    assert mir_eval.beat.f_measure(song.downbeats_s, rhythm.downbeats_s) > 0.85


def test_of_two_chains_that_speak_for_themselves_alike_the_one_struck_more_sharply_is_the_beats():
    rows, traits = np.random.default_rng(7).standard_normal((16, WIDTH)).astype(np.float32), np.zeros(12)
    times_s, parts = np.arange(16.0), Parts(np.zeros((0, 40), np.float32))
    found = [
        find_bars([rows, rows], [traits, traits], sharp, [times_s, times_s], parts)
        for sharp in ((1.4, 1.0), (1.0, 1.4))
    ]
    assert [bars.chain for bars in found] == [0, 1]


def test_bars_begin_where_players_come_in_though_chords_and_strokes_point_half_a_beat_beside():
    song = render_song("house", 145_005, any_tempo=True)
    rhythm = find_rhythm(hear(song.samples))
    assert mir_eval.beat.f_measure(song.downbeats_s, rhythm.downbeats_s) > 0.85


def test_bars_of_house_begin_where_its_chords_change_and_not_two_beats_off():
    song = render_song("house", 853_000)
    rhythm = find_rhythm(hear(song.samples))
    assert mir_eval.beat.f_measure(song.downbeats_s, rhythm.downbeats_s) > 0.85


@pytest.mark.parametrize("bpm", [72, 73, 74, 82])
def test_hats_between_slow_kicks_do_not_double_the_tempo(bpm):
    pattern = play_pattern("four on the floor", bpm, seed=907)
    rhythm = find_rhythm(hear(pattern.samples))
    assert rhythm.tempo_bpm == pytest.approx(bpm, rel=0.04)
    assert mir_eval.beat.f_measure(pattern.downbeats_s, rhythm.downbeats_s) > 0.9


@pytest.mark.parametrize(("genre", "seed"), [("folk", 857_000), ("folk", 63_016)])
def test_strummed_chords_are_heard_when_they_are_played(genre, seed):
    song = render_song(genre, seed)
    rhythm = find_rhythm(hear(song.samples))
    nearest = np.abs(rhythm.beats_s[:, None] - song.beats_s).argmin(axis=1)
    assert abs(np.median(rhythm.beats_s - song.beats_s[nearest])) <= 0.012


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.5, 2.0])
def test_silence_of_any_length_has_no_beats(seconds):
    rhythm = find_rhythm(hear(np.zeros(int(seconds * SAMPLE_RATE_HZ), np.float32)))
    assert rhythm.tempo_bpm is None and len(rhythm.beats_s) == len(rhythm.downbeats_s) == 0


def test_two_seconds_of_music_give_a_rhythm_or_none_inside_them():
    rhythm = find_rhythm(hear(play_pattern("rock", 120, seed=3, duration_s=2.0).samples))
    assert all(0 <= beat <= 2.05 for beat in rhythm.beats_s)


def test_no_beat_lies_before_the_sound():
    sound = read_sound(demo_dir() / "tracks" / "slow-aurora.m4a", SAMPLE_RATE_HZ)
    assert find_rhythm(hear(sound)).beats_s[0] == 0


def test_hearing_in_chunks_is_hearing_at_once():
    sound = np.random.default_rng(4).standard_normal(SAMPLE_RATE_HZ * 60).astype(np.float32)
    heard = hear(sound)
    assert heard is not None
    whole = mel_db(power_spectrogram(sound / np.float32(heard.rms)))
    np.testing.assert_allclose(heard.decibels, whole, atol=1e-3)


def play_between_beats(bpm: float, seconds: float = 15.0) -> tuple[np.ndarray, np.ndarray]:
    """Bass on and between beats, hats between them alone, a new chord on every beat: samples, and beats in s."""
    rng, beat_s, start_s = np.random.default_rng(1), 60 / bpm, 0.2
    time_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    beats = np.arange(start_s, seconds - 0.8, beat_s)
    steps = rng.permutation(12)[((time_s - start_s) / beat_s).clip(0).astype(int) % 12]
    phase = 2 * np.pi * np.cumsum(220 * 2 ** (steps / 12)) / SAMPLE_RATE_HZ
    sound = rng.normal(0, 0.002, len(time_s))
    sound += 0.1 * sum(level * np.sin(part * phase) for part, level in ((1, 1.0), (2, 0.6), (3, 0.4)))
    since = time_s[: int(0.12 * SAMPLE_RATE_HZ)]
    bass = 0.3 * np.sin(2 * np.pi * 60 * since) * np.exp(-25 * since)
    for at in np.concatenate([beats, beats + beat_s / 2]):
        sound[int(at * SAMPLE_RATE_HZ) :][: len(bass)] += bass
    for at in beats + beat_s / 2:
        sound[int(at * SAMPLE_RATE_HZ) :][: len(bass)] += rng.normal(0, 0.05, len(bass)) * np.exp(-40 * since)
    return sound.astype(np.float32), beats


@pytest.mark.parametrize("bpm", [122, 126, 130])
def test_true_beats_are_among_the_chains_though_it_is_louder_half_a_beat_later(bpm):
    samples, beats_s = play_between_beats(bpm)
    heard = hear(samples)
    assert heard is not None
    found = [mir_eval.beat.f_measure(beats_s, chain) for chain in beat_candidates(heard.envelopes, bpm)]
    assert min(found) < 0.1, "the loudest chain is half a beat late"
    assert max(found) > 0.9


@pytest.mark.parametrize("bpm", [114, 118, 122, 126, 130, 138, 146, 154, 162, 171, 180])
def test_beats_are_followed_where_chords_change_though_it_is_louder_half_a_beat_later(bpm):
    samples, beats_s = play_between_beats(bpm)
    rhythm = find_rhythm(hear(samples))
    assert rhythm.tempo_bpm == pytest.approx(bpm, rel=0.04)
    assert mir_eval.beat.f_measure(beats_s, rhythm.beats_s) > 0.9


def test_true_beats_are_among_the_chains_though_the_strongest_one_follows_them_most_of_the_time_only():
    """It changes over after a third, and the bass lies between the beats: beats all along are another chain still."""
    frame, period = np.arange(round(60 * FRAME_RATE_HZ)), FRAME_RATE_HZ * 0.5
    beats = 20 + period * np.arange(116)

    def stroke(places, level):
        return sum(level * np.exp(-0.5 * ((frame - place) / 1.5) ** 2) for place in places)

    between = beats + period / 2
    bass = stroke(between, 3.0) + stroke(beats, 0.5)
    every = stroke(between[:40], 4.0) + stroke(beats[44:], 4.0) + stroke(beats[:44], 0.5)
    found = beat_candidates(np.stack([every, bass, 0 * every, every]).astype(np.float32), 120.0)
    true_s = beats / FRAME_RATE_HZ
    shares = [float((np.abs(chain[:, None] - true_s).min(axis=1) < 0.06).mean()) for chain in found]
    assert max(shares) > 0.9

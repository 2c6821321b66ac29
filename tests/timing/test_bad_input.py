"""Sound and pictures that have nothing to tell, or too much: a result or one sentence."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from mvr.errors import NoSound
from mvr.signal.cuts import find_cuts
from mvr.signal.picture import Watcher, points_of_thumb
from mvr.signal.rhythm.hearing import hear
from mvr.signal.spectrum import SAMPLE_RATE_HZ
from mvr.timing.files import fitted_sound, plan_file
from mvr.timing.film import FilmTiming, film_timing
from mvr.timing.fitting.joins import find_joins
from mvr.timing.fitting.paths import FitWish, plan_fit
from mvr.timing.fitting.plan import Ending, Method
from mvr.timing.fitting.rendering import render_fit
from mvr.timing.music import measure_music
from mvr.timing.placing.places import place_tracks
from tests.timing.test_placing import a_film, a_track

TONE = 0.3 * np.sin(2 * np.pi * 440 * np.arange(20 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ).astype(np.float32)


def seen(times_s, thumb=None) -> FilmTiming:
    watcher = Watcher()
    for number, time_s in enumerate(times_s):
        picture = np.full((27, 48, 3), 90, np.uint8) if thumb is None else thumb(number)
        watcher.see(float(time_s), points_of_thumb(picture))
    return film_timing(watcher.changes())


def test_one_tone_has_no_tempo_and_is_cut_without_bars():
    music, heard = measure_music(TONE), hear(TONE)
    assert music.tempo_bpm is None and len(music.beats_s) == len(music.downbeats_s) == 0
    plan = plan_fit(music, find_joins(heard, music.downbeats_s, music.end_s), FitWish(length_s=33.3))
    assert plan.method is not Method.BARS
    assert len(render_fit(TONE[:, None], plan, SAMPLE_RATE_HZ)) == round(33.3 * SAMPLE_RATE_HZ)


def test_two_seconds_of_music_fill_a_clip_and_say_how():
    rng = np.random.default_rng(5)
    short = (rng.standard_normal(2 * SAMPLE_RATE_HZ) * np.linspace(1, 0.1, 2 * SAMPLE_RATE_HZ)).astype(
        np.float32
    )
    music, heard = measure_music(short), hear(short)
    plan = plan_fit(music, find_joins(heard, music.downbeats_s, music.end_s), FitWish(length_s=9.0))
    assert plan.method is Method.PLAIN and "cut plainly" in plan.note
    assert len(render_fit(short[:, None], plan, SAMPLE_RATE_HZ)) == 9 * SAMPLE_RATE_HZ


def test_a_clip_that_is_shorter_than_a_track_dies_away_gets_more_than_its_last_breath():
    rng, rate_hz = np.random.default_rng(9), SAMPLE_RATE_HZ
    dying = np.minimum(1, 10 ** (-(np.arange(20 * rate_hz) / rate_hz - 16) * 15 / 20))  # 15 dB a second
    sound = (0.1 * rng.standard_normal(len(dying)) * dying).astype(np.float32)
    music, bars = measure_music(sound), find_joins(hear(sound), np.zeros(0), 20.0)
    assert plan_fit(music, bars, FitWish(length_s=8.0)).ending is Ending.REAL
    plan = plan_fit(music, bars, FitWish(length_s=2.0))
    assert plan.ending is Ending.FADE and "dies away for longer than the clip lasts" in plan.note
    heard = render_fit(sound[:, None], plan, rate_hz)
    assert np.abs(heard[:rate_hz]).mean() > 0.5 * np.abs(sound[:rate_hz]).mean()


def test_a_track_that_is_no_longer_than_a_click_is_not_called_silent(tmp_path):
    soundfile.write(tmp_path / "click.wav", np.full(441, 0.3), 44_100)
    with pytest.raises(NoSound, match=r"click\.wav: the track is 10 ms long"):
        plan_file(tmp_path / "click.wav", FitWish(length_s=9.0))


def test_a_fit_of_which_nothing_would_be_heard_says_so(tmp_path):
    late = np.zeros(20 * 8000)
    late[19 * 8000 :: 800] = 0.5
    soundfile.write(tmp_path / "late.wav", late, 8000)
    plan = plan_file(tmp_path / "late.wav", FitWish(length_s=6.0))
    assert plan.pieces[-1].source_end_s < 19, "else this test shows nothing"
    with pytest.raises(
        NoSound, match=r"late\.wav: the track is silent from 0\.0 s on for as long as the clip"
    ):
        fitted_sound(tmp_path / "late.wav", plan)


def test_a_fade_out_of_a_moment_is_told_as_one():
    plan = plan_fit(measure_music(TONE), find_joins(hear(TONE), np.zeros(0), 20.0), FitWish(length_s=0.04))
    assert "a fade-out of 0.010 s" in plan.ends_told


def test_silence_is_cut_plainly_and_says_so():
    silence = np.zeros(5 * SAMPLE_RATE_HZ, np.float32)
    music = measure_music(silence)
    assert music.ending_s is None and len(music.hits_s) == 0 and not music.strokes.any()
    bars = find_joins(hear(TONE), music.downbeats_s, music.end_s)
    assert plan_fit(music, bars, FitWish(length_s=9.0)).note == "cut plainly: the track is silent"


def test_a_constant_in_all_samples_is_silence_and_changes_nothing_that_is_heard_over_it():
    assert hear(np.full(5 * SAMPLE_RATE_HZ, 0.3, np.float32)) is None
    rng = np.random.default_rng(8)
    music = np.where(
        np.arange(6 * SAMPLE_RATE_HZ) % 11_025 < 2000, rng.normal(0, 0.01, 6 * SAMPLE_RATE_HZ), 0
    )
    plain, over = (measure_music((level + music).astype(np.float32)) for level in (0.0, 0.3))
    assert over.tempo_bpm == pytest.approx(plain.tempo_bpm) == pytest.approx(120, rel=0.01)
    np.testing.assert_allclose(over.beats_s, plain.beats_s, atol=0.001)


@pytest.mark.parametrize(
    "times_s", [[0.0], np.arange(0, 10, 0.04)], ids=["one frame", "ten seconds of one picture"]
)
def test_a_still_picture_has_no_cuts_and_cannot_be_placed(times_s):
    film = seen(times_s)
    assert len(film.cuts_s) == len(film.flashes_s) == 0 and not film.motion.any()
    [placing] = place_tracks(film, [a_track()], [(4.0, 14.0)])
    assert placing.start_s == 4.0 and placing.peak is None and "cannot be placed" in placing.words


def test_cuts_of_a_picture_of_changing_frame_rate_are_where_they_were_seen():
    rng = np.random.default_rng(6)
    shots = rng.integers(0, 255, (4, 27, 48, 3)).astype(np.uint8)
    steps = np.concatenate(
        [np.full(60, 1 / 60), np.full(25, 1 / 25), np.full(12, 1 / 12), np.full(30, 1 / 30)]
    )
    times_s = 0.4 + np.concatenate([[0], np.cumsum(steps)[:-1]])  # the picture itself begins late
    shot_of = np.repeat(np.arange(4), [60, 25, 12, 30])
    film = seen(times_s, lambda number: shots[shot_of[number]])
    np.testing.assert_allclose(film.cuts_s, times_s[[60, 85, 97]])
    assert film.duration_s == pytest.approx(times_s[-1], abs=0.1)


def test_sound_that_starts_late_has_its_beats_and_hits_where_they_are_heard():
    from eval.timing.patterns import play_pattern

    pattern = play_pattern("rock", 120, seed=907, duration_s=20.0)
    late = np.concatenate([np.zeros(round(7.3 * SAMPLE_RATE_HZ), np.float32), pattern.samples])
    music = measure_music(late)
    assert music.tempo_bpm == pytest.approx(120, rel=0.01) and music.beats_s[0] > 7.2
    distance = np.abs(music.beats_s[:, None] - 7.3 - pattern.beats_s).min(axis=1)
    assert np.median(distance) < 0.02


def test_ten_hours_are_placed():
    hours = a_track(36_000)
    [placing] = place_tracks(a_film(30), [hours], [(0.0, 36_000.0)], draws=1)
    assert 0 <= placing.start_s <= 36_000 - 30 and placing.peak is not None


def test_frames_further_apart_than_a_fifteenth_of_a_second_tell_no_exact_moment():
    rng = np.random.default_rng(7)
    pictures = rng.integers(0, 255, (80, 27, 48, 3)).astype(np.uint8)
    assert not seen(np.arange(80) / 10, lambda number: pictures[number]).motion.any()
    assert seen(np.arange(80) / 25, lambda number: pictures[number]).motion.any()
    assert len(find_cuts(Watcher().changes())) == 0


@pytest.mark.parametrize("seed", [0, 5, 11])
def test_hiss_and_a_tone_have_no_tempo_no_hits_and_no_parts(seed):
    rng = np.random.default_rng(seed)
    for _ in range(3):
        hiss = (0.1 * rng.standard_normal(20 * SAMPLE_RATE_HZ)).astype(np.float32)
        music = measure_music(hiss)
        assert music.tempo_bpm is None and music.sections_s.tolist() == [0.0]
        assert len(music.hits_s[music.hits_s > 0.1]) == 0
    tone = measure_music(TONE)
    assert len(tone.hits_s) == 0 and tone.sections_s.tolist() == [0.0]

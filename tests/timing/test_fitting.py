from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from eval.timing.fits import flux_share
from eval.timing.songs import render_whole_song
from mvr.errors import UsageError
from mvr.signal.rhythm.hearing import hear
from mvr.signal.spectrum import SAMPLE_RATE_HZ
from mvr.timing.fitting.joins import find_joins
from mvr.timing.fitting.paths import ALIKE, FitWish, plan_fit
from mvr.timing.fitting.plan import Ending, Method
from mvr.timing.fitting.rendering import fade_of, render_fit
from mvr.timing.music import measure_music


@pytest.fixture(scope="module")
def song():
    song = render_whole_song("synthwave", 87_000, about_s=60.0)
    mono = song.stereo.mean(axis=1)
    music = measure_music(mono)
    return song, music, find_joins(hear(mono), music.downbeats_s, music.end_s)


@pytest.mark.parametrize("length_s", [12.34567, 30.0, 45.0, 100.0])
def test_music_is_exactly_as_long_as_the_clip_and_ends_as_the_track_does(song, length_s):
    whole, music, bars = song
    plan = plan_fit(music, bars, FitWish(length_s=length_s))
    assert plan.method is Method.BARS and plan.ending is Ending.REAL
    assert plan.pieces[-1].source_end_s == pytest.approx(music.end_s)
    assert plan.pieces[-1].end_s == pytest.approx(length_s, abs=1e-6)
    assert len(render_fit(whole.stereo, plan, SAMPLE_RATE_HZ)) == round(length_s * SAMPLE_RATE_HZ)
    for before, piece in itertools.pairwise(plan.pieces):
        assert piece.start_s == pytest.approx(before.end_s)


@pytest.mark.parametrize("length_s", [30.0, 100.0])
def test_joins_lie_on_true_downbeats_between_bars_that_sound_alike(song, length_s):
    whole, music, bars = song
    plan = plan_fit(music, bars, FitWish(length_s=length_s))
    true = np.append(whole.downbeats_s, whole.ending_s)
    assert plan.joins
    for before, piece in itertools.pairwise(plan.pieces):
        for side in (before.source_end_s, piece.source_start_s):
            assert np.abs(true - side).min() <= 0.02
        assert piece.percentile >= ALIKE
    assert max(flux_share(whole.stereo, render_fit(whole.stereo, plan, SAMPLE_RATE_HZ), plan)) <= 0.99


def test_the_wished_second_is_struck_by_the_start_of_a_part(song):
    _, music, bars = song
    plan = plan_fit(music, bars, FitWish(length_s=40.0, hit_s=17.3))
    assert plan.hit_error_s == 0 and abs(plan.end_error_s) < 2.5
    at = next(piece for piece in plan.pieces if piece.start_s <= 17.3 < piece.end_s + 1e-6)
    struck_s = at.source_start_s + 17.3 - at.start_s
    moments = np.concatenate([music.sections_s, music.hits_s])
    assert np.abs(moments - struck_s).min() < 1e-3


def test_a_hit_that_the_track_s_own_ending_cannot_follow_is_struck_and_faded(song):
    _, music, bars = song
    plan = plan_fit(music, bars, FitWish(length_s=6.0, hit_s=5.2))
    assert plan.method is Method.BARS and plan.ending is Ending.FADE and "ending in time" in plan.note
    assert plan.hit_error_s == 0 and plan.end_error_s == 0 and not str(plan.end_error_s).startswith("-")


@pytest.mark.parametrize("start_s", [0.0, 26.0, 39.0])
def test_of_parts_that_can_be_struck_the_one_next_to_the_wished_start_is(song, start_s):
    _, music, bars = song
    wish = FitWish(length_s=10.0, hit_s=5.0, start_s=start_s, ending=Ending.FADE)
    [piece] = plan_fit(music, bars, wish).pieces
    starts = music.sections_s[music.sections_s > 0.5] - wish.hit_s
    fitting = starts[(starts >= 0) & (starts + wish.length_s <= music.end_s)]
    assert len(fitting) > 1
    assert piece.source_start_s == pytest.approx(fitting[np.abs(fitting - start_s).argmin()])


def test_a_hit_goes_before_the_track_s_own_ending_where_no_smooth_join_leads_from_one_to_the_other(song):
    _, music, bars = song
    rough = replace(bars, percentile=np.zeros_like(bars.percentile))
    plan = plan_fit(music, rough, FitWish(length_s=31.0, hit_s=15.3))
    assert plan.hit_error_s == 0 and plan.joins == () and plan.ending is Ending.FADE
    assert "no smooth path" in plan.note


def test_a_fade_keeps_the_wished_start_and_needs_no_join_where_the_track_is_long_enough(song):
    whole, music, bars = song
    plan = plan_fit(music, bars, FitWish(length_s=20.0, start_s=7.5, ending=Ending.FADE))
    [piece] = plan.pieces
    assert (piece.source_start_s, piece.source_end_s) == (7.5, 27.5) and plan.fade_s == 2.0
    fitted = render_fit(whole.stereo, plan, SAMPLE_RATE_HZ)
    np.testing.assert_array_equal(
        fitted[1000 : 10 * SAMPLE_RATE_HZ],
        whole.stereo[round(7.5 * SAMPLE_RATE_HZ) :][1000 : 10 * SAMPLE_RATE_HZ],
    )
    assert np.abs(fitted[-1]).max() < 1e-9


def test_no_path_is_smoother_than_the_one_that_is_taken():
    """Against every sequence of four bars."""
    rng = np.random.default_rng(3)
    from mvr.timing.fitting.joins import Bars
    from mvr.timing.fitting.paths import _Solver

    like = rng.uniform(-1, 1, (5, 5)).astype(np.float32)
    bars = Bars(
        edges_s=np.arange(6.0),
        likeness=like,
        percentile=(like + 1) / 2,
        struck=np.zeros((5, 5), np.float32),
        steady=np.ones((5, 5), bool),
        on_beat=True,
    )
    solver = _Solver(bars, 5.0, FitWish(length_s=4.0), True)
    found = solver._path(1, 4, 4)
    costs = {
        way: sum(solver.cost[a, b] for a, b in itertools.pairwise(way))
        for way in itertools.product(range(5), repeat=4)
        if way[0] == 1 and way[-1] == 4
    }
    assert found.cost == pytest.approx(min(costs.values()))
    assert costs[tuple(found.bars)] == pytest.approx(found.cost)


def test_a_bar_that_is_heard_too_long_keeps_no_track_from_its_own_ending():
    from mvr.timing.fitting.joins import Bars
    from mvr.timing.fitting.paths import _Solver

    same = np.ones((3, 3), np.float32)
    edges_s = np.array([0.0, 2.0, 4.0, 6.2])
    bars = Bars(
        edges_s=edges_s, likeness=same, percentile=same, struck=np.zeros((3, 3), np.float32),
        steady=np.ones((3, 3), bool), on_beat=True,
    )  # fmt: skip
    plan = _Solver(bars, 6.7, FitWish(length_s=6.55), True).plain()
    assert plan is not None and plan.pieces[-1].source_end_s == pytest.approx(6.7)
    assert plan.pieces[-1].end_s == pytest.approx(6.55) and not plan.joins


def test_a_join_avoids_the_jump_that_is_struck_hardest():
    from mvr.timing.fitting.joins import Bars
    from mvr.timing.fitting.paths import _Solver

    same = np.ones((6, 6), np.float32)
    struck = np.full((6, 6), 0.5, np.float32)
    struck[0, 3] = 1.0
    bars = Bars(
        edges_s=np.arange(7.0), likeness=same, percentile=same, struck=struck, steady=same > 0, on_beat=True
    )
    solver = _Solver(bars, 6.0, FitWish(length_s=3.0), True)
    assert solver.cost[0, 3] > solver.cost[0, 4]
    assert solver.cost[2, 3] == 0


def test_a_jump_is_struck_as_hard_as_the_music_is_louder_after_it_than_before_it():
    """Bars of noise of two levels: into a loud bar from a soft one, not from a loud one nor into a soft one."""
    rng, bar_s = np.random.default_rng(4), 2.0
    loud = np.repeat([0.1, 1, 0.1, 1, 1, 0.1, 0.1, 1], round(bar_s * SAMPLE_RATE_HZ))
    heard = hear((0.1 * loud * rng.standard_normal(len(loud))).astype(np.float32))
    struck = find_joins(heard, np.arange(0, 16, bar_s), 16.0).struck
    assert struck[0, 3] > 0.99 and struck[2, 1] > 0.99 and struck[5, 4] > 0.99
    assert max(struck[1, 4], struck[3, 2], struck[4, 6]) < 0.99
    assert struck[5, 6] < 0.99 < struck[5, 1], "the same bar is left for both"


def test_a_join_avoids_bars_off_the_click_that_most_of_them_keep():
    from mvr.timing.fitting.paths import _Solver

    heard = hear(np.random.default_rng(5).normal(0, 0.1, 20 * SAMPLE_RATE_HZ).astype(np.float32))
    edges_s = np.arange(20.0)
    edges_s[5] += 0.06
    bars = find_joins(heard, edges_s, 20.0)
    apart = ~bars.steady
    assert apart[4].all() and apart[:, 5].all() and apart.sum() == 2 * len(bars) - 1
    alike = replace(bars, steady=np.ones_like(apart))
    costs = [_Solver(each, 20.0, FitWish(length_s=9.0), True).cost for each in (bars, alike)]
    assert (costs[0] - costs[1] > 1)[apart & (costs[1] > 0)].all() and costs[0][4, 5] == 0
    assert find_joins(heard, np.arange(20.0) + 0.2 * np.sin(np.arange(20) / 2), 20.0).steady.all(), "no click"


def test_a_hit_near_the_end_is_not_faded_away(song):
    _, music, bars = song
    wish = FitWish(length_s=30.0, hit_s=29.0, ending=Ending.FADE)
    plan = plan_fit(music, bars, wish)
    gain = fade_of(plan, 30 * 48_000, 48_000)
    assert plan.hit_error_s == 0 and plan.fade_s == pytest.approx(1.0)
    assert gain[: 29 * 48_000].min() == 1.0 and gain[-1] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("sound", ["silence", "tone", "two seconds"])
def test_odd_music_is_cut_plainly_and_says_why(sound):
    time = np.arange(SAMPLE_RATE_HZ * (2 if sound == "two seconds" else 12)) / SAMPLE_RATE_HZ
    samples = (0.0 if sound == "silence" else 0.3) * np.sin(2 * np.pi * 330 * time).astype(np.float32)
    music, heard = measure_music(samples), hear(samples)
    if heard is None:
        assert sound == "silence" and music.end_s == 0
        return
    plan = plan_fit(music, find_joins(heard, music.downbeats_s, music.end_s), FitWish(length_s=9.0))
    fitted = render_fit(samples[:, None], plan, SAMPLE_RATE_HZ)
    assert plan.method is not Method.BARS and plan.note and len(fitted) == 9 * SAMPLE_RATE_HZ
    assert np.isfinite(fitted).all()


def test_wishes_that_cannot_be_are_one_sentence():
    with pytest.raises(UsageError, match="is outside the clip"):
        FitWish(length_s=5.0, hit_s=6.0)
    with pytest.raises(UsageError, match="must be above 0"):
        FitWish(length_s=0.0)


def test_music_cannot_start_after_the_track_s_end(song):
    _, music, bars = song
    with pytest.raises(UsageError, match="cannot start at 900 s: the track ends at"):
        plan_fit(music, bars, FitWish(length_s=5.0, start_s=900.0))


def test_a_hit_that_no_moment_can_be_brought_to_leaves_the_rest_fitted_and_says_so(song):
    _, music, bars = song
    nowhere = replace(music, sections_s=np.zeros(1), hits_s=np.zeros(0))
    plan = plan_fit(nowhere, bars, FitWish(length_s=40.0, hit_s=17.3))
    assert plan.method is Method.BARS and plan.ending is Ending.REAL and plan.end_error_s == 0
    assert plan.hit_s == 17.3 and plan.hit_error_s is None and "brought to 17.30 s" in plan.note


def test_music_without_a_beat_is_joined_where_it_is_soft_and_says_so():
    """Wind: every third stretch of two seconds is soft."""
    rng = np.random.default_rng(12)
    loud = np.repeat(np.tile([0.2, 0.2, 0.03], 5), 2 * SAMPLE_RATE_HZ)
    wind = (loud * rng.standard_normal(len(loud))).astype(np.float32)
    heard, none = hear(wind), np.zeros(0)
    music = replace(measure_music(wind), tempo_bpm=None, beats_s=none, downbeats_s=none)
    plan = plan_fit(music, find_joins(heard, none, music.end_s), FitWish(length_s=55.0))
    assert plan.method is Method.CROSSFADE and plan.joins and "crossfades of 1 s" in plan.note
    for before, piece in itertools.pairwise(plan.pieces):
        for side in (before.source_end_s, piece.source_start_s):
            assert (
                np.mean(loud[round((side - 0.5) * SAMPLE_RATE_HZ) : round((side + 0.5) * SAMPLE_RATE_HZ)])
                < 0.15
            )

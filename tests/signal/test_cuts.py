from __future__ import annotations

import numpy as np
import pytest

from eval.timing.cuts import Count, adaptive_cuts, compare_cuts, our_cuts, quiet_windows
from eval.timing.films.demo_films import demo_films
from eval.timing.films.odd_shots import ODD_KINDS, odd_film
from eval.timing.films.shots import KINDS, RATE_FPS, CutFilm, draw_films, fade_over, paint_film, paint_shot
from mvr.signal.cuts import find_cuts
from mvr.signal.picture import Watcher


def shot(seed: int, length: int = 30) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(paint_shot(rng, length, rng.uniform(10, 245, (3, 3))), 0, 255).astype(np.uint8)


def dev_film(kind: str, seed: int) -> CutFilm:
    if kind in KINDS:
        return paint_film(kind, np.random.default_rng([seed, KINDS.index(kind)]))
    return odd_film(kind, np.random.default_rng([seed, 100 + list(ODD_KINDS).index(kind)]))


def counted(kind: str, films: int = 3) -> Count:
    count = Count()
    for number in range(films):
        film = odd_film(kind, np.random.default_rng([83, number]))
        count.add(film.cuts_s, our_cuts(film.frames, film.rate_fps))
    return count


def test_cuts_are_found_to_the_frame():
    frames = np.concatenate([shot(1), shot(2, 25), shot(3)])
    np.testing.assert_allclose(our_cuts(frames), [30 / RATE_FPS, 55 / RATE_FPS])


def test_cuts_are_found_better_than_by_pyscenedetect():
    counts = compare_cuts(draw_films(1, seed=81, shots=6))
    assert counts["mvr"]["all"]["f1"] > 0.9
    assert counts["mvr"]["all"]["f1"] > counts["AdaptiveDetector"]["all"]["f1"]


def test_windows_of_one_shot_have_no_cut():
    assert sum(len(our_cuts(film.frames)) for film in quiet_windows(48, seed=82)) == 0


def test_the_rival_finds_a_plain_cut_too():
    np.testing.assert_allclose(adaptive_cuts(np.concatenate([shot(1), shot(2)])), [30 / RATE_FPS])


def test_cuts_of_the_demo_clips_are_those_they_were_made_with():
    """Also where all moves fast on one side, and not where things jump on each beat and fall back."""
    films = list(demo_films())
    assert len(films) == 8 and sum(len(film.cuts_s) for film in films) == 26
    for film in films:
        np.testing.assert_allclose(our_cuts(film.frames, film.rate_fps), film.cuts_s, atol=1e-6)


@pytest.mark.parametrize("length_s", [0.3, 0.5, 1.0])
@pytest.mark.parametrize("even", [16, 235], ids=["black", "white"])
def test_short_fades_have_no_cut_and_a_cut_out_of_black_is_one(length_s, even):
    length = round(length_s * RATE_FPS)
    gains = np.concatenate([np.arange(length) / length, np.ones(60 - length)])[:, None, None, None]
    one, other = (np.random.default_rng(seed).uniform(10, 245, (1, 1, 8, 3)) for seed in (4, 5))

    def bars(colours: np.ndarray, gains: np.ndarray) -> np.ndarray:
        shown = np.repeat(np.repeat(colours, 72, axis=1), 16, axis=2)
        return (even + gains * (shown - even)).astype(np.uint8)

    fade_in, fade_out = bars(one, gains), bars(other, gains[::-1])
    assert len(our_cuts(fade_in)) == len(our_cuts(fade_out)) == 0
    assert len(our_cuts(np.concatenate([fade_out, fade_in]))) == 0
    hard = np.concatenate([bars(one, 0 * gains), bars(one, 0 * gains + 1)])
    np.testing.assert_allclose(our_cuts(hard), [60 / RATE_FPS])


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("fast on one side", id="between a fast shot and a calm one"),
        pytest.param("things on beats", id="not where things are put on the picture"),
        pytest.param("window in it", id="not where a window in it cuts"),
    ],
)
def test_a_cut_is_where_all_of_the_picture_becomes_another(kind):
    count = counted(kind)
    assert (count.missed, count.false) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "seed"),
    [
        pytest.param("camera swings", 861_006, id="not where a camera swings within its shot"),
        pytest.param(
            "quick shots", 861_002, id="of shots of a few frames, of which others are like those before"
        ),
        pytest.param("flashes", 861_002, id="beside flashes"),
        pytest.param("pillarbox", 861_005, id="in a narrow picture between bars with noise in them"),
    ],
)
def test_cuts_are_those_a_film_was_painted_with(kind, seed):
    film = dev_film(kind, seed)
    np.testing.assert_allclose(our_cuts(film.frames, film.rate_fps), film.cuts_s, atol=1e-6)


def test_a_camera_that_swings_makes_no_cut_where_each_frame_is_shown_twice():
    film = dev_film("camera swings", 861_001)
    found = our_cuts(np.repeat(film.frames, 2, axis=0), 2 * film.rate_fps)
    np.testing.assert_allclose(found, film.cuts_s, atol=1e-6)


@pytest.mark.parametrize("seed", [27, 28, 31])
def test_the_last_frame_of_a_fade_is_no_cut_where_black_has_no_noise(seed):
    """There nearly all of the contrast that is left goes from one frame to the next."""
    before, after = (np.repeat(shot(each, 1).astype(np.float64), 30, axis=0) for each in (seed, seed + 50))
    frames = np.concatenate(fade_over(before, after, dissolve=False)).astype(np.uint8)
    assert len(our_cuts(frames)) == 0


@pytest.mark.parametrize("level", [0, 255], ids=["black", "white"])
def test_a_cut_that_leads_through_one_even_frame_is_found_once(level):
    frames = np.concatenate([shot(31), np.full((1, *shot(1, 1).shape[1:]), level, np.uint8), shot(81)])
    np.testing.assert_allclose(our_cuts(frames), [30 / RATE_FPS], atol=1 / RATE_FPS)


@pytest.mark.parametrize("times", [1, 2], ids=["25 a second", "each shown twice"])
@pytest.mark.parametrize("share", [0.4, 0.5])
def test_a_cut_that_leads_through_a_blend_of_both_pictures_is_found_once(share, times):
    """Films that were brought to another frame rate have one at most of their cuts."""
    film = dev_film("like colours", 861_002)
    rows = np.rint(film.cuts_s * film.rate_fps).astype(int)
    frames = film.frames.astype(np.float64)
    frames[rows] = np.rint(share * frames[rows - 1] + (1 - share) * frames[rows])
    found = our_cuts(np.repeat(frames.astype(np.uint8), times, axis=0), times * film.rate_fps)
    np.testing.assert_allclose(found, film.cuts_s, atol=1.01 / film.rate_fps)


@pytest.mark.parametrize("seed", [2, 4, 6])
def test_a_cut_into_what_is_another_picture_from_frame_to_frame_is_found(seed):
    """Streaks behind somebody who falls: each frame is as far from the next as from what was shown before the cut."""
    rng = np.random.default_rng(seed)
    falling = 95 + np.repeat(rng.uniform(-90, 90, (30, 1, 16)), 8, axis=2)
    calm = 165 + np.repeat(rng.uniform(-75, 75, (1, 1, 16)), 8, axis=2) + rng.normal(0, 1.5, (30, 72, 128))
    grey = np.concatenate([calm, np.repeat(falling, 72, axis=1)])
    frames = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=3)
    np.testing.assert_allclose(our_cuts(frames), [30 / RATE_FPS])


def test_steps_of_a_screen_that_is_recorded_four_times_a_second_are_no_cuts():
    """The camera moves on, eight frames alike at a time, and then there is another place."""
    walk, other = [
        paint_shot(np.random.default_rng(seed), 200, np.random.default_rng(seed).uniform(10, 245, (3, 3)))[
            ::16
        ]
        for seed in (8, 9)
    ]
    frames = np.clip(np.concatenate([np.repeat(walk, 8, axis=0), np.repeat(other, 8, axis=0)]), 0, 255)
    np.testing.assert_allclose(our_cuts(frames.astype(np.uint8), 30.0), [len(walk) * 8 / 30.0])


def test_bars_beside_the_picture_do_not_hide_that_all_of_it_changed():
    frames = np.concatenate([shot(10), shot(11)])
    frames[:, :, :40], frames[:, :, -40:] = 0, 0
    np.testing.assert_allclose(our_cuts(frames), [30 / RATE_FPS])


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_too_few_frames_have_no_cut(count):
    watcher = Watcher()
    for number in range(count):
        watcher.see(number / 25, np.full((6, 27, 48), 90, np.uint8))
    assert find_cuts(watcher.changes()).shape == (0,)

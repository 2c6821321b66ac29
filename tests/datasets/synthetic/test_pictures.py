from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mvr.datasets.synthetic.latents import GENRES, draw_latents
from mvr.datasets.synthetic.pair import SyntheticPair
from mvr.datasets.synthetic.palette import oklch
from mvr.datasets.synthetic.pictures import Film
from mvr.datasets.synthetic.scenes import SCENES
from mvr.datasets.synthetic.wear import draw_picture_wear, wear_frames, wear_sound


def test_every_genre_has_scenes_and_every_scene_a_genre():
    used = {name for genre in GENRES.values() for name in genre.scenes}
    assert used == set(SCENES)


@pytest.mark.parametrize("kind", SCENES)
@pytest.mark.parametrize("size", [(32, 32), (36, 64), (64, 36)])
def test_scenes_paint_at_any_size_and_move(kind, size):
    film = Film(draw_latents(11, "house"), 6.0, 11, (kind,))
    first, later = film.frame(0.3, *size), film.frame(0.9, *size)
    assert first.shape == (size[1], size[0], 3) and first.dtype == np.uint8
    assert first.std() > 2, "an empty picture"
    assert (first != later).any()
    np.testing.assert_array_equal(first, film.frame(0.3, *size))


@pytest.mark.parametrize("kind", ["hills", "aurora", "waves", "city", "shapes"])
def test_a_small_frame_is_the_large_one_averaged(kind):
    film = Film(draw_latents(12, "synthwave"), 6.0, 12, (kind,))
    large = film.frame(1.0, 256, 256, 9 / 16).astype(float).reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    small = film.frame(1.0, 64, 64, 9 / 16).astype(float)
    assert np.abs(large - small).mean() < 8


def test_films_repeat_with_their_seed():
    latents = draw_latents(3)
    frames = [Film(latents, 5.0, seed).frame(1.0, 24, 24) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(frames[0], frames[1])
    assert (frames[0] != frames[2]).any()


def test_lively_films_are_cut_more_often_and_strict_ones_on_the_beat():
    calm, lively = (
        dataclasses.replace(draw_latents(1, "house"), energy=e, regularity=0.98) for e in (0.1, 0.95)
    )
    counts = [np.mean([len(Film(x, 20.0, seed).cuts_s) for seed in range(12)]) for x in (calm, lively)]
    assert counts[1] > 2 * counts[0]
    beat = 60 / lively.tempo_bpm
    cuts = np.array(Film(lively, 20.0, 1).cuts_s) / beat
    assert np.abs(cuts - np.rint(cuts)).mean() < 0.1


def test_glad_films_are_brighter():
    latents = draw_latents(2, "orchestral")
    levels = [
        np.mean(
            [
                Film(dataclasses.replace(latents, valence=v), 4.0, seed).frame(1.0, 24, 24).mean()
                for seed in range(8)
            ]
        )
        for v in (0.1, 0.9)
    ]
    assert levels[1] > levels[0] + 20


@pytest.mark.parametrize("hue", range(0, 360, 60))
def test_colours_stay_inside_srgb(hue):
    colour = oklch(0.7, 0.4, hue)
    assert ((colour >= 0) & (colour <= 1)).all()
    np.testing.assert_allclose(oklch(1.0, 0.0, hue), 1, atol=0.01)


def test_wear_keeps_shape_and_repeats():
    frames = np.random.default_rng(0).integers(0, 255, (6, 32, 32, 3), dtype=np.uint8)
    wear = dataclasses.replace(draw_picture_wear(3, 0.8), texture=0.2, noise=0.02, shake=1.0)
    worn = wear_frames(frames, np.arange(6.0), wear)
    assert worn.shape == frames.shape and worn.dtype == np.uint8
    np.testing.assert_array_equal(worn, wear_frames(frames, np.arange(6.0), wear))


@pytest.mark.parametrize("seed", range(8))
def test_worn_sound_is_finite_and_inside_full_scale(seed):
    sound = (0.3 * np.sin(np.arange(22_050) / 9)).astype(np.float32)
    worn = wear_sound(sound, 22_050, seed)
    assert worn.shape == sound.shape and np.isfinite(worn).all() and np.abs(worn).max() <= 1


def test_a_pair_repeats_and_paints_equal_times_alike():
    times = np.array([0.5, 1.0, 0.5])
    frames = SyntheticPair(77).frames(times, 32)
    np.testing.assert_array_equal(frames[0], frames[2])
    np.testing.assert_array_equal(frames, SyntheticPair(77).frames(times, 32))

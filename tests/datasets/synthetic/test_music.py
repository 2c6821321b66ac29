from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mvr.datasets.synthetic import drums, effects
from mvr.datasets.synthetic.band import STEPS, form_a_band
from mvr.datasets.synthetic.composition import compose
from mvr.datasets.synthetic.latents import GENRES, MOODS, blur_latents, draw_latents
from mvr.datasets.synthetic.music import Span, render_music
from mvr.datasets.synthetic.styles import SCALES, STYLES
from mvr.datasets.synthetic.tones import INSTRUMENTS, Tone, partials, saw

RATE = 22_050


def notes_of(genre: str, seed: int = 1, bars: int = 8):
    latents = draw_latents(seed, genre)
    rng = np.random.default_rng(0)
    band = form_a_band(latents, rng)
    return band, compose(band, bars, rng)


def test_there_are_ten_genres_and_each_has_a_style():
    assert len(GENRES) >= 10
    assert set(GENRES) == set(STYLES)


def test_latents_repeat_with_their_seed_and_lie_in_their_ranges():
    for seed in range(200):
        latents = draw_latents(seed)
        assert latents == draw_latents(seed)
        low, high = GENRES[latents.genre].tempo_bpm
        assert low <= latents.tempo_bpm <= high
        assert latents.mood in MOODS
        for name in ("energy", "valence", "warmth", "density", "space", "regularity"):
            assert 0 < getattr(latents, name) < 1
    assert len({draw_latents(seed) for seed in range(200)}) == 200


def test_sad_pieces_are_more_often_minor():
    drawn = [draw_latents(seed) for seed in range(600)]
    share = [np.mean([d.minor for d in drawn if (d.valence > 0.5) == glad]) for glad in (True, False)]
    assert share[0] < share[1] - 0.15


def test_blurred_latents_keep_genre_and_key_and_stay_near():
    latents = draw_latents(5)
    seen = blur_latents(latents, np.random.default_rng(0))
    assert (seen.genre, seen.root, seen.minor) == (latents.genre, latents.root, latents.minor)
    assert abs(seen.energy - latents.energy) < 0.35


@pytest.mark.parametrize("genre", GENRES)
def test_every_pitched_note_is_in_the_key(genre):
    band, notes = notes_of(genre)
    scale = {(band.latents.root + step) % 12 for step in SCALES[band.latents.minor]}
    assert {note.midi % 12 for note in notes if note.part != "drums"} <= scale


@pytest.mark.parametrize("genre", GENRES)
def test_notes_come_in_order_inside_the_bars(genre):
    band, notes = notes_of(genre)
    starts = [note.start_s for note in notes]
    assert starts == sorted(starts)
    assert starts[0] >= 0 and starts[-1] < 8 * band.bar_s + band.step_s
    assert {note.part for note in notes} >= {"chords"}
    assert all((0 < note.velocity <= 1 and 20 <= note.midi <= 108) or note.part == "drums" for note in notes)


def test_dense_tunes_have_more_notes():
    counts = []
    for density in (0.1, 0.9):
        latents = dataclasses.replace(draw_latents(3, "synthwave"), density=density)
        rng = np.random.default_rng(0)
        counts.append(len(compose(form_a_band(latents, rng), 8, rng)))
    assert counts[1] > 1.3 * counts[0]


def test_grids_have_sixteen_steps():
    for style in STYLES.values():
        for kit in style.kits:
            assert {len(grid) for grid in kit.values()} <= {STEPS}


def test_an_excerpt_repeats_and_is_neither_silent_nor_clipped():
    latents = draw_latents(4, "house")
    span = Span(start_s=6.0, duration_s=2.0, rate_hz=RATE)
    sound = render_music(latents, span)
    np.testing.assert_array_equal(sound, render_music(latents, span))
    assert sound.shape == (2 * RATE, 2) and sound.dtype == np.float32
    assert 0.05 < np.abs(sound).max() <= 0.821
    assert np.abs(sound[:, 0] - sound[:, 1]).max() > 0.01  # it is stereo


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_instruments_start_and_end_without_a_click(name):
    wave = INSTRUMENTS[name](Tone(220.0, 0.4, 0.5, RATE))
    assert np.isfinite(wave).all()
    assert 0.1 < np.abs(wave).max() < 2.5
    assert abs(wave[0]) < 0.05 and abs(wave[-1]) < 0.02


def test_partials_equal_the_sum_of_sines():
    t = np.arange(2000, dtype=np.float32) / RATE
    levels, decays = np.array([1.0, 0.5, 0.2]), np.array([0.0, 3.0, 5.0])
    slow = sum(levels[n] * np.exp(-decays[n] * t) * np.sin(2 * np.pi * 300 * (n + 1) * t) for n in range(3))
    np.testing.assert_allclose(partials(t, 300.0, RATE, levels, decays), slow, atol=1e-3)


def test_a_saw_aliases_less_than_the_naive_one():
    t = np.arange(RATE, dtype=np.float32) / RATE
    spectra = [
        np.abs(np.fft.rfft(x * np.hanning(RATE))) for x in (saw(t, 1234.0, RATE), 2 * ((t * 1234.0) % 1) - 1)
    ]
    between = [s[1234 // 2 + 100 : 1234 - 100].max() / s.max() for s in spectra]
    assert between[0] < 0.5 * between[1]


def test_drum_hits_are_short_and_the_same_every_time():
    for name in [*drums._HITS, "clap"]:
        hit = drums.hit(name, RATE)
        assert len(hit) < 2 * RATE and 0.03 < np.abs(hit).max() < 1.3, name
    np.testing.assert_array_equal(drums.hit("snare", 8000), drums.hit("snare", 8000))


def test_the_limiter_never_lets_a_sample_over():
    loud = (5 * np.random.default_rng(0).standard_normal((5000, 2))).astype(np.float32)
    assert np.abs(effects.limit(loud, RATE, 0.7)).max() <= 0.7


def test_the_side_chain_drops_on_the_beat_and_comes_back():
    gain = effects.duck(RATE, np.array([-0.1, 0.5]), RATE, 0.6)[:, 0]
    assert gain[RATE // 2 + 1] == pytest.approx(0.4, abs=0.01)
    assert gain[-1] == 1.0 and 0.4 < gain[0] < 1.0

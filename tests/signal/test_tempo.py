from __future__ import annotations

import numpy as np
import pytest

from eval.timing.patterns import play_pattern
from eval.timing.songs import render_song
from mvr.signal.rhythm.hearing import estimate_tempo
from mvr.signal.rhythm.tempo import envelopes_of, tempi_of, tempo_of
from mvr.signal.spectrum import SAMPLE_RATE_HZ


@pytest.mark.parametrize("bpm", [55, 84, 120, 165, 180, 200, 215])
def test_clicks_have_their_own_tempo_and_not_its_half(bpm):
    assert estimate_tempo(play_pattern("plain", bpm, seed=900).samples) == pytest.approx(bpm, rel=0.01)


@pytest.mark.parametrize(
    ("genre", "seed"),
    [("drum and bass", 910_000), ("lo-fi", 910_001), ("house", 910_002), ("orchestral", 815_003)],
)
def test_a_rendered_piece_has_the_tempo_it_was_written_in(genre, seed):
    song = render_song(genre, seed, 20.0)
    assert estimate_tempo(song.samples) == pytest.approx(song.bpm, rel=0.04)


def test_a_piece_heard_at_four_thirds_of_its_tempo_is_asked_about_the_true_one_too():
    song = render_song("ambient", 851_000, any_tempo=True)
    tempi = tempi_of(envelopes_of(song.samples))
    assert tempi[0][0] == pytest.approx(4 / 3 * song.bpm, rel=0.02)
    assert estimate_tempo(song.samples) == pytest.approx(song.bpm, rel=0.01)


def test_noise_has_no_tempo():
    noise = np.random.default_rng(3).standard_normal(22_050 * 10).astype(np.float32)
    envelopes = envelopes_of(noise)
    assert envelopes is not None and tempo_of(envelopes) is None


def test_the_gain_changes_nothing():
    sound = play_pattern("rock", 100, seed=901).samples
    assert estimate_tempo(sound * np.float32(0.01)) == pytest.approx(estimate_tempo(sound), rel=1e-3)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(0, np.float32),
        np.zeros(SAMPLE_RATE_HZ * 5, np.float32),
        np.sin(np.arange(SAMPLE_RATE_HZ * 5, dtype=np.float32) * np.float32(0.1)),
        np.full(300, 0.5, np.float32),
    ],
    ids=["nothing", "silence", "one tone", "a blip"],
)
def test_sound_without_a_pulse_has_no_tempo(sound):
    assert estimate_tempo(sound) is None

"""Same music is found again at another pitch, speed, level, codec and excerpt; other music is not."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import soxr

from mvr.datatypes import FloatArray
from mvr.media.fingerprint import (
    SAMPLE_RATE_HZ,
    chroma_bank,
    fingerprint,
    fingerprint_of,
    match,
    same_music,
    signature,
)


def tune(seed: int, duration_s: float = 16.0) -> FloatArray:
    """A random melody over random chords with a random rhythm: harmonics, decays, a little noise."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(int(duration_s * SAMPLE_RATE_HZ), np.float32)
    at = 0.0
    while at < duration_s - 0.5:
        length = rng.choice([0.25, 0.375, 0.5, 0.75])
        t = np.arange(int(min(1.2, duration_s - at) * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        for note in rng.integers(45, 80, rng.integers(1, 4)):
            pitch = 440 * 2 ** ((note - 69) / 12)
            tone = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 5))
            start = int(at * SAMPLE_RATE_HZ)
            samples[start : start + len(t)] += (tone * np.exp(-3 * t)).astype(np.float32)[
                : len(samples) - start
            ]
        at += length
    return 0.1 * samples + rng.normal(0, 1e-3, len(samples)).astype(np.float32)


def faster(samples: FloatArray, semitones: float) -> FloatArray:
    return soxr.resample(samples, SAMPLE_RATE_HZ * 2 ** (semitones / 12), SAMPLE_RATE_HZ).astype(np.float32)


def test_the_same_tune_quieter_and_cut_out_is_found_at_its_offset() -> None:
    found = match(fingerprint_of(tune(1)), fingerprint_of(0.05 * tune(1)[5 * SAMPLE_RATE_HZ :]))
    assert found is not None and found.chroma > 0.9
    assert found.offset_s == pytest.approx(5, abs=0.1) and found.shift_semitones == 0


@pytest.mark.parametrize("semitones", [-2, 1, 3])
def test_a_tune_played_faster_is_the_same_music_and_its_shift_is_told(semitones: int) -> None:
    a, b = fingerprint_of(tune(2)), fingerprint_of(faster(tune(2), semitones))
    found = match(a, b)
    assert same_music(a, b) and found is not None
    assert found.shift_semitones == pytest.approx(semitones, abs=0.34)


@pytest.mark.slow  # librosa compiles itself first: see tests/media/test_sound.py
def test_a_transposed_tune_at_its_own_speed_is_the_same_music() -> None:
    import librosa

    shifted = librosa.effects.pitch_shift(tune(3), sr=SAMPLE_RATE_HZ, n_steps=2)
    assert same_music(fingerprint_of(tune(3)), fingerprint_of(shifted))


def test_other_tunes_are_other_music_both_ways_round() -> None:
    prints = [fingerprint_of(tune(seed)) for seed in range(10, 16)]
    for a, b in itertools.permutations(prints, 2):
        assert not same_music(a, b)


@pytest.mark.parametrize(("one", "other"), [(1_000_017, 1_000_031), (3_000_006, 3_000_040)])
def test_two_pieces_of_one_key_and_rhythm_are_other_music(one: int, other: int) -> None:
    """Both channels agree frame by frame; what the chroma does over time does not. A copy 14 dB down stays a copy."""
    from mvr.datasets.synthetic.latents import draw_latents
    from mvr.datasets.synthetic.music import Span, render_music

    span = Span(start_s=4.0, duration_s=6.0, rate_hz=2 * SAMPLE_RATE_HZ)
    pieces = [render_music(draw_latents(number), span).mean(axis=1) for number in (one, other)]
    a, b = (fingerprint_of(soxr.resample(piece, 2, 1).astype(np.float32)) for piece in pieces)
    found = match(a, b)
    assert found is not None and found.chroma > 0.7 and found.onset > 0.8
    assert found.departure < 0.7 and found.change < 0.5 and not same_music(a, b)
    assert same_music(a, fingerprint_of(0.2 * soxr.resample(pieces[0], 2, 1).astype(np.float32)))


def test_silence_and_a_blip_match_nothing() -> None:
    silence = fingerprint_of(np.zeros(8 * SAMPLE_RATE_HZ, np.float32))
    assert np.isfinite(silence.chroma).all() and np.isfinite(silence.onset).all()
    assert not same_music(silence, silence)
    assert not same_music(fingerprint_of(tune(1)), fingerprint_of(tune(1)[:4000]))


def test_neighbours_by_signature_are_the_transposed_copies() -> None:
    originals = np.stack([signature(fingerprint_of(tune(seed))) for seed in range(20, 30)])
    copies = np.stack([signature(fingerprint_of(faster(tune(seed), 1))) for seed in range(20, 30)])
    assert (np.argmax(copies @ originals.T, axis=1) == np.arange(10)).all()


@pytest.mark.real_data
def test_real_music_is_told_apart_and_found_again_transposed(shared: Path) -> None:
    from mvr.media.sound import read_sound

    files = sorted((shared / "media" / "music").iterdir())[::2]
    prints = [fingerprint(path) for path in files]
    false = [
        pair
        for pair in itertools.combinations(range(len(prints)), 2)
        if same_music(*(prints[i] for i in pair))
    ]
    cut = [read_sound(path, SAMPLE_RATE_HZ)[2 * SAMPLE_RATE_HZ :] for path in files]
    found = [same_music(a, fingerprint_of(faster(0.3 * x, -1))) for a, x in zip(prints, cut, strict=True)]
    print(
        f"{len(false)} of {len(prints) * (len(prints) - 1) // 2} pairs confused, {sum(found)} of {len(found)} found"
    )
    assert not false and sum(found) >= len(found) - 1


@pytest.mark.slow  # librosa compiles itself first: see tests/media/test_sound.py
def test_the_chroma_weights_are_librosas():
    from librosa.filters import chroma

    wanted = chroma(sr=SAMPLE_RATE_HZ, n_fft=4096, n_chroma=36, ctroct=4.5, octwidth=1.8)
    np.testing.assert_allclose(chroma_bank(), wanted, atol=1e-6)

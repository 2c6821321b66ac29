"""Held chords with bass and hats that may be louder between the beats than on them, to fit `mvr.signal.rhythm.bars` on.

What counts as the beat: where the chord changes, on every beat or on the first of a bar.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.timing.patterns import Pattern
from mvr.signal.spectrum import SAMPLE_RATE_HZ

_VOICINGS = ((0,), (0, 7), (0, 4, 7), (0, 3, 7))
_STROKE_S = 0.12


def play_chords(seed: int, duration_s: float = 30.0) -> Pattern:
    """A piece of random tempo, chords, timbre and strokes; `bar_beats` is 1 where the chord changes on every beat."""
    rng = np.random.default_rng([seed, 59])
    every_beat = rng.random() < 0.5
    bar_beats = 1 if every_beat else int(rng.choice([3, 4, 4]))
    # chords on every beat of slow music are as well heard as a bar each, so those are no example
    bpm = float(90 * 2 ** rng.random()) if every_beat else float(60 * 3 ** rng.random())
    beat_s, start_s = 60 / bpm, float(rng.uniform(0, 0.5))
    beats = np.arange(start_s, duration_s - 0.3, beat_s)
    time_s = np.arange(int(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    roots = rng.permutation(12)[: int(rng.choice([4, 6, 12]))]
    held = np.floor((time_s - start_s) / (beat_s * bar_beats)).astype(int) % len(roots)
    sound = _hold(roots[held], rng) + _strike(len(time_s), beats, beat_s, rng)
    sound += rng.normal(0, 0.002, len(sound))
    return Pattern(
        kind="chords", bpm=bpm, samples=sound.astype(np.float32), beats_s=beats, downbeats_s=beats[::bar_beats],
        bar_beats=bar_beats,
    )  # fmt: skip


def _hold(roots: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Chords on roots (n,), semitones above a random tone."""
    sound = np.zeros(len(roots))
    lowest_hz = float(rng.choice([110.0, 165.0, 220.0]))
    voices = _VOICINGS[rng.integers(len(_VOICINGS))]
    for voice in voices:
        phase = 2 * np.pi * np.cumsum(lowest_hz * 2 ** ((roots + voice) / 12)) / SAMPLE_RATE_HZ
        for part in range(1, int(rng.integers(2, 6))):
            sound += np.sin(part * phase) / part
    return sound * float(rng.uniform(0.05, 0.2)) / len(voices)


def _strike(
    length: int, beats_s: npt.NDArray[np.float64], beat_s: float, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Bass and hats of random levels on the beats and between them."""
    sound, size = np.zeros(length), int(_STROKE_S * SAMPLE_RATE_HZ)
    since_s = np.arange(size) / SAMPLE_RATE_HZ
    low_hz, low_decay = float(rng.uniform(50, 90)), float(rng.uniform(15, 40))
    bass = np.sin(2 * np.pi * low_hz * since_s) * np.exp(-low_decay * since_s)
    levels = rng.choice([0, 0.1, 0.2, 0.3], size=(2, 2))  # bass and hats, on beats and between
    levels[:, 1] = np.maximum(levels[:, 1], rng.choice([0, 0.1, 0.2]))
    if not levels.any():
        levels[0, 1] = 0.2
    hat_decay = float(rng.uniform(30, 120))
    for (low, high), shift_s in zip(levels.T, (0.0, beat_s / 2), strict=True):
        for first in ((beats_s + shift_s) * SAMPLE_RATE_HZ).astype(int):
            room = sound[first : first + size]
            hat = 0.4 * rng.standard_normal(size) * np.exp(-hat_decay * since_s)
            room += (low * bass + high * hat)[: len(room)]
    return sound

"""Clicks and drum patterns of known tempo, beats and bars, at 22,050 Hz.

What counts as the beat: of a swing the quarter (its long and short note together), of 6/8 the dotted
quarter, two to a bar, of everything else the quarter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.signal.spectrum import SAMPLE_RATE_HZ

Times = npt.NDArray[np.float64]
_CLICKS = ("noise", "beep", "kick")


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Attributes:
    kind: a key of `KINDS`.   bpm: its tempo.   samples: (n,) mono sound.
    beats_s, downbeats_s: when they are.   bar_beats: beats in a bar, 1 where no beat is accented.
    """

    kind: str
    bpm: float
    samples: FloatArray
    beats_s: Times
    downbeats_s: Times
    bar_beats: int


# kind: beats in a bar, tempi it is played at, then hits of one bar: (beat, sound, level)
Hit = tuple[float, str, float]
KINDS: dict[str, tuple[int, tuple[float, float], tuple[Hit, ...]]] = {
    "plain": (1, (50, 220), ((0, "click", 1),)),
    "accent 2": (2, (50, 220), ((0, "click", 1), (1, "click", 0.5))),
    "accent 3": (3, (50, 220), ((0, "click", 1), (1, "click", 0.5), (2, "click", 0.5))),
    "accent 4": (4, (50, 220), ((0, "click", 1), (1, "click", 0.5), (2, "click", 0.5), (3, "click", 0.5))),
    "swing": (
        4, (60, 200),
        ((0, "noise", 1), *((beat, "noise", 0.7) for beat in (1, 2, 3)),
         *((beat + 2 / 3, "hat", 0.5) for beat in range(4))),
    ),
    "rock": (
        4, (60, 200),
        ((0, "kick", 1.6), (2, "kick", 1), (1, "snare", 1), (3, "snare", 1),
         *((beat / 2, "hat", 0.5 - 0.1 * (beat % 2)) for beat in range(8))),
    ),
    "four on the floor": (
        4, (70, 190),
        (*((beat, "kick", 1) for beat in range(4)), *((beat + 0.5, "hat", 0.6) for beat in range(4)),
         (1, "snare", 0.5), (3, "snare", 0.5), (0, "noise", 0.5)),
    ),
    "3/4": (
        3, (60, 210),
        ((0, "kick", 1), (1, "snare", 0.6), (2, "snare", 0.6), *((beat, "hat", 0.4) for beat in range(3))),
    ),
    "6/8": (
        2, (50, 150),
        ((0, "kick", 1), (1, "snare", 1), *((step / 3, "hat", 0.35 if step % 3 else 0.5) for step in range(6))),
    ),
}  # fmt: skip
ACCENTED = tuple(kind for kind in KINDS if kind != "plain")


def play_pattern(kind: str, bpm: float, seed: int, duration_s: float = 30.0) -> Pattern:
    """A pattern from a random moment on, with a random click and a little noise."""
    rng = np.random.default_rng([seed, 41])
    bar_beats, _, hits = KINDS[kind]
    beat_s, start_s = 60 / bpm, float(rng.uniform(0, 0.5))
    click, noise = str(rng.choice(_CLICKS)), float(rng.choice((0.0, 0.003, 0.02)))
    beats = start_s + beat_s * np.arange(int((duration_s - start_s) / beat_s) + 1, dtype=np.float64)
    beats = beats[beats < duration_s]
    events = (
        (bar_start + beat * beat_s, click if sound == "click" else sound, level)
        for bar_start in beats[::bar_beats]
        for beat, sound, level in hits
    )
    sound = _strike(events, duration_s, rng)
    sound = 0.4 * sound / np.abs(sound).max() + noise * rng.standard_normal(len(sound))
    return Pattern(
        kind=kind, bpm=bpm, samples=sound.astype(np.float32), beats_s=beats, downbeats_s=beats[::bar_beats],
        bar_beats=bar_beats,
    )  # fmt: skip


def draw_patterns(count: int, seed: int, duration_s: float = 30.0) -> Iterable[Pattern]:
    """`count` patterns, all kinds in turn, tempi drawn evenly by octave."""
    rng = np.random.default_rng([seed, 43])
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        low, high = KINDS[kind][1]
        bpm = float(low * (high / low) ** rng.random())
        yield play_pattern(kind, bpm, seed * 100_000 + number, duration_s)


def _strike(
    events: Iterable[tuple[float, str, float]], duration_s: float, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    length = int(duration_s * SAMPLE_RATE_HZ)
    out = np.zeros(length + SAMPLE_RATE_HZ)
    waves: dict[str, npt.NDArray[np.float64]] = {}
    for time_s, sound, level in events:
        wave = waves.setdefault(sound, _wave(sound, rng))
        first = round(time_s * SAMPLE_RATE_HZ)
        if first < length:
            out[first : first + len(wave)] += level * wave
    return out[:length]


def _wave(sound: str, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    t = np.arange({"kick": 4000, "snare": 2400}.get(sound, 800)) / SAMPLE_RATE_HZ
    if sound == "beep":
        return np.sin(2 * np.pi * 1000 * t) * np.exp(-110 * t)
    if sound == "kick":
        return np.sin(2 * np.pi * np.cumsum(50 + 100 * np.exp(-55 * t)) / SAMPLE_RATE_HZ) * np.exp(-18 * t)
    hiss = rng.standard_normal(len(t))
    if sound == "hat":
        return 0.4 * np.diff(hiss, prepend=0) * np.exp(-184 * t)
    return 0.7 * hiss * np.exp(-44 * t) if sound == "snare" else hiss * np.exp(-147 * t)

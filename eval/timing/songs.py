"""Rendered pieces of known tempo, beats, bars and, for whole songs, ending."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from eval.timing.patterns import Times
from mvr.datasets.synthetic.demo import demo_sound
from mvr.datasets.synthetic.latents import GENRES, draw_latents
from mvr.datasets.synthetic.music import Span, render_music
from mvr.datatypes import FloatArray
from mvr.signal.spectrum import SAMPLE_RATE_HZ

BAR_BEATS = 4


@dataclass(frozen=True, kw_only=True)
class Song:
    """Attributes:
    name: genre and seed.   bpm: tempo.   samples: (n,) mono at 22,050 Hz.
    beats_s, downbeats_s: when they are.
    """

    name: str
    bpm: float
    samples: FloatArray
    beats_s: Times
    downbeats_s: Times


def render_song(genre: str, seed: int, duration_s: float = 30.0, *, any_tempo: bool = False) -> Song:
    """An excerpt from the start of a piece; `any_tempo`: played up to 0.4 octaves off what its genre has."""
    latents = draw_latents(seed, genre)
    if any_tempo:
        octaves = float(np.random.default_rng([seed, 47]).uniform(-0.4, 0.4))
        latents = replace(
            latents, tempo_bpm=round(float(np.clip(latents.tempo_bpm * 2**octaves, 52, 215)), 1)
        )
    samples = demo_sound(latents, duration_s, SAMPLE_RATE_HZ).mean(axis=1)
    beats = np.arange(0, duration_s, 60 / latents.tempo_bpm)
    return Song(
        name=f"{genre} {seed}", bpm=latents.tempo_bpm, samples=samples, beats_s=beats,
        downbeats_s=beats[::BAR_BEATS],
    )  # fmt: skip


def draw_songs(
    per_genre: int, seed: int, duration_s: float = 30.0, *, any_tempo: bool = False
) -> Iterable[Song]:
    """`per_genre` pieces of each genre."""
    for place, genre in enumerate(GENRES):
        for number in range(per_genre):
            yield render_song(genre, seed + 1000 * place + number, duration_s, any_tempo=any_tempo)


@dataclass(frozen=True, kw_only=True)
class WholeSong:
    """Attributes:
    name: genre and seed.   stereo: (n, 2) at 22,050 Hz.   downbeats_s: of all its bars.
    ending_s: where its last bar ends and only reverberation is left.
    """

    name: str
    stereo: FloatArray
    downbeats_s: Times
    ending_s: float


def render_whole_song(genre: str, seed: int, about_s: float = 180.0) -> WholeSong:
    """A piece of whole bars, about so long, that ends and rings out for three seconds."""
    latents = draw_latents(seed, genre)
    bar_s = 4 * 60 / latents.tempo_bpm
    bars = round(about_s / bar_s)
    span = Span(start_s=0.0, duration_s=bars * bar_s + 3.0, rate_hz=SAMPLE_RATE_HZ)
    return WholeSong(
        name=f"{genre} {seed}", stereo=render_music(latents, span, bars),
        downbeats_s=bar_s * np.arange(bars, dtype=np.float64),
        ending_s=bars * bar_s,
    )  # fmt: skip

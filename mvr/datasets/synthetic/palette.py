"""Colours of a film: five harmonising tones from a hue, drawn in OKLCH (Ottosson 2020), kept inside sRGB."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datasets.synthetic.latents import GENRES, Latents
from mvr.datatypes import FloatArray

_TO_LMS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)  # fmt: skip


def oklch(lightness: float, chroma: float, hue_deg: float) -> FloatArray:
    """sRGB (3,) in 0..1 of an OKLCH colour; chroma is lowered until it fits."""
    for _ in range(24):
        a, b = chroma * np.cos(np.radians(hue_deg)), chroma * np.sin(np.radians(hue_deg))
        linear = _TO_RGB @ (_TO_LMS @ np.array([lightness, a, b])) ** 3
        if linear.min() >= -1e-4 and linear.max() <= 1 + 1e-4:
            break
        chroma *= 0.88
    linear = np.clip(linear, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(encoded, np.float32)


@dataclass(frozen=True, kw_only=True)
class Palette:
    """RGB (3,) each in 0..1: two tones of sky or background, main, accent, second accent, shade, glow."""

    top: FloatArray
    low: FloatArray
    main: FloatArray
    accent: FloatArray
    second: FloatArray
    shade: FloatArray
    glow: FloatArray
    brightness: float

    @property
    def vivid(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The three tones for things that should stand out."""
        return (self.main, self.accent, self.second)


def draw_palette(latents: Latents, rng: np.random.Generator) -> Palette:
    """Glad is bright and saturated, sad dark and grey; warm leans to orange, cold to blue."""
    hues = [float(hue + rng.normal(0, 16)) for hue in GENRES[latents.genre].hues]
    hues = [_lean(hue, 55 if latents.warmth > 0.5 else 240, 0.55 * abs(latents.warmth - 0.5)) for hue in hues]
    rng.shuffle(hues) if rng.random() < 0.3 else None
    bright = 0.12 + 0.72 * latents.valence + 0.14 * latents.energy + rng.normal(0, 0.06)
    bright = float(np.clip(bright, 0.05, 0.95))
    chroma = 0.04 + 0.11 * latents.valence + 0.07 * latents.energy
    main, accent, second = hues
    return Palette(
        top=oklch(0.2 + 0.48 * bright, 0.75 * chroma, main),
        low=oklch(0.36 + 0.5 * bright, 0.85 * chroma, accent if rng.random() < 0.6 else main + 25),
        main=oklch(0.38 + 0.32 * bright, chroma, main),
        accent=oklch(0.55 + 0.25 * bright, 1.15 * chroma, accent),
        second=oklch(0.5 + 0.3 * bright, 1.1 * chroma, second),
        shade=oklch(0.13 + 0.16 * bright, 0.55 * chroma, main),
        glow=oklch(0.84 + 0.13 * bright, 0.5 * chroma, _lean(accent, 80, 0.55)),
        brightness=bright,
    )


def _lean(hue: float, target: float, share: float) -> float:
    """Turn a hue part of the way to another, the short way round."""
    return hue + share * ((target - hue + 180) % 360 - 180)

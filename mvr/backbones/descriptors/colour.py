"""Colour and texture of frames: CIE Lab and HSV statistics, hues, layout, edges.

Conventions: frames are (N, H, W, 3) uint8 sRGB; colours are their Lab values.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mvr.backbones.descriptors.dimension import Dimension, numbered
from mvr.datatypes import FloatArray

Pixels = npt.NDArray[np.uint8]
HUES = 12
_TOGETHER = 16384  # pixels: of more, what lies between would leave the cache
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32)
_WHITE = np.array([0.9505, 1.0, 1.089], np.float32)

DIMENSIONS = (
    *(
        Dimension(f"colour.{channel}_{what}", "Lab units", -130, 130)
        for channel in ("lightness", "a", "b")
        for what in ("mean", "spread", "over_time")
    ),
    *(Dimension(f"colour.lightness_p{p:02d}", "Lab units", 0, 100) for p in (5, 25, 50, 75, 95)),
    Dimension("colour.dark", "share of pixels under L=20", 0, 1),
    Dimension("colour.bright", "share of pixels over L=75", 0, 1),
    Dimension("colour.chroma_mean", "Lab units", 0, 140),
    Dimension("colour.chroma_p90", "Lab units", 0, 140),
    Dimension("colour.saturation_mean", "share", 0, 1),
    Dimension("colour.saturation_p90", "share", 0, 1),
    Dimension("colour.colourfulness", "Hasler-Suesstrunk", 0, 150),
    Dimension("colour.warm", "warm less cold share of chroma", -1, 1),
    Dimension("colour.hue_entropy", "share of 12 equal hues", 0, 1),
    *numbered("colour.hue", HUES, "share of chroma, 30 degrees of Lab each", (0, 1)),
    Dimension("layout.top_less_bottom", "Lab units", -100, 100),
    Dimension("layout.centre_less_border", "Lab units", -100, 100),
    Dimension("layout.left_less_right", "Lab units, absolute", 0, 100),
    *numbered("texture.scale", 4, "log10 of detail, finest first", (-5, 1)),
    Dimension("texture.edge_share", "share of pixels with a steep edge", 0, 1),
    Dimension("texture.edge_spread", "log10 ratio of 95th percentile to mean", -1, 2),
    *numbered("texture.orientation", 4, "share of gradient energy, 45 degrees each", (0, 1)),
    Dimension("texture.symmetry", "left-right correlation", -1, 1),
)


@lru_cache(maxsize=1)
def _linear_light() -> FloatArray:
    """sRGB byte -> linear light, (256,) (IEC 61966-2-1)."""
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


@lru_cache(maxsize=1)
def _cube_root() -> FloatArray:
    """CIE Lab's f on a grid of 4,097 values of t in [0, 1.1]: interpolated, 20 times faster than cbrt."""
    t = np.linspace(0, 1.1, 4097)
    return np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116).astype(np.float32)


def lab(frames: Pixels) -> FloatArray:
    """CIE Lab (D65) of uint8 sRGB frames (..., 3), float32; L in 0..100."""
    pixels = frames.reshape(-1, 3)
    out = np.empty(pixels.shape, np.float32)
    for first in range(0, len(pixels), _TOGETHER):
        some = slice(first, first + _TOGETHER)
        _lab(pixels[some], out[some])
    return out.reshape(frames.shape)


def _lab(pixels: Pixels, out: FloatArray) -> None:
    """Lab values of (n, 3) sRGB pixels."""
    xyz = _linear_light().take(pixels) @ _TO_XYZ.T
    xyz /= _WHITE
    np.clip(xyz, 0, 1.1, out=xyz)
    xyz *= 4096 / 1.1
    x, y, z = _cube_root().take(np.rint(xyz, out=xyz).astype(np.int16)).T
    np.subtract(116 * y, 16, out=out[:, 0])
    np.multiply(500, x - y, out=out[:, 1])
    np.multiply(200, y - z, out=out[:, 2])


def describe(frames: Pixels, colours: FloatArray) -> FloatArray:
    """Descriptors in the order of `DIMENSIONS`.

    Args:
        frames: (N, H, W, 3) uint8 sRGB.
        colours: (N, H, W, 3) float32, their Lab values.
    """
    some, few = colours[:, ::2, ::2], frames[:, ::2, ::2]  # a quarter of the pixels: enough for statistics
    lightness = colours[..., 0]
    parts: list[npt.ArrayLike] = [_moments(some), _shares(few, some), _layout(lightness), _texture(lightness)]
    return np.concatenate(parts).astype(np.float32)


def _moments(colours: FloatArray) -> FloatArray:
    """Mean, spread within frames, change of the frame mean over time per Lab channel; percentiles of L."""
    means = colours.mean(axis=(1, 2), keepdims=True)
    spread = colours.std(axis=(1, 2), mean=means).mean(axis=0)
    per_frame = means[:, 0, 0]
    rows = np.stack([per_frame.mean(axis=0), spread, per_frame.std(axis=0)], axis=1)
    percentiles = np.percentile(colours[..., 0], (5, 25, 50, 75, 95))
    return np.concatenate([rows.ravel(), percentiles])


def _shares(frames: Pixels, colours: FloatArray) -> FloatArray:
    lightness, a, b = (colours[..., i].ravel() for i in range(3))
    chroma = np.hypot(a, b)
    pixels = frames.reshape(-1, 3).astype(np.float32)
    red, green, blue = pixels.T
    top = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    saturation = np.where(top > 8, (top - low) / np.maximum(top, 1), 0)
    # hues of near-grey pixels are noise of the codec: they count from a chroma of 5 on
    weight = np.maximum(0, chroma - 5)
    total = max(float(weight.sum()), 1e-6)
    sector = (np.floor(np.degrees(np.arctan2(b, a)) / (360 / HUES)).astype(np.int64)) % HUES
    hues = np.bincount(sector, weight, HUES) / total
    warm = float((weight * np.cos(np.arctan2(b, a) - np.radians(60))).sum() / total)
    entropy = float(-(hues * np.log(hues + 1e-9)).sum() / np.log(HUES))
    scalars = [
        np.mean(lightness < 20),
        np.mean(lightness > 75),
        chroma.mean(),
        np.percentile(chroma, 90),
        saturation.mean(),
        np.percentile(saturation, 90),
        _colourfulness(pixels),
        warm,
        entropy,
    ]
    return np.concatenate([np.array(scalars, np.float32), hues])


def _colourfulness(pixels: FloatArray) -> float:
    """Hasler & Suesstrunk (2003) over all pixels (n, 3) in 0..255."""
    red_green = pixels[:, 0] - pixels[:, 1]
    yellow_blue = 0.5 * (pixels[:, 0] + pixels[:, 1]) - pixels[:, 2]
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


def _layout(lightness: FloatArray) -> list[float]:
    still = lightness.mean(axis=0)
    height, width = still.shape
    top = still[: height // 3].mean() - still[-(height // 3) :].mean()
    middle = still[height // 4 : -(height // 4), width // 4 : -(width // 4)]
    border = (still.sum() - middle.sum()) / (still.size - middle.size)
    side = still[:, : width // 3].mean() - still[:, -(width // 3) :].mean()
    return [float(top), float(middle.mean() - border), abs(float(side))]


def _texture(lightness: FloatArray) -> FloatArray:
    """Detail per scale, edges, orientation, symmetry, from every fourth frame: texture changes slowly."""
    some = lightness[::4] / 100
    scales = []
    level = some
    for _ in range(4):
        n, height, width = level.shape
        coarse = level.reshape(n, height // 2, 2, width // 2, 2).mean(axis=(2, 4))
        scales.append(np.log10(np.abs(level - coarse.repeat(2, 1).repeat(2, 2)).mean() + 1e-5))
        level = coarse
    down, across = some[:, 1:, :-1] - some[:, :-1, :-1], some[:, :-1, 1:] - some[:, :-1, :-1]
    steep = np.hypot(down, across)
    ratio = np.log10((np.percentile(steep, 95) + 1e-4) / (steep.mean() + 1e-4))
    sector = np.floor(np.degrees(np.arctan2(down, across)) / 45 + 0.5).astype(np.int64) % 4
    energy = np.bincount(sector.ravel(), (steep**2).ravel(), 4)
    share = energy / max(float(energy.sum()), 1e-6)
    return np.concatenate([scales, [np.mean(steep > 0.08), ratio], share, [_symmetry(some.mean(axis=0))]])


def _symmetry(still: FloatArray) -> float:
    centred = still - still.mean()
    energy = float((centred**2).sum())
    return float((centred * centred[:, ::-1]).sum() / energy) if energy > 1e-6 else 1.0

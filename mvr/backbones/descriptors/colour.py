"""Colour and texture of frames: CIE Lab and HSV statistics, hues, layout, edges.

Conventions: frames are (N, H, W, 3) uint8 sRGB; colours are their Lab values.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mvr.backbones.descriptors.cells import cell_means
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
    pixels, out = frames.reshape(-1, 3), np.empty(frames.shape, np.float32)
    for some, xyz in _xyz(pixels):
        values = out.reshape(-1, 3)[some]
        wide = xyz.reshape(-1)  # divided by a row of as many whites: rows of three numbers are slow
        wide /= _whites()[: len(wide)]
        x, y, z = _rooted(xyz).T
        np.subtract(116 * y, 16, out=values[:, 0])
        np.multiply(500, x - y, out=values[:, 1])
        np.multiply(200, y - z, out=values[:, 2])
    return out


def lightness(frames: Pixels) -> FloatArray:
    """The first of `lab`'s values alone, (...,)."""
    out = np.empty(frames.shape[:-1], np.float32)
    for some, xyz in _xyz(frames.reshape(-1, 3)):
        np.subtract(116 * _rooted(xyz[:, 1].copy()), 16, out=out.reshape(-1)[some])  # white's Y is 1
    return out


def _xyz(pixels: Pixels) -> Iterator[tuple[slice, FloatArray]]:
    """CIE XYZ of sRGB pixels (N, 3), some of them at a time."""
    for first in range(0, len(pixels), _TOGETHER):
        some = slice(first, first + _TOGETHER)
        yield some, _linear_light().take(pixels[some]) @ _TO_XYZ.T


def _rooted(shares: FloatArray) -> FloatArray:
    """CIE Lab's f of shares of white, which are written over."""
    np.clip(shares, 0, 1.1, out=shares)
    shares *= 4096 / 1.1
    return _cube_root().take(np.rint(shares, out=shares).astype(np.int16))


@lru_cache(maxsize=1)
def _whites() -> FloatArray:
    return np.tile(_WHITE, _TOGETHER)


def describe(few: Pixels, bright: FloatArray) -> FloatArray:
    """Descriptors in the order of `DIMENSIONS`.

    Args:
        few: (N, H / 2, W / 2, 3) uint8 sRGB, a quarter of the frames' pixels: enough for statistics.
        bright: (N, H, W) float32, `lightness` of the frames.
    """
    colours = lab(few)
    parts: list[npt.ArrayLike] = [_moments(colours), _shares(few, colours), _layout(bright), _texture(bright)]
    return np.concatenate(parts).astype(np.float32)


def _moments(colours: FloatArray) -> FloatArray:
    """Mean, spread within frames, change of the frame mean over time per Lab channel; percentiles of L."""
    count, pixels = len(colours), colours[0, ..., 0].size
    # one row a pixel: summed in the same order as frame by frame, but not three numbers at a time
    rows = colours.reshape(count, pixels, 3).transpose(1, 0, 2).copy().reshape(pixels, -1)
    means = rows.sum(axis=0) / np.float32(pixels)
    rows -= means
    spread = np.sqrt((rows * rows).sum(axis=0) / np.float32(pixels)).reshape(count, 3).mean(axis=0)
    per_frame = means.reshape(count, 3)
    table = np.stack([per_frame.mean(axis=0), spread, per_frame.std(axis=0)], axis=1)
    percentiles = np.percentile(colours[..., 0], (5, 25, 50, 75, 95))
    return np.concatenate([table.ravel(), percentiles])


def _shares(frames: Pixels, colours: FloatArray) -> FloatArray:
    lightness, a, b = (colours[..., i].ravel() for i in range(3))
    chroma, angle = np.hypot(a, b), np.arctan2(b, a)
    channels = frames.reshape(
        -1, 3
    ).T.copy()  # bytes, and no three by three: a quarter of the memory, and in a row
    saturation = _saturation(channels)
    # hues of near-grey pixels are noise of the codec: they count from a chroma of 5 on
    weight = np.maximum(0, chroma - 5)
    total = max(float(weight.sum()), 1e-6)
    sector = np.floor(np.degrees(angle) / (360 / HUES)).astype(np.int8)
    sector[sector < 0] += HUES
    hues = np.bincount(sector, weight, HUES) / total
    warm = float((weight * np.cos(angle - np.radians(60))).sum() / total)
    entropy = float(-(hues * np.log(hues + 1e-9)).sum() / np.log(HUES))
    scalars = [
        np.mean(lightness < 20),
        np.mean(lightness > 75),
        chroma.mean(),
        np.percentile(chroma, 90),
        saturation.mean(),
        np.percentile(saturation, 90),
        _colourfulness(channels),
        warm,
        entropy,
    ]
    return np.concatenate([np.array(scalars, np.float32), hues])


def _saturation(channels: Pixels) -> FloatArray:
    """Share of the largest of (3, n) bytes that the least one lacks, 0 of nearly black ones: (n,)."""
    red, green, blue = channels
    top = np.maximum(np.maximum(red, green), blue)
    lacking: FloatArray = (top - np.minimum(np.minimum(red, green), blue)).astype(np.float32)
    lacking[top <= 8] = 0
    lacking /= np.maximum(top, 1)
    return lacking


def _colourfulness(channels: Pixels) -> float:
    """Hasler & Suesstrunk (2003) over all pixels (3, n) in 0..255."""
    red, green, blue = channels.astype(np.float32)
    red_green = red - green
    yellow_blue = 0.5 * (red + green) - blue
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
    some: FloatArray = lightness[::4] / np.float32(100)
    scales = []
    level = some
    for _ in range(4):
        coarse = cell_means(level, 2, 2)
        pairs = level.reshape(len(level), coarse.shape[1], 2, coarse.shape[2], 2)
        scales.append(np.log10(np.abs(pairs - coarse[:, :, None, :, None]).mean() + 1e-5))
        level = coarse
    down, across = some[:, 1:, :-1] - some[:, :-1, :-1], some[:, :-1, 1:] - some[:, :-1, :-1]
    steep = np.hypot(down, across)
    ratio = np.log10((np.percentile(steep, 95) + 1e-4) / (steep.mean() + 1e-4))
    sector = np.floor(np.degrees(np.arctan2(down, across)) / 45 + 0.5).astype(np.int8) & 3
    energy = np.bincount(sector.ravel(), (steep**2).ravel(), 4)
    share = energy / max(float(energy.sum()), 1e-6)
    return np.concatenate([scales, [np.mean(steep > 0.08), ratio], share, [_symmetry(some.mean(axis=0))]])


def _symmetry(still: FloatArray) -> float:
    centred = still - still.mean()
    energy = float((centred**2).sum())
    return float((centred * centred[:, ::-1]).sum() / energy) if energy > 1e-6 else 1.0

"""Finding constant borders around a picture: black letterbox and pillarbox bars, and blurred fill on request.

MVBind (arXiv:2405.09286) cleans its pictures by the standard deviation of the colour histogram and a binary image;
its crop rule is not published. Here, over several frames at once:

1. The brightest value that each pixel ever has stands for it, so that a fade or a dark scene hides nothing.
2. A line (row or column) can be border when its histogram is concentrated: standard deviation over the bins.
3. Binarisation: a pixel is dark when it is near the level of the outermost line and never above the black level.
4. The border ends at the innermost line where, beyond nothing but dark lines (a logo that does not move is
   allowed), a straight step leads into the picture along much of the line. Dark content has no such step, so it stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.errors import UsageError
from mvr.media.picture import Image

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class BorderSettings:
    """Thresholds; levels are code values 0..255.

    Attributes:
        black_level: nothing brighter than this is a black border.
        tolerance: how far a border may stray from the level of its outermost line (coding noise).
        noise: how unevenly (standard deviation) the dark part of a border line may be: coding noise, not grain.
        histogram_bins, histogram_std: a line can be border when the standard deviation of its normalised histogram
            over so many bins is at least this (all in one bin: 0.33 for 8 bins; evenly spread: 0).
        logo_share: how much of a line a logo may cover.
        logo_range: how far a logo's pixel may change over the frames.
        step: smallest step from the border into the picture.
        edge_share: how much of a line must have that step.
        max_share: the most that a border may take of one side.
        blurred_fill: look for blurred copies of the picture beside it, too.
        blur_ratio: detail in the blurred fill relative to the picture, at most.
    """

    black_level: float = 24.0
    tolerance: float = 8.0
    noise: float = 3.0
    histogram_bins: int = 8
    histogram_std: float = 0.2
    logo_share: float = 0.3
    logo_range: float = 24.0
    step: float = 6.0
    edge_share: float = 0.5
    max_share: float = 0.42
    blurred_fill: bool = False
    blur_ratio: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.max_share < 0.5 or not 0 <= self.logo_share < 1 or not 0 < self.edge_share <= 1:
            raise UsageError("max_share must be in (0, 0.5), logo_share in [0, 1), edge_share in (0, 1]")


DEFAULT_BORDERS = BorderSettings()


@dataclass(frozen=True)
class Box:
    """The picture without its borders, in pixels; `right` and `bottom` are just outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top


def crop(images: Image, box: Box) -> Image:
    """The part of (N, H, W, 3) inside the box, as a view."""
    return images[:, box.top : box.bottom, box.left : box.right]


def detect_borders(images: Image, settings: BorderSettings = DEFAULT_BORDERS) -> Box:
    """The box of the picture inside constant borders.

    Args:
        images: (N, H, W, 3) uint8 frames of one shot or of a whole clip; 8 or more see through fades.
        settings: thresholds.

    Returns:
        The whole frame where no border is certain.

    Raises:
        UsageError: not (N, H, W, 3) with N, H, W > 0.
    """
    if images.ndim != 4 or images.shape[3] != 3 or 0 in images.shape:
        raise UsageError(f"images must be (N, H, W, 3) and not empty, not {images.shape}")
    red, green, blue = np.moveaxis(images, 3, 0)
    value = np.maximum(np.maximum(red, green), blue)  # `max` over an axis of three takes 25 times as long
    brightest, darkest = value.max(axis=0).astype(np.float32), value.min(axis=0).astype(np.float32)
    box = _black_box(brightest, brightest - darkest, settings)
    if settings.blurred_fill and (box.width, box.height) == (images.shape[2], images.shape[1]):
        return _blurred_box(images, settings)
    return box


def _black_box(brightest: Plane, spread: Plane, settings: BorderSettings) -> Box:
    """Sides one after the other, each seen across the picture that the others leave, until nothing changes."""
    height, width = brightest.shape
    low, high = settings.max_share, 1 - settings.max_share
    # the middle belongs to the picture whatever the borders are, so it is where to look first
    rows = slice(int(height * low), max(int(height * low) + 1, int(np.ceil(height * high))))
    columns = slice(int(width * low), max(int(width * low) + 1, int(np.ceil(width * high))))
    sides: tuple[int, int, int, int] | None = None
    for _ in range(4):
        found = (
            _depth(brightest[rows].T, spread[rows].T, settings),
            _depth(brightest[:, columns], spread[:, columns], settings),
            _depth(brightest[rows, ::-1].T, spread[rows, ::-1].T, settings),
            _depth(brightest[::-1, columns], spread[::-1, columns], settings),
        )
        if found == sides:
            break
        sides = found
        columns, rows = slice(found[0], width - found[2]), slice(found[1], height - found[3])
    assert sides is not None
    return Box(sides[0], sides[1], width - sides[2], height - sides[3])


def _depth(brightest: Plane, spread: Plane, settings: BorderSettings) -> int:
    """How many leading lines (rows) of a plane are border.

    Args:
        brightest: (L, M) the brightest value of each pixel over time, line 0 outermost.
        spread: (L, M) brightest minus darkest.
        settings: thresholds.
    """
    level = float(np.median(brightest[0]))
    most = int(settings.max_share * len(brightest))
    if level > settings.black_level or most == 0:
        return 0
    dark = brightest <= min(level + settings.tolerance, settings.black_level)
    logo = ~dark & (spread <= settings.logo_range)
    dark_share, logo_share = dark.mean(axis=1), logo.mean(axis=1)
    is_border = (
        (_histogram_std(brightest[: most + 1], settings) >= settings.histogram_std)
        & (dark_share[: most + 1] + logo_share[: most + 1] >= 0.98)
        & (logo_share[: most + 1] <= settings.logo_share)
        & (_dark_std(brightest[: most + 1], dark[: most + 1]) <= settings.noise)
    )
    run = int(np.argmin(is_border)) if not is_border.all() else most
    for depth in range(min(run, most), 0, -1):
        if _has_edge(brightest, dark, depth, settings):
            return depth
    return 0


def _dark_std(lines: Plane, dark: npt.NDArray[np.bool_]) -> Plane:
    """Standard deviation of the dark pixels of each line, (L,)."""
    count = np.maximum(dark.sum(axis=1), 1)
    mean = np.where(dark, lines, 0).sum(axis=1) / count
    spread = np.where(dark, lines - mean[:, None], 0)
    std: Plane = np.sqrt(np.square(spread).sum(axis=1) / count).astype(np.float32)
    return std


def _histogram_std(lines: Plane, settings: BorderSettings) -> Plane:
    """Standard deviation of each line's normalised histogram, (L,)."""
    bins = settings.histogram_bins
    index = np.minimum(lines * (bins / 256), bins - 1).astype(np.intp)
    offset = index + np.arange(len(lines))[:, None] * bins
    counts = np.bincount(offset.ravel(), minlength=len(lines) * bins).reshape(len(lines), bins)
    std: Plane = (counts / lines.shape[1]).std(axis=1).astype(np.float32)
    return std


def _has_edge(brightest: Plane, dark: npt.NDArray[np.bool_], depth: int, settings: BorderSettings) -> bool:
    """Whether a straight step leads from line `depth - 1` into the next two: coding blurs an edge that much."""
    outside = brightest[max(0, depth - 2) : depth].max(axis=0)
    inside = brightest[depth : depth + 2].max(axis=0)
    stepped = (inside - outside >= settings.step) & dark[depth - 1]
    judged = dark[depth - 1].sum()  # a logo says nothing of the edge behind it
    return bool(stepped.sum() >= settings.edge_share * max(1, judged))


def _blurred_box(images: Image, settings: BorderSettings) -> Box:
    """Blurred fill on two opposite sides: little detail outside, a straight edge, the same width on both."""
    grey = images.astype(np.float32).mean(axis=3)
    height, width = grey.shape[1:]
    columns = _blurred_depth(grey, settings)
    rows = _blurred_depth(grey.transpose(0, 2, 1), settings)
    if columns >= rows:
        return Box(columns, 0, width - columns, height)
    return Box(0, rows, width, height - rows)


def _blurred_depth(grey: Plane, settings: BorderSettings) -> int:
    """Width of blurred fill left and right of (N, H, W) frames; 0 where there is none."""
    width = grey.shape[2]
    most = int(settings.max_share * width)
    if width < 16 or grey.shape[1] < 16:
        return 0
    detail = np.abs(np.diff(grey, n=2, axis=1)).mean(axis=(0, 1))  # (W,) roughness along each column
    step = np.abs(np.diff(grey, axis=2)).mean(axis=(0, 1))  # (W - 1,) between neighbouring columns
    middle = float(np.median(detail[most : width - most]))
    symmetric = step[:most] + step[::-1][:most]
    depth = int(np.argmax(symmetric)) + 1
    outer = np.concatenate([detail[: depth - 1], detail[width - depth + 1 :]])
    beside = np.concatenate([step[: max(1, depth - 2)], step[width - max(1, depth - 2) - 1 :]])
    if depth < max(4, width // 25) or middle < 1.0 or np.quantile(outer, 0.9) > settings.blur_ratio * middle:
        return 0
    sharp = min(step[depth - 1], step[width - 1 - depth]) >= max(settings.step, 4 * float(np.median(beside)))
    return depth if sharp else 0

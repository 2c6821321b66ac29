"""Painting with numpy: anti-aliased masks on a canvas whose coordinates do not depend on its size.

y runs from -1 (top) to 1 (bottom), x from -aspect to aspect; `px` is the width of one pixel, the width of every
edge. Colours are display values 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray

Values = npt.NDArray[Any]  # any floats: masks and distances are computed in whatever precision numpy gives


@dataclass
class Canvas:
    """An image under construction and the coordinates of its pixels, after the camera.

    Attributes:
        image: (H, W, 3) float32.   x: (1, W).   y: (H, 1).   px: size of a pixel.
    """

    image: FloatArray
    x: FloatArray
    y: FloatArray
    px: float

    @property
    def aspect(self) -> float:
        """Half the visible width."""
        return float(self.x[0, -1] - self.x[0, 0]) / 2

    def gradient(self, top: FloatArray, low: FloatArray, start: float = -1.0, end: float = 1.0) -> None:
        """Fill with a vertical gradient between two heights."""
        share = smooth((self.y - start) / (end - start))[..., None]
        self.image[:] = top + share * (low - top)

    def blend(self, mask: Values, colour: Values) -> None:
        """Lay a colour over the image where the mask (H, W), (H, 1) or (1, W) says so."""
        self.image += mask[..., None] * (colour - self.image)

    def add(self, mask: Values, colour: Values) -> None:
        """Add light."""
        self.image += mask[..., None] * colour

    def edge(self, distance: Values) -> FloatArray:
        """1 inside (distance < 0), 0 outside, one pixel wide in between."""
        return np.asarray(np.clip(0.5 - distance / self.px, 0, 1), np.float32)

    def disc(self, centre: tuple[float, float], radius: float, colour: Values, **look: float) -> None:
        """A disc; `level` opacity, `soft` 0..1 share of the radius that fades, `light` 1 adds instead of covering."""
        cx, cy = centre
        left, right = np.searchsorted(self.x[0], [cx - radius - self.px, cx + radius + self.px])
        top, bottom = np.searchsorted(self.y[:, 0], [cy - radius - self.px, cy + radius + self.px])
        if left >= right or top >= bottom:
            return
        piece = self.image[top:bottom, left:right]
        away = np.hypot(self.x[:, left:right] - cx, self.y[top:bottom] - cy)
        width = max(look.get("soft", 0.0) * radius, self.px)
        mask = (look.get("level", 1.0) * smooth((radius - away) / width + 0.0))[..., None]
        piece += mask * (colour if look.get("light", 0.0) else colour - piece)


def smooth(share: Values) -> FloatArray:
    """Cubic ease between 0 and 1."""
    s = np.clip(share, 0, 1)
    eased: FloatArray = (s * s * (3 - 2 * s)).astype(np.float32)
    return eased


def hashed(cells: Values, salt: float) -> FloatArray:
    """Pseudo-random numbers in 0..1 of integer cell numbers."""
    wild = np.sin(cells * 12.9898 + salt * 78.233) * 43758.5453
    return (wild - np.floor(wild)).astype(np.float32)


class Ripple:
    """Smooth noise: a sum of sines of random direction, length and drift. Cheap, endless, size-free."""

    def __init__(self, rng: np.random.Generator, terms: int, scale: float, roughness: float = 0.6) -> None:
        order = np.arange(terms)
        angle = rng.uniform(0, 2 * np.pi, terms)
        length = scale * 1.7**order * rng.uniform(0.8, 1.25, terms)
        self._kx, self._ky = length * np.cos(angle), length * np.sin(angle)
        self._phase = rng.uniform(0, 2 * np.pi, terms)
        self._drift = rng.uniform(0.4, 1.2, terms) * rng.choice([-1, 1], terms)
        level = roughness**order
        self._level = level / np.sqrt((level**2).sum() / 2)

    def __call__(self, x: Values, y: Values | float, t: float) -> FloatArray:
        """Noise of about unit deviation at the points."""
        total = np.zeros(np.broadcast_shapes(np.shape(x), np.shape(y)), np.float32)
        for kx, ky, phase, drift, level in zip(
            self._kx, self._ky, self._phase, self._drift, self._level, strict=True
        ):
            total += np.float32(level) * np.sin(
                np.float32(kx) * x + np.float32(ky) * y + np.float32(phase + drift * t)
            )
        return total

"""Abstract: aurora, shapes, tunnel, stars."""

from __future__ import annotations

import numpy as np

from mvr.datasets.synthetic.canvas import Canvas, Ripple, Values, smooth
from mvr.datasets.synthetic.scenes.scene import Scene


class Aurora(Scene):
    """Veils of light that fold slowly."""

    def draw(self, rng: np.random.Generator) -> None:
        """Two warps and a veil."""
        self.warp, self.veil = Ripple(rng, 4, 1.3, 0.6), Ripple(rng, 5, 1.8, 0.6)
        self.stars = rng.uniform((-1.2, -1, 0.2), (1.2, 1, 1), (self.look.count(10, 50), 3))

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Dark sky, stars, veils tinted from main to accent."""
        p = self.palette
        canvas.gradient(0.3 * p.top + 0.7 * p.shade, 0.7 * p.top + 0.3 * p.shade)
        for x, y, size in self.stars:
            canvas.disc((x, y), 0.003 + 0.005 * size, p.glow, level=0.7 * size, soft=0.6)
        bend = self.warp(canvas.x, canvas.y * 0.6, 0.3 * t)
        fold = self.veil(canvas.x + 0.35 * bend, canvas.y * 0.45 + 0.25 * bend, 0.4 * t)
        light = smooth((fold + 1.1) / 2.2)
        tint = smooth((bend + 1.2) / 2.4)[..., None]
        colour = p.main + tint * (p.accent - p.main)
        canvas.image += (0.95 * light)[..., None] * (colour - canvas.image)
        ridge = np.exp(-((fold - 0.8) ** 2) / 0.06).astype(np.float32)
        canvas.add((0.26 + 0.14 * pulse) * ridge, 0.6 * p.glow + 0.4 * p.second)


class Shapes(Scene):
    """Flat geometry that turns and jumps on the beat."""

    def draw(self, rng: np.random.Generator) -> None:
        """Shapes (x, y, size, corners, spin, phase) from back to front."""
        count = self.look.count(4, 10)
        self.shapes = rng.uniform((-0.6, -0.9, 0.1, 3, -1.1, 0), (0.6, 0.9, 0.42, 7, 1.1, 6.28), (count, 6))
        self.shapes = self.shapes[np.argsort(-self.shapes[:, 2])]
        self.tones = rng.integers(0, 3, count)
        self.hollow = rng.random(count) < 0.35
        self.stripes = float(rng.uniform(5, 11))
        self.tilt = float(rng.uniform(-0.8, 0.8))

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Soft stripes, then shapes."""
        p = self.palette
        canvas.gradient(p.top, p.low)
        band = np.sin(self.stripes * (canvas.y + self.tilt * canvas.x) + 1.4 * t)
        canvas.blend(0.28 * canvas.edge(-band / self.stripes), p.main)
        tones = (*p.vivid[1:], p.glow, p.shade)
        for number, (x, y, size, corners, spin, phase) in enumerate(self.shapes):
            cx, cy = x + 0.12 * np.sin(0.7 * t + phase), y + 0.12 * np.cos(0.6 * t + 2 * phase)
            radius = size * (1 + 0.28 * pulse * (1 if number % 2 else -0.4))
            distance = _polygon(canvas.x - cx, canvas.y - cy, int(corners), spin * t + phase) - radius
            if self.hollow[number]:
                distance = np.abs(distance) - 0.05 * radius - 0.01
            canvas.blend(0.94 * canvas.edge(distance), tones[(self.tones[number] + number) % len(tones)])


def _polygon(x: Values, y: Values, corners: int, turn: float) -> Values:
    """Distance from the centre in units where the polygon's edge lies at its radius; over five corners a circle."""
    if corners > 5:
        return np.asarray(np.hypot(x, y))
    angle = np.arctan2(y, x) + turn
    sector = 2 * np.pi / corners
    return np.asarray(np.cos((angle % sector) - sector / 2) * np.hypot(x, y))


class Tunnel(Scene):
    """A flight through lit rings."""

    def draw(self, rng: np.random.Generator) -> None:
        """Twist, sectors, path."""
        self.sectors = int(rng.integers(4, 13))
        self.twist = float(rng.uniform(-1.6, 1.6))
        self.sway = rng.uniform(0.4, 1.1, 4)
        self.square = bool(rng.random() < 0.35)

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Rings in perspective, alternating tones, light at the end."""
        p = self.palette
        x = canvas.x - 0.16 * np.sin(self.sway[0] * t) - 0.05 * np.sin(2.1 * self.sway[1] * t)
        y = canvas.y - 0.2 * np.sin(self.sway[2] * t + 1)
        away = (
            np.maximum(np.maximum(np.abs(x), np.abs(y) * 0.8), 1e-3) if self.square else np.hypot(x, y) + 1e-3
        )
        depth = 0.55 / away + 2.2 * t
        width = np.clip(0.55 * canvas.px / away**2, 1e-4, 1)
        around = self.sectors * (np.arctan2(y, x) / (2 * np.pi) + 0.04 * self.twist * depth)
        ring = _band(depth, width)
        spoke = _band(around, np.clip(self.sectors * canvas.px / (2 * np.pi * away), 1e-4, 1))
        checker = np.abs(ring - spoke)
        far = smooth(away / (0.5 + 0.2 * pulse))[..., None]
        tone = p.shade + checker[..., None] * (p.main - p.shade)
        canvas.image[:] = tone
        edge = np.clip(1 - np.abs((depth % 1) - 0.5) / (0.06 + width), 0, 1)
        canvas.add((edge * (0.5 + 0.6 * pulse)).astype(np.float32), 0.85 * p.accent)
        fog = 0.3 * p.second + (0.55 + 0.3 * pulse) * p.glow
        canvas.image[:] = fog + far * (canvas.image - fog)


def _band(coordinate: Values, width: Values) -> Values:
    """Square wave of period 1, its edges as wide as a pixel, grey where the period is finer than pixels."""
    triangle = np.abs((coordinate % 1) - 0.5) - 0.25
    return np.asarray(np.clip(0.5 + triangle / np.maximum(2 * width, 1e-4), 0, 1), np.float32)


class Stars(Scene):
    """A flight through stars with a nebula behind."""

    def draw(self, rng: np.random.Generator) -> None:
        """Stars (x, y, depth) and the nebula."""
        self.stars = rng.uniform((-1.6, -1.6, 0), (1.6, 1.6, 1), (self.look.count(60, 150), 3))
        self.nebula, self.bend = Ripple(rng, 5, 1.6, 0.65), Ripple(rng, 3, 1.1, 0.6)

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Nebula, then stars from far to near with short trails."""
        p = self.palette
        canvas.gradient(p.shade, 0.8 * p.shade)
        bend = self.bend(canvas.x, canvas.y, 0.1 * t)
        cloud = smooth((self.nebula(canvas.x + 0.3 * bend, canvas.y, 0.12 * t) + 0.9) / 2.4)
        canvas.blend((0.8 + 0.2 * pulse) * cloud, 0.8 * p.main + 0.2 * p.low)
        canvas.add((0.6 * smooth((bend + 0.6) / 1.8) * cloud).astype(np.float32), p.second)
        depths = (self.stars[:, 2] - 0.22 * t) % 1.0
        for x, y, depth in zip(self.stars[:, 0], self.stars[:, 1], depths, strict=True):
            near = 1 - depth
            scale = 0.42 / (depth + 0.08)
            for step in range(3):
                s = scale * (1 - 0.035 * step * near)
                canvas.disc(
                    (x * s, y * s),
                    0.006 + 0.02 * near**2,
                    p.glow,
                    level=min(1.0, 1.4 * near) * (1 - 0.3 * step),
                    soft=0.5,
                )

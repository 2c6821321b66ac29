"""Night: city, rain on a window, stage, bokeh, neon grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datasets.synthetic.canvas import Canvas, Ripple, hashed, smooth
from mvr.datasets.synthetic.scenes.scene import Scene


class Bokeh(Scene):
    """Lights far out of focus, drifting and breathing with the beat."""

    def draw(self, rng: np.random.Generator) -> None:
        """Lights (x, y, radius, phase) and which tone each has."""
        count = self.look.count(26, 56)
        self.lights = rng.uniform((-1.2, -1.1, 0.05, 0), (1.2, 1.1, 0.22, 2 * np.pi), (count, 4))
        self.lights[:, 2] *= 0.7 + 0.7 * self.look.latents.space
        self.tones = rng.integers(0, 3, count)
        self.rise = float(rng.uniform(-0.08, 0.12))

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Dark gradient, then lights added, each with a brighter rim."""
        p = self.palette
        canvas.gradient(0.5 * p.top + 0.5 * p.shade, p.shade)
        for (x, y, radius, phase), tone in zip(self.lights, self.tones, strict=True):
            cx = (x + 0.1 * np.sin(0.35 * t + phase) + 0.05 * t * np.cos(phase) + 1.4) % 2.8 - 1.4
            cy = (y - self.rise * t * (0.5 + radius * 4) + 1.3) % 2.6 - 1.3
            level = 0.34 + 0.16 * np.sin(0.9 * t + 3 * phase) + 0.18 * pulse
            colour = p.vivid[tone]
            canvas.disc((cx, cy), radius, colour, level=level, soft=0.12, light=1)
            canvas.disc((cx, cy), 0.55 * radius, p.glow, level=0.25 * level, soft=1.0, light=1)


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A row of towers: which ones, how wide, how high."""

    salt: float
    width: float
    rise: float


class City(Scene):
    """A skyline at night: three rows of towers with lit windows, traffic below."""

    def draw(self, rng: np.random.Generator) -> None:
        """Rows (salt, tower width, height) and cars."""
        self.rows = [
            _Row(salt=float(rng.uniform(0, 9)), width=width, rise=base)
            for width, base in ((0.16, 0.75), (0.22, 0.5), (0.3, 0.22))
        ]
        self.cars = rng.uniform((0, 0.5, 0), (4, 1.4, 1), (self.look.count(8, 26), 3))
        self.moon = (float(rng.uniform(-0.35, 0.35)), float(rng.uniform(-0.8, -0.5)))
        self.drift = float(rng.choice([-1, 1]) * 0.05)

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Sky, moon, towers from far to near, street, cars."""
        p = self.palette
        canvas.gradient(p.shade, 0.55 * p.low + 0.45 * p.top, -1, 0.5)
        canvas.disc(self.moon, 0.36, p.glow, level=0.25, soft=1.0)
        canvas.disc(self.moon, 0.085, p.glow, level=0.9)
        for depth, row in enumerate(self.rows):
            self._towers(canvas, row, (depth + 1) / 3, t, pulse)
        street = canvas.edge(0.8 - canvas.y + 0 * canvas.x)
        canvas.blend(street, 0.8 * p.shade)
        canvas.add(0.25 * street * smooth((canvas.y - 0.8) / 0.5), 0.5 * p.main)
        for start, speed, lane in self.cars:
            way = 1 if lane > 0.5 else -1
            x = (start + way * speed * t * (0.5 + self.look.latents.energy)) % 4 - 2
            y = 0.86 + 0.1 * lane
            colour = p.glow if way > 0 else p.accent
            canvas.disc((x, y), 0.05, colour, level=0.7, soft=1.0, light=1)
            canvas.disc((x - 0.05 * way, y), 0.09, colour, level=0.3, soft=1.0, light=1)

    def _towers(self, canvas: Canvas, row: _Row, near: float, t: float, pulse: float) -> None:
        salt, width, rise = row.salt, row.width, row.rise
        p = self.palette
        x = canvas.x + self.drift * t * near * 2
        cell = np.floor(x / width)
        inside = x / width - cell
        height = 0.8 - rise - 0.55 * hashed(cell, salt) * (1.2 - 0.5 * near)
        gap = 0.06 / near * 0.4
        wall = canvas.edge((np.abs(inside - 0.5) - 0.5 + gap) * width) * canvas.edge(height - canvas.y)
        tone = 0.35 * (1 - near) * p.low + (1 - 0.35 * (1 - near)) * (0.75 * p.shade + 0.25 * p.top * near)
        canvas.blend(wall, tone)
        size = 0.032 + 0.022 * near
        column, line = np.floor(x / size), np.floor(canvas.y / (size * 1.3))
        lit = hashed(column * 7.1 + line * 3.7, salt) > 0.62 - 0.25 * self.look.latents.density
        fx, fy = x / size - column, canvas.y / (size * 1.3) - line
        pane = canvas.edge((np.abs(fx - 0.5) - 0.28) * size) * canvas.edge((np.abs(fy - 0.5) - 0.3) * size)
        warm = hashed(column * 2.3 + line * 5.1, salt + 1)
        glow = 0.55 + 0.3 * near + 0.15 * pulse
        canvas.blend(wall * pane * lit * glow * (0.4 + 0.6 * warm), 0.7 * p.glow + 0.3 * p.second)


class Rain(Scene):
    """A window on a rainy evening: lights behind the glass, drops running down, a lamp inside."""

    def draw(self, rng: np.random.Generator) -> None:
        """Lights behind, drops on the pane."""
        self.lights = rng.uniform((-1, -0.7, 0.07), (1, 0.8, 0.2), (self.look.count(9, 22), 3))
        self.tones = rng.integers(0, 3, len(self.lights))
        self.drops = rng.uniform((-1.1, -1.2, 0.3), (1.1, 1.2, 1), (self.look.count(30, 90), 3))
        self.lamp = (float(rng.choice([-1, 1]) * rng.uniform(0.3, 0.5)), float(rng.uniform(0.3, 0.7)))

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Street out of focus, drops, window frame, lamp light."""
        p = self.palette
        canvas.gradient(0.6 * p.top + 0.2 * p.shade, 0.7 * p.shade + 0.3 * p.main)
        for (x, y, radius), tone in zip(self.lights, self.tones, strict=True):
            sway = 0.02 * np.sin(0.6 * t + 8 * x)
            canvas.disc((x + sway, y), radius, p.vivid[tone], level=0.34 + 0.07 * pulse, soft=0.35, light=1)
        for x, y, size in self.drops:
            speed = 0.05 + 0.5 * size**3
            cy = (y + speed * t + 1.3) % 2.6 - 1.3
            canvas.disc((x + 0.008 * np.sin(9 * cy), cy), 0.008 + 0.012 * size, p.glow, level=0.5, soft=0.6)
            canvas.disc((x, cy - 0.05), 0.006 + 0.006 * size, p.glow, level=0.22, soft=0.9)
        bar = np.minimum(np.abs(canvas.x - 0.02), np.abs(np.abs(canvas.x) - 1.06)) - 0.014
        canvas.blend(canvas.edge(np.minimum(bar, np.abs(canvas.y + 0.15) - 0.014)), 0.6 * p.shade)
        canvas.disc(self.lamp, 1.1, p.accent, level=0.3 + 0.05 * np.sin(1.1 * t), soft=1.0, light=1)
        sill = canvas.y - 0.82 + 0 * canvas.x
        canvas.blend(canvas.edge(-sill), 0.75 * p.shade)


class Stage(Scene):
    """A concert: beams that sweep, haze, a crowd that jumps on the beat."""

    def draw(self, rng: np.random.Generator) -> None:
        """Beams (x, phase, speed) and heads."""
        self.beams = rng.uniform((-0.9, 0, 0.4), (0.9, 6.28, 1.3), (self.look.count(3, 7), 3))
        self.heads = rng.uniform((-1.9, 0.0, 0.055), (1.9, 6.28, 0.1), (self.look.count(16, 34), 3))
        self.haze = Ripple(rng, 5, 2.4, 0.7)

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Back wall, beams, haze, crowd."""
        p = self.palette
        canvas.gradient(0.6 * p.shade, 0.55 * p.main + 0.25 * p.shade, -1, 0.9)
        smoke = 0.75 + 0.25 * self.haze(canvas.x + 0.1 * t, canvas.y, 0.5 * t)
        for number, (x, phase, speed) in enumerate(self.beams):
            lean = 0.75 * np.sin(speed * t + phase)
            down = canvas.y + 1.1
            across = np.abs(canvas.x - x - lean * down * 0.6)
            cone = smooth(1 - across / (0.03 + 0.17 * down)) * smooth((2.4 - down) / 2.0)
            level = 0.36 + 0.3 * pulse * (number % 2 == 0) + 0.12 * np.sin(2.3 * t + phase)
            canvas.add((level * cone * smoke).astype(np.float32), p.vivid[number % 3])
        canvas.disc((0, 0.62), 0.9, p.glow, level=0.22 + 0.25 * pulse, soft=1.0, light=1)
        jump = 0.05 * (0.3 + self.look.latents.energy)
        for x, phase, size in self.heads:
            y = (
                0.82
                + 0.1 * np.sin(phase * 3)
                - jump * pulse * (0.5 + 0.5 * np.sin(phase))
                - 0.02 * np.sin(2 * t + phase)
            )
            canvas.disc((x, y), size, 0.35 * p.shade)
            canvas.disc((x, y + 0.2), 1.7 * size, 0.35 * p.shade)
        canvas.blend(canvas.edge(0.97 - canvas.y + 0 * canvas.x), 0.35 * p.shade)


class Grid(Scene):
    """Neon plain: a striped sun over black hills, lines that run towards the eye."""

    def draw(self, rng: np.random.Generator) -> None:
        """Hills on the horizon, stars."""
        self.ridge = Ripple(rng, 5, 4, 0.6)
        self.stars = rng.uniform((-1.2, -1, 0.3), (1.2, -0.1, 1), (self.look.count(20, 60), 3))
        self.horizon = float(rng.uniform(0.0, 0.2))

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Sky, stars, sun, hills, plain."""
        p, horizon = self.palette, self.horizon
        canvas.gradient(p.shade, 0.75 * p.low + 0.25 * p.main, -1, horizon)
        for x, y, size in self.stars:
            twinkle = 0.4 + 0.4 * np.sin(2 * t + 40 * x)
            canvas.disc((x, y), 0.004 + 0.006 * size, p.glow, level=twinkle * size, soft=0.6)
        self._sun(canvas, t, pulse)
        valley = smooth(np.abs(canvas.x) / 0.5)
        peaks = 0.06 + 0.05 * np.abs(self.ridge(canvas.x + 0.02 * t, 0.0, 0.0))
        hills = horizon - 0.015 - valley * peaks - canvas.y
        canvas.blend(canvas.edge(hills) * canvas.edge(canvas.y - horizon), 0.6 * p.shade)
        depth = np.maximum(canvas.y - horizon, 1e-3)
        floor = canvas.edge(horizon - canvas.y + 0 * canvas.x)
        canvas.blend(floor, 0.7 * p.shade + 0.1 * p.main)
        far = 0.5 / depth
        for coordinate, rate in ((far + 1.6 * t, 0.5 / depth**2), (canvas.x * far * 9, 9 * far)):
            distance = np.abs(coordinate - np.rint(coordinate))
            width = np.clip(rate * canvas.px, 0.0, 0.5)
            line = np.clip(1.2 - distance / (0.02 + 1.2 * width), 0, 1) * np.clip(1.4 - 2 * width, 0, 1)
            halo = 0.35 * np.clip(1 - distance / 0.16, 0, 1) ** 2
            canvas.add((floor * (line + halo) * (0.6 + 0.4 * pulse)).astype(np.float32), 0.8 * p.accent)
        canvas.add(
            (0.5 * np.exp(-np.abs(canvas.y - horizon) / 0.05) * np.ones_like(canvas.x)).astype(np.float32),
            p.main,
        )

    def _sun(self, canvas: Canvas, t: float, pulse: float) -> None:
        p, r = self.palette, 0.34
        cy = self.horizon - 0.22
        away = np.hypot(canvas.x, canvas.y - cy)
        canvas.add((0.4 * (0.7 + 0.3 * pulse) * smooth(1 - away / (2.4 * r)) ** 2).astype(np.float32), p.main)
        stripe = (canvas.y - cy) / r
        cut = np.abs((stripe * 5 - 0.2 * t) % 1 - 0.5) - 0.5 + 0.32 * np.clip(stripe + 0.1, 0, 1)
        mask = canvas.edge(away - r) * np.where(stripe > -0.1, canvas.edge(cut * r / 5), 1)
        share = smooth((stripe + 1) / 2)[..., None]
        tone = p.glow + share * (p.second - p.glow)
        canvas.image += mask[..., None] * (tone - canvas.image)

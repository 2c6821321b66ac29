"""Landscapes: hills, waves, clouds, forest."""

from __future__ import annotations

import numpy as np

from mvr.datasets.synthetic.canvas import Canvas, Ripple, Values, smooth
from mvr.datasets.synthetic.scenes.scene import Scene


class Hills(Scene):
    """Ranges of hills behind each other, sun or moon, mist in the valleys."""

    def draw(self, rng: np.random.Generator) -> None:
        """Ridges from far to near."""
        count = self.look.count(3, 6)
        self.ridges = [Ripple(rng, 4, 1.2 + 0.6 * i, 0.5) for i in range(count)]
        self.sun = (
            float(rng.uniform(-0.3, 0.3)),
            float(rng.uniform(-0.6, -0.15)),
            float(rng.uniform(0.1, 0.24)),
        )
        self.drift = float(rng.choice([-1, 1]) * rng.uniform(0.1, 0.25))

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Sky, sun, ridges."""
        p = self.palette
        canvas.gradient(p.top, p.low, -1, 0.4)
        x, y, r = self.sun
        canvas.disc((x, y), 3.6 * r, p.glow, level=0.3 + 0.15 * pulse, soft=1.0)
        canvas.disc((x, y), r, p.glow, level=0.95)
        for i, ridge in enumerate(self.ridges):
            near = (i + 1) / len(self.ridges)
            moved = canvas.x + self.drift * t * near * near * 2
            height = -0.12 + 0.78 * near**1.3 - (0.1 + 0.1 * near) * ridge(moved, 0.0, 0.0)
            tone = p.low + near * (p.shade - p.low) * 0.92 + 0.25 * near * (1 - near) * (p.main - p.low) * 4
            below = canvas.y - height
            mist = 0.35 * (1 - near) * smooth(below / 0.5)
            canvas.blend(canvas.edge(-below), tone)
            canvas.blend(canvas.edge(-below) * mist, p.low)


class Waves(Scene):
    """The sea at sunset or by moonlight: swell in layers, a glittering path below the sun."""

    def draw(self, rng: np.random.Generator) -> None:
        """Swell and sun."""
        self.layers = [Ripple(rng, 3, 2.2 + 1.1 * i, 0.55) for i in range(self.look.count(4, 7))]
        self.glitter = Ripple(rng, 4, 16, 0.8)
        self.sun = (
            float(rng.uniform(-0.25, 0.25)),
            float(rng.uniform(-0.5, -0.25)),
            float(rng.uniform(0.12, 0.22)),
        )
        self.horizon = float(rng.uniform(-0.2, 0.05))

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Sky, sun, layers of swell, glitter."""
        p = self.palette
        canvas.gradient(p.top, p.low, -1, self.horizon)
        x, y, r = self.sun
        canvas.disc((x, y), 4 * r, p.glow, level=0.32, soft=1.0)
        canvas.disc((x, y), r * (1 + 0.05 * pulse), p.glow)
        for i, layer in enumerate(self.layers):
            near = (i + 0.5) / len(self.layers)
            swing = 0.35 * t * (0.4 + near)
            height = (
                self.horizon
                + 1.1 * near**1.5
                - (0.012 + 0.07 * near) * layer(canvas.x + swing * 0.3, 0.0, 2 * swing)
            )
            tone = p.low + (p.main - p.low) * min(1, 1.6 * near) + (p.shade - p.main) * max(0, near - 0.3)
            below = canvas.y - height
            canvas.blend(canvas.edge(-below), tone)
            crest = canvas.edge(-below) * smooth(1 - below / (0.02 + 0.06 * near))
            canvas.blend(0.35 * crest, p.glow)
        depth = np.clip((canvas.y - self.horizon) / 1.0, 0, 1)
        path = np.exp(-(((canvas.x - x) / (0.1 + 0.5 * depth)) ** 2)) * (depth > 0)
        spark = smooth((self.glitter(canvas.x * 0.35, canvas.y * 2.4 / (0.3 + depth), 3 * t) - 0.7) / 0.8)
        canvas.add((0.55 * path * spark * (1 - 0.6 * depth)).astype(np.float32), p.glow)


class Clouds(Scene):
    """A wide sky: drifting banks of cloud, light from one side, a few birds."""

    def draw(self, rng: np.random.Generator) -> None:
        """Two layers of cloud and a flock."""
        self.bank, self.wisps = Ripple(rng, 7, 1.3, 0.6), Ripple(rng, 6, 3.0, 0.7)
        self.bend = Ripple(rng, 3, 1.7, 0.6)
        self.cover = float(rng.uniform(-0.3, 0.5))
        self.birds = rng.uniform((-0.9, -0.6, 0.6), (0.9, 0.3, 1.4), (self.look.count(2, 9), 3))

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Sky, far wisps, near banks with lit tops, birds."""
        p = self.palette
        canvas.gradient(p.top, p.low, -1, 0.9)
        sway = self.bend(canvas.x, canvas.y, 0.05 * t)
        x, y = canvas.x + 0.1 * t + 0.22 * sway, canvas.y * 1.6 + 0.3 * sway
        wisps = smooth((self.wisps(x * 0.7, y * 1.5, 0.1 * t) - 0.4) / 1.6)
        canvas.blend(0.45 * wisps, p.glow)
        thick = self.bank(x, y, 0.14 * t) + 0.35 * self.wisps(x * 1.4, y, 0.2 * t)
        mask = smooth((thick - self.cover) / 0.9)
        lit = smooth((self.bank(x, y + 0.3, 0.14 * t) - self.cover + 0.3) / 1.6)[..., None]
        tone = p.glow + lit * (0.55 * p.low + 0.45 * p.main - p.glow)
        canvas.image += 0.92 * mask[..., None] * (tone - canvas.image)
        for bx, by, size in self.birds:
            _bird(
                canvas,
                (bx + 0.16 * t + 1.2) % 2.4 - 1.2,
                by + 0.03 * np.sin(t + bx * 9),
                0.035 * size,
                t + bx * 5,
                p.shade,
            )


def _bird(canvas: Canvas, cx: float, cy: float, size: float, t: float, colour: Values) -> None:
    """Two wings that beat: a thin arch."""
    left, right = np.searchsorted(canvas.x[0], [cx - size, cx + size])
    top, bottom = np.searchsorted(canvas.y[:, 0], [cy - size, cy + size])
    if left >= right or top >= bottom:
        return
    along = np.abs(canvas.x[:, left:right] - cx) / size
    arch = cy - size * (0.35 + 0.4 * np.sin(7 * t)) * along * (1.6 - along)
    distance = np.abs(canvas.y[top:bottom] - arch) - 0.09 * size
    mask = canvas.edge(distance)[..., None] * 0.85
    canvas.image[top:bottom, left:right] += mask * (colour - canvas.image[top:bottom, left:right])


class Forest(Scene):
    """Trunks in three depths, shafts of light, leaves that fall."""

    def draw(self, rng: np.random.Generator) -> None:
        """Trunks (x, half width, depth), leaves, foliage."""
        count = self.look.count(10, 22)
        depth = np.sort(rng.uniform(0.15, 1, count))
        self.trunks = np.stack([rng.uniform(-2.6, 2.6, count), rng.uniform(0.02, 0.07, count), depth], 1)
        self.leaves = rng.uniform((-1.2, -1, 0.3), (1.2, 1, 1), (self.look.count(14, 46), 3))
        self.canopy = Ripple(rng, 6, 5, 0.8)
        self.slope = float(rng.uniform(-0.6, 0.6))
        self.drift = float(rng.choice([-1, 1]) * 0.12)

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Light, shafts, trunks from far to near, foliage, ground, leaves."""
        p = self.palette
        canvas.gradient(p.glow, p.low, -1, 0.8)
        beams = np.sin(9 * (canvas.x + self.slope * canvas.y) + 0.3 * t) * np.sin(
            4.1 * (canvas.x + self.slope * canvas.y) + 1
        )
        for x, half, near in self.trunks:
            place = (x + self.drift * t * near * 2 + 2.6) % 5.2 - 2.6
            distance = np.abs(canvas.x - place + 0.02 * np.sin(3 * canvas.y + x)) - half * near * (
                1.4 + 0.3 * canvas.y
            )
            tone = p.low + near * (p.shade - p.low)
            canvas.blend(canvas.edge(distance) * (0.4 + 0.6 * near), tone)
        ground = canvas.y - 0.72 - 0.04 * np.sin(3 * canvas.x + self.drift * t * 2)
        canvas.blend(canvas.edge(-ground), 0.55 * p.main + 0.45 * p.shade)
        sway = self.canopy(canvas.x + 0.03 * np.sin(0.8 * t), canvas.y * 1.3, 0.25 * t)
        leafy = smooth((sway * 0.35 - canvas.y - 0.42) / 0.25)
        canvas.blend(0.9 * leafy, 0.75 * p.main + 0.25 * p.shade)
        canvas.add((0.16 * smooth(beams) * smooth((0.9 - canvas.y) / 1.6)).astype(np.float32), p.glow)
        for x, y, near in self.leaves:
            cx = (x + 0.1 * np.sin(1.3 * t + 9 * y) + self.drift * t * near + 1.2) % 2.4 - 1.2
            cy = (y + 0.18 * t * (0.5 + near) + 1.1) % 2.2 - 1.1
            canvas.disc(
                (cx, cy), 0.012 + 0.02 * near, self.palette.vivid[int(97 * x) % 3], level=0.85, soft=0.4
            )

"""What every scene knows and does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datasets.synthetic.canvas import Canvas
from mvr.datasets.synthetic.latents import Latents
from mvr.datasets.synthetic.palette import Palette


@dataclass(frozen=True)
class Look:
    """What a scene is drawn from."""

    palette: Palette
    latents: Latents
    rng: np.random.Generator

    def count(self, few: int, many: int) -> int:
        """A number of things that grows with density."""
        return round(few + (many - few) * self.latents.density)


class Scene:
    """A picture that moves: `paint(canvas, t, pulse)`, t in scene seconds, pulse 1 on the beat and fading."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.palette = look.palette
        self.draw(look.rng)

    def draw(self, rng: np.random.Generator) -> None:
        """Draw once what does not change."""
        raise AssertionError("every scene draws itself")

    def paint(self, canvas: Canvas, t: float, pulse: float) -> None:
        """Cover the canvas."""
        raise AssertionError("every scene paints itself")

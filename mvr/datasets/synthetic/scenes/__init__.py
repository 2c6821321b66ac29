"""Kinds of scene: name -> class. A scene draws its things once and paints itself at any time and size."""

from __future__ import annotations

from mvr.datasets.synthetic.scenes.abstract import Aurora, Shapes, Stars, Tunnel
from mvr.datasets.synthetic.scenes.landscape import Clouds, Forest, Hills, Waves
from mvr.datasets.synthetic.scenes.night import Bokeh, City, Grid, Rain, Stage
from mvr.datasets.synthetic.scenes.scene import Look, Scene

SCENES: dict[str, type[Scene]] = {
    "aurora": Aurora,
    "bokeh": Bokeh,
    "city": City,
    "clouds": Clouds,
    "forest": Forest,
    "grid": Grid,
    "hills": Hills,
    "rain": Rain,
    "shapes": Shapes,
    "stage": Stage,
    "stars": Stars,
    "tunnel": Tunnel,
    "waves": Waves,
}

__all__ = ["SCENES", "Look", "Scene"]

"""The demo library's films with the cuts that the code which painted them put there."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np

from eval.timing.films.joined import read_pixels
from eval.timing.films.shots import CutFilm
from mvr.datasets.synthetic.demo import film_of, plan_demo
from mvr.datasets.synthetic.encode import EncodeSettings
from mvr.library.demo import demo_dir


def demo_films() -> Iterable[CutFilm]:
    """Each film as it lies in the demo library, decoded."""
    rate_fps = float(EncodeSettings().rate_fps)
    for item in plan_demo(demo_seed()):
        if item.kind == "video":
            starts = np.array(film_of(item).cuts_s[1:])
            yield CutFilm(
                kind="demo clips",
                frames=read_pixels(demo_dir() / item.file, rate_fps=rate_fps),
                cuts_s=np.ceil(starts * rate_fps - 1e-6) / rate_fps,
                rate_fps=rate_fps,
            )


def demo_seed() -> int:
    """The seed of the command that the demo library's manifest says it was made by."""
    manifest = json.loads((demo_dir() / "manifest.json").read_text(encoding="utf-8"))
    return int(manifest["command"].split("--seed ")[1])

"""The parts of the benchmark: one line each."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass

from eval.speed.contest import Contest
from eval.speed.inputs import Inputs


@dataclass(frozen=True)
class Part:
    """A module with `contests(inputs)`; a heavy one runs with `--all` or by name only."""

    module: str
    heavy: bool = False


PARTS = {
    "frames": Part("eval.speed.frames"),
    "mux": Part("eval.speed.mux"),
    "embed": Part("eval.speed.embed"),
    "extract": Part("eval.speed.extract"),
    "page": Part("eval.speed.page"),
    "index": Part("eval.speed.index"),
    "index-large": Part("eval.speed.index_large", heavy=True),
    "large": Part("eval.speed.large", heavy=True),
    "metrics": Part("eval.speed.metrics"),
    "training": Part("eval.speed.training"),
    "timing": Part("eval.speed.timing", heavy=True),
    "weight": Part("eval.speed.weight", heavy=True),
    "install": Part("eval.speed.install", heavy=True),
    "models": Part("eval.speed.models"),
    "models-large": Part("eval.speed.models_large", heavy=True),
    "graphics-card": Part("eval.speed.graphics_card", heavy=True),
}


def contests_of(part: str, inputs: Inputs) -> Iterator[Contest]:
    """The contests of a part, by its name in `PARTS`."""
    module = importlib.import_module(PARTS[part].module)
    yield from module.contests(inputs)

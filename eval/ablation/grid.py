"""What a grid file may say, and the cells that it spans.

Backbone, segment length and border removal are settings of feature extraction: each value is a store of its own, named
under `stores`. Everything else is an axis of `axes`: a dotted name of a recipe's setting and the values to try.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mvr.datatypes import JsonDict
from mvr.errors import UsageError


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StorePair(_Part):
    """Features to train on and features to measure on (the same store where `test` is not given)."""

    train: str
    test: str | None = None


class Grid(_Part):
    """An ablation.

    Attributes:
        stores: name -> store(s), relative to the grid file or to `--stores DIR`.
        heads: presets to train.
        labels: label columns for heads that take labels.
        axes: dotted recipe setting -> values ("loss.temperature": [0.05, 0.1]).
        base: settings of every cell, in the form of a recipe's overrides.
        split: where cells are compared; choosing on test would make the test worthless, so val is the default.
        alphas, ks, seeds, draws: as in a plan; every cell is trained once per seed.
    """

    title: str
    about: str
    stores: dict[str, StorePair]
    heads: tuple[str, ...]
    labels: tuple[str, ...] = ()
    axes: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    base: dict[str, Any] = Field(default_factory=dict)
    split: str = "val"
    alphas: tuple[float, ...] = (0.0, 0.5, 1.0)
    ks: tuple[int, ...] = (1, 10)
    seeds: tuple[int, ...] = (0,)
    draws: int = 2000


class Cell(_Part):
    """One training and measurement."""

    store: str
    head: str
    settings: dict[str, Any]
    seed: int

    def overrides(self, base: JsonDict) -> JsonDict:
        """The recipe overrides: `base` with this cell's settings laid over it."""
        merged: JsonDict = json.loads(json.dumps(base))
        for name, value in self.settings.items():
            part, _, key = name.partition(".")
            merged.setdefault(part, {})[key] = value
        return merged


def load_grid(path: Path) -> Grid:
    """Read a grid file.

    Raises:
        UsageError: no such file, an unknown key, an axis that is no dotted setting.
    """
    try:
        grid = Grid.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise UsageError(f"the grid {path} cannot be used: {error}") from error
    for name, values in grid.axes.items():
        if name.partition(".")[0] not in ("head", "loss", "training") or "." not in name or not values:
            raise UsageError(
                f"axis {name!r} must be a setting with values: head.NAME, loss.NAME or training.NAME"
            )
    if not (grid.stores and grid.heads and grid.seeds):
        raise UsageError(f"the grid {path} needs at least one store, head and seed")
    return grid


def cells(grid: Grid) -> Iterator[Cell]:
    """All cells, in the order of the file."""
    for store, head, *values in itertools.product(grid.stores, grid.heads, *grid.axes.values()):
        for seed in grid.seeds:
            settings = dict(zip(grid.axes, values, strict=True))
            yield Cell(store=store, head=head, settings=settings, seed=seed)

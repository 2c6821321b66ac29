"""Regularised linear CCA: rows, ridge and number of directions chosen on the validation rows.

The baseline gets what the trained heads get: where some training rows are of the kind of split val (see
`mvr.training.focus`), it is fitted on all rows and on these alone, and validation says which is better.
"""

from __future__ import annotations

import itertools
from typing import Any

from mvr.datatypes import JsonDict
from mvr.errors import UsageError
from mvr.heads.linear import CcaHead, Moments
from mvr.training.data import IntArray, TrainingData, fit_standardise
from mvr.training.settings import Recipe
from mvr.training.validation import validate


def fit_cca(
    recipe: Recipe,
    data: TrainingData,
    focus: IntArray | None = None,
) -> tuple[CcaHead, list[JsonDict]]:
    """Fit one head per combination of the listed `ridge`, `dim` and `power` values and keep the best on val.

    Args:
        recipe: `head` may hold a number or a list of numbers for each of the three.
        data: rows.
        focus: training rows of the target's own kind.

    Returns:
        The best head and what was tried, with the validation scores.
    """
    best: tuple[tuple[float, ...], CcaHead] | None = None
    tried = []
    moments: dict[str, Moments] = {}
    rows = {"all": data.train} if focus is None else {"all": data.train, "focus": focus}
    grid = _grid(recipe.head, min(data.video.shape[1], data.audio.shape[1]))
    for name, config in itertools.product(rows, grid):
        head = CcaHead.create(video_dim=data.video.shape[1], audio_dim=data.audio.shape[1], **config)
        fit_standardise(head.standardise, data)
        if name not in moments:
            moments[name] = head.moments(*data.features(rows[name]))
        head.fit_moments(moments[name])
        score = validate(head, data, recipe.training.metric)["ssl"]
        tried.append({"rows": name, **config, **score.values})
        if best is None or score.better < best[0]:
            best = (score.better, head)
    assert best is not None
    return best[1], tried


def _grid(head: JsonDict, width: int) -> list[JsonDict]:
    """All combinations; more directions than features are cut to the features."""
    unknown = sorted(set(head) - {"ridge", "dim", "power"})
    if unknown:
        raise UsageError(f"unknown setting {unknown[0]!r} for cca; choose from dim, power, ridge")
    grid: list[JsonDict] = [{}]
    for name, value in head.items():
        values: list[Any] = value if isinstance(value, list) else [value]
        if name == "dim":
            values = sorted({min(int(v), width) for v in values})
        grid = [{**config, name: v} for config in grid for v in values]
    if "dim" not in head:
        grid = [{**config, "dim": min(64, width)} for config in grid]
    return grid

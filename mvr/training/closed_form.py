"""Regularised linear CCA: rows, ridge and number of directions chosen on the validation rows.

The baseline gets what the trained heads get: where some training rows are of the kind of split val (see
`mvr.training.focus`), it is fitted on all rows and on these alone, and validation says which is better.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import Any

from mvr.datatypes import JsonDict
from mvr.errors import UsageError
from mvr.heads.linear import CcaHead, Moments
from mvr.training.data import fit_standardise
from mvr.training.fixed import save_scored
from mvr.training.job import Job
from mvr.training.report import TrainReport
from mvr.training.validation import validate


def train_cca(job: Job) -> TrainReport:
    """Fit one head per combination of the listed `ridge`, `dim` and `power` values and save the best on val.

    Args:
        job: `recipe.head` may hold a number or a list of numbers for each of the three.

    Raises:
        UsageError: an unknown setting.
    """
    began = time.monotonic()
    head, tried = _fit(job)
    return save_scored(head, replace(job, facts={**job.facts, "tried": tried}), time.monotonic() - began)


def _fit(job: Job) -> tuple[CcaHead, list[JsonDict]]:
    """The best head and what was tried, with the validation scores."""
    recipe, data, focus = job.recipe, job.data, job.focus
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

"""Measure a system: every task, direction, alpha and pool, then the intervals of all rows together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mvr.datatypes import (
    BranchedEmbeddings,
    Direction,
    FloatArray,
    JsonDict,
    Modality,
    branch_weights,
    mix_branches,
)
from mvr.errors import DataError, WrongShape
from mvr.metrics.labels import LabelPositions, LabelTask, label_positions_of_embeddings
from mvr.metrics.ranks import rank_embeddings
from mvr.metrics.retrieval.plan import PAIR, Plan, TestSet
from mvr.metrics.retrieval.values import Measured, RowKey, label_values, mean_values, pair_values
from mvr.metrics.significance import cluster_bootstrap, median_bootstrap

_MEDIAN_DRAWS = (
    2000  # a redrawn median costs a pass over all queries; 2,000 fix its quantiles to a rank or two
)


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """A system's embeddings of a test set: row i of `video` and of `audio` are pair i."""

    system: str
    video: BranchedEmbeddings
    audio: BranchedEmbeddings

    def __post_init__(self) -> None:
        if self.video.vectors.shape != self.audio.vectors.shape or self.video.branches != self.audio.branches:
            raise WrongShape(
                f"system {self.system!r} embeds video as {self.video.vectors.shape} and music as "
                f"{self.audio.vectors.shape}; both must be the same (rows, branches, width)"
            )

    def alphas(self, plan: Plan) -> tuple[float | None, ...]:
        """The plan's alphas, or only None for a system with one branch."""
        return plan.alphas if len(self.video.branches) > 1 else (None,)

    def mixed(self, modality: Modality, alpha: float | None) -> FloatArray:
        """(N, D) unit-length embeddings at one alpha."""
        side = self.video if modality is Modality.VIDEO else self.audio
        return mix_branches(side.vectors, branch_weights(alpha or 0.0, len(side.branches)))


def measure(system: Embedded, tests: TestSet, plan: Plan) -> list[Measured]:
    """All rows of one system, without intervals.

    Raises:
        WrongShape: another number of embeddings than test rows.
        UsageError: a pool larger than the split, an unknown taxonomy.
        NotFinite: embeddings that are not finite.
    """
    if len(system.video) != len(tests):
        raise WrongShape(f"{system.system!r} has {len(system.video)} embeddings for {len(tests)} test rows")
    return [row for task in plan.tasks for row in _task_rows(system, tests, plan, task)]


def _task_rows(system: Embedded, tests: TestSet, plan: Plan, task: str) -> Iterator[Measured]:
    for direction in Direction:
        for alpha in system.alphas(plan):
            queries, items = (system.mixed(side, alpha) for side in (direction.query, direction.target))
            key = RowKey(system=system.system, alpha=alpha, direction=direction, task=task, pool=0)
            if task == PAIR:
                yield from _pair_rows(key, (queries, items), tests, plan)
            else:
                yield from _label_rows(key, (queries, items), tests, plan)


def _pair_rows(
    key: RowKey, sides: tuple[FloatArray, FloatArray], tests: TestSet, plan: Plan
) -> Iterator[Measured]:
    ranks = rank_embeddings(*sides, groups=tests.groups)
    for pool in (ranks.pool, *(size for size in plan.pools if size != ranks.pool)):
        yield pair_values(replace(key, pool=pool), ranks, plan.ks)


def _label_rows(
    key: RowKey, sides: tuple[FloatArray, FloatArray], tests: TestSet, plan: Plan
) -> Iterator[Measured]:
    whole = _label_row(key, sides, tests, plan)
    yield whole
    for size in plan.pools:
        if size == whole.key.pool:
            continue
        parts = []
        for draw in range(plan.pool_draws):
            rows = tests.sample(size, seed=plan.resampling.seed + draw)
            part = _label_row(key, (sides[0][rows], sides[1][rows]), tests.take(rows), plan)
            parts.append(part.values)
        yield Measured(
            key=replace(key, pool=size),
            values={**mean_values(parts), "pool_draws": plan.pool_draws},
            queries=np.zeros(0, np.int64),
        )


def _label_row(key: RowKey, sides: tuple[FloatArray, FloatArray], tests: TestSet, plan: Plan) -> Measured:
    labels = tests.taxonomy(key.task)
    task = LabelTask(query_labels=labels, item_labels=labels, groups=tests.groups)
    found = label_positions_of_embeddings(*sides, task)
    without: LabelPositions | None
    try:
        without = label_positions_of_embeddings(*sides, replace(task, own=np.arange(len(tests))))
    except DataError:  # every label occurs once: nothing is left to find but the own pair
        without = None
    return label_values(replace(key, pool=found.pool), found, without, plan.ks)


def rows_with_intervals(measured: Sequence[Measured], tests: TestSet, plan: Plan) -> list[JsonDict]:
    """The rows in the JSON form of the contract.

    Rows over the same queries share their redrawn clusters, which makes their intervals comparable. Each
    interval redraws whole groups. Sub-pools of label tasks are means over draws and carry no interval.
    """
    together: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, row in enumerate(measured):
        together[tuple(row.queries)].append(number)
    intervals: dict[int, JsonDict] = {}
    for queries, numbers in together.items():
        clusters = [tests.groups[row] for row in queries]
        intervals |= _intervals({number: measured[number] for number in numbers}, clusters, plan)
    return [
        {**row.key.to_json(), **row.values, "intervals": intervals[number]}
        for number, row in enumerate(measured)
    ]


def _intervals(rows: dict[int, Measured], clusters: Sequence[str], plan: Plan) -> dict[int, JsonDict]:
    names = [(number, name) for number, row in rows.items() for name in row.columns]
    found: dict[int, JsonDict] = {number: {} for number in rows}
    if names:
        columns = np.column_stack([rows[number].columns[name] for number, name in names])
        for (number, name), interval in zip(
            names, cluster_bootstrap(columns, clusters, plan.resampling), strict=True
        ):
            found[number][name] = [round(interval.low, 6), round(interval.high, 6)]
    fewer = replace(plan.resampling, draws=min(_MEDIAN_DRAWS, plan.resampling.draws))
    for number, row in rows.items():
        for name, values in row.medians.items():
            interval = median_bootstrap(values, clusters, fewer)
            found[number][name] = [round(interval.low, 6), round(interval.high, 6)]
    return found

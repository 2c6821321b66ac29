"""Which differences between systems are more than noise: paired permutation over groups, Holm over the whole report.

The family is declared here and not after looking: on each task and in each direction, every pair of systems (or those
that the plan names) on one metric, Recall@10 for the true pair at the lowest alpha and Precision@10 for labels at the
highest, where each task is what the alpha is meant for. A difference is a claim
when its adjusted p is below 0.05 and it is at least two points.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mvr.datatypes import JsonDict
from mvr.metrics.retrieval.plan import PAIR, Plan, TestSet
from mvr.metrics.retrieval.values import Measured
from mvr.metrics.significance import cluster_bootstrap, holm, sign_flip_test

SMALLEST_CLAIM = 0.02


def compare(measured: Sequence[Measured], tests: TestSet, plan: Plan) -> list[JsonDict]:
    """One entry per task, direction and pair of systems, with p values adjusted over all entries."""
    entries: list[JsonDict] = []
    for (task, direction), rows in sorted(_families(measured, plan).items()):
        metric = _metric(task, plan)
        for first, second in _pairs(rows, plan):
            if not np.array_equal(first.queries, second.queries):
                continue
            difference = first.columns[metric] - second.columns[metric]
            groups = [tests.groups[row] for row in first.queries]
            interval = cluster_bootstrap(difference, groups, plan.resampling)[0]
            entries.append(
                {
                    "task": task,
                    "direction": direction,
                    "metric": metric,
                    "first": first.key.name,
                    "second": second.key.name,
                    "difference": round(interval.point, 6),
                    "interval": [round(interval.low, 6), round(interval.high, 6)],
                    "p": round(sign_flip_test(difference, groups, plan.resampling), 6),
                }
            )
    for entry, adjusted in zip(entries, holm([entry["p"] for entry in entries]), strict=True):
        entry["p_holm"] = round(adjusted, 6)
        entry["claim"] = adjusted < 0.05 and abs(entry["difference"]) >= SMALLEST_CLAIM
    return entries


def _pairs(rows: Sequence[Measured], plan: Plan) -> list[tuple[Measured, Measured]]:
    if not plan.comparisons:
        return list(itertools.combinations(rows, 2))
    by_name = {row.key.system: row for row in rows}
    return [(by_name[a], by_name[b]) for a, b in plan.comparisons if a in by_name and b in by_name]


def _families(measured: Sequence[Measured], plan: Plan) -> dict[tuple[str, str], list[Measured]]:
    """Rows over the whole split at the alpha that each task is for."""
    families: dict[tuple[str, str], list[Measured]] = defaultdict(list)
    whole = {(m.key.task, str(m.key.direction)): 0 for m in measured}
    for row in measured:
        place = (row.key.task, str(row.key.direction))
        whole[place] = max(whole[place], row.key.pool)
    for row in measured:
        place = (row.key.task, str(row.key.direction))
        alpha = min(plan.alphas) if row.key.task == PAIR else max(plan.alphas)
        if row.key.pool == whole[place] and row.key.alpha in (None, alpha) and row.columns:
            families[place].append(row)
    return families


def _metric(task: str, plan: Plan) -> str:
    depth = 10 if 10 in plan.ks else max(plan.ks)
    return f"recall@{depth}" if task == PAIR else f"precision@{depth}"

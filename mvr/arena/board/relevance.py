"""Graded judgments as qrels, the pooled lists as runs, and their metrics beside Recall@K.

The grade of an item is the lower median of its judges (newest judgment each); what nobody judged is unjudged, never 0.
A pool is compared within one version only. Source: evaluation specification, lines 24-29.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mvr.datatypes import JsonDict
from mvr.errors import DataError
from mvr.metrics.agreement import rating_table, reliability
from mvr.metrics.graded import graded_scores, refuse_unjudged
from mvr.metrics.preference.votes import codes
from mvr.votes.formats.trec import TOP_SCORE
from mvr.votes.records import Judgment, PoolItem

SHOWN = ("ndcg@10", "ndcg@10 upper", "ap", "rr", "bpref", "judged@10")  # ndcg@10 counts the unjudged as 0
Key = tuple[str, str]  # pool version, direction


def qrels_of(judgments: Sequence[Judgment]) -> dict[Key, dict[str, dict[str, int]]]:
    """Grades per pool version and direction, query and item group."""
    grades: dict[Key, dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in judgments:
        if row.grade is not None:
            grades[row.pool_version, row.direction][row.query_id, row.item_group_id].append(row.grade)
    qrels: dict[Key, dict[str, dict[str, int]]] = {}
    for key, items in sorted(grades.items()):
        table = qrels.setdefault(key, {})
        for (query, item), values in sorted(items.items()):
            table.setdefault(query, {})[item] = statistics.median_low(values)
    return qrels


def runs_of(pool: Sequence[PoolItem]) -> dict[Key, dict[str, dict[str, dict[str, float]]]]:
    """Lists per pool version and direction, system, query and item group; score = 10000 - rank."""
    runs: dict[Key, dict[str, dict[str, dict[str, float]]]] = {}
    for item in pool:
        systems = runs.setdefault((item.pool_version, item.direction), {})
        for system, rank in item.ranks.items():
            systems.setdefault(system, {}).setdefault(item.query_id, {})[item.item_group_id] = (
                TOP_SCORE - rank
            )
    return runs


def relevance_section(judgments: Sequence[Judgment], pool: Sequence[PoolItem]) -> list[JsonDict]:
    """Metrics of every system in every judged pool, or the sentence that refuses the comparison."""
    runs = runs_of(pool)
    return [_pool_section(key, qrels, runs.get(key, {})) for key, qrels in qrels_of(judgments).items()]


def judge_agreement(judgments: Sequence[Judgment]) -> JsonDict:
    """Krippendorff's ordinal alpha of the grades with its interval over items."""
    graded = [row for row in judgments if row.grade is not None]
    table = rating_table(
        codes([row.voter_id for row in graded]),
        codes([f"{row.query_id}\n{row.item_group_id}" for row in graded]),
        np.array([row.grade for row in graded], np.float64),
    )
    found = reliability(table)
    return {
        "alpha": found.alpha,
        "low": found.interval.low if found.interval else None,
        "high": found.interval.high if found.interval else None,
        "items_judged_twice": found.units,
        "judges": found.raters,
    }


def _pool_section(
    key: Key, qrels: dict[str, dict[str, int]], runs: dict[str, dict[str, dict[str, float]]]
) -> JsonDict:
    section: JsonDict = {
        "pool_version": key[0],
        "direction": key[1],
        "queries": len(qrels),
        "judged_items": sum(len(items) for items in qrels.values()),
        "systems": [],
        "refused": None,
    }
    try:
        scores = {name: graded_scores(qrels, run) for name, run in sorted(runs.items())}
        section["systems"] = [
            {"system": name, "queries": len(one.queries)} | _shown(one.means())
            for name, one in scores.items()
        ]
        refuse_unjudged(scores)
    except DataError as error:
        section["refused"] = str(error)
    return section


def _shown(means: dict[str, float]) -> dict[str, float]:
    return {name.replace(" ", "_"): means[name] for name in SHOWN if name in means}

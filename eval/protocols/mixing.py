"""Is the mixed model worse than one branch alone on that branch's own metric?

python -m eval.protocols mixing yt8m-topics --data DIR --out DIR

For each metric the alpha is chosen on split val (mean of both directions; of equal ones the nearest to the branch
alone) and then tested once on the protocol's split: Recall@10 of the true pair against alpha 0, Precision@10 of a label
against alpha 1. "Not worse" means that the interval of the difference lies above minus two points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.protocols.protocol import Protocol
from eval.protocols.run import Places, find_store, trained_heads
from eval.provenance import store_hashes
from eval.retrieval.compare import SMALLEST_CLAIM
from eval.retrieval.evaluation import embed_split
from eval.retrieval.systems import Candidate, load_candidates
from eval.retrieval.tables import markdown_lines
from mvr.datatypes import JsonDict
from mvr.embeddings.store import FeatureStore
from mvr.errors import UsageError
from mvr.metrics.retrieval.measure import measure
from mvr.metrics.retrieval.plan import LABEL_PREFIX, PAIR, Plan, TestSet
from mvr.metrics.retrieval.values import Measured
from mvr.metrics.significance import cluster_bootstrap, holm, sign_flip_test

K = 10


@dataclass(frozen=True, kw_only=True)
class Side:
    """Rows of one system on one split, by direction and alpha."""

    tests: TestSet
    rows: dict[tuple[str, str, float], Measured]

    @classmethod
    def of(cls, candidate: Candidate, store: FeatureStore, split: str, plan: Plan) -> Side:
        """Embed and measure."""
        tests, (embedded,) = embed_split([candidate], store, split)
        rows = {
            (row.key.task, str(row.key.direction), row.key.alpha or 0.0): row
            for row in measure(embedded, tests, plan)
        }
        return cls(tests=tests, rows=rows)

    def values(self, task: str, direction: str, alpha: float) -> np.ndarray:
        """(Q,) values of the task's metric."""
        return self.rows[task, direction, alpha].columns[_metric(task)]


def run(protocol: Protocol, places: Places) -> JsonDict:
    """Choose and test, for every head of the protocol that has more than one branch.

    Raises:
        UsageError: no such head, no label task, or alphas without 0 and 1.
        MvrError: from training or evaluation; a store without split val is refused.
    """
    store = FeatureStore.open(find_store(protocol, places))
    labels = [task for task in protocol.tasks if task.startswith(LABEL_PREFIX)]
    if not labels or not {0.0, 1.0} <= set(protocol.alphas):
        raise UsageError(
            f"the protocol {protocol.name!r} needs a label task and the alphas 0 and 1 for this test"
        )
    heads = load_candidates(store, trained_heads(protocol, store, places.work), ())
    mixed = [one for one in heads if len(one.head.branches) > 1]
    if not mixed:
        raise UsageError(f"the protocol {protocol.name!r} has no head with two branches to mix")
    plan = Plan(tasks=(PAIR, labels[0]), alphas=protocol.alphas, ks=(K,))
    entries = [entry for one in mixed for entry in _entries(one, store, protocol, plan)]
    for entry, adjusted in zip(entries, holm([entry["p"] for entry in entries]), strict=True):
        entry["p_holm"] = round(adjusted, 6)
    return {
        "title": f"{protocol.title}: the mixed model against its branches",
        "settings": {"split": protocol.split, "alphas": list(protocol.alphas), "draws": protocol.draws},
        "features": {"sha256": store_hashes(store.path)},
        "systems": {one.name: one.source for one in mixed},
        "comparisons": entries,
    }


def _entries(candidate: Candidate, store: FeatureStore, protocol: Protocol, plan: Plan) -> list[JsonDict]:
    chosen_on, tested_on = (Side.of(candidate, store, split, plan) for split in ("val", protocol.split))
    resampling = protocol.plan(plan.tasks).resampling
    entries: list[JsonDict] = []
    for task, alone in ((PAIR, 0.0), (plan.tasks[1], 1.0)):
        alpha = _best_alpha(chosen_on, task, plan.alphas, alone)
        for direction in ("v2m", "m2v"):
            here, there = (tested_on.values(task, direction, a) for a in (alpha, alone))
            queries = tested_on.rows[task, direction, alpha].queries
            groups = [tested_on.tests.groups[row] for row in queries]
            interval = cluster_bootstrap(here - there, groups, resampling)[0]
            entries.append(
                {
                    "system": candidate.name,
                    "task": task,
                    "metric": _metric(task),
                    "direction": direction,
                    "alpha": alpha,
                    "alone": alone,
                    "val_queries": len(chosen_on.rows[task, direction, alpha].queries),
                    "queries": len(queries),
                    "mixed_value": round(float(here.mean()), 6),
                    "alone_value": round(float(there.mean()), 6),
                    "difference": round(interval.point, 6),
                    "interval": [round(interval.low, 6), round(interval.high, 6)],
                    "p": round(sign_flip_test(here - there, groups, resampling), 6),
                    "not_worse": interval.low > -SMALLEST_CLAIM,
                }
            )
    return entries


def _best_alpha(side: Side, task: str, alphas: Sequence[float], alone: float) -> float:
    """The alpha with the highest mean of both directions; of equal ones the nearest to the branch alone."""

    def quality(alpha: float) -> tuple[float, float]:
        value = np.mean([side.values(task, direction, alpha).mean() for direction in ("v2m", "m2v")])
        return round(float(value), 9), -abs(alpha - alone)

    return max(alphas, key=quality)


def _metric(task: str) -> str:
    return f"recall@{K}" if task == PAIR else f"precision@{K}"


def as_markdown(document: JsonDict) -> str:
    """One table: both metrics, both directions, every head."""
    columns = [
        "system",
        "metric",
        "direction",
        "alpha",
        "mixed %",
        "alone %",
        "difference",
        "p (Holm)",
        "not worse",
    ]
    lines = [
        [
            entry["system"],
            f"{entry['task']}, {entry['metric']}",
            entry["direction"],
            f"{entry['alpha']:g} (alone: {entry['alone']:g})",
            f"{100 * entry['mixed_value']:.1f}",
            f"{100 * entry['alone_value']:.1f}",
            f"{100 * entry['difference']:+.1f} "
            f"[{100 * entry['interval'][0]:+.1f}, {100 * entry['interval'][1]:+.1f}]",
            f"{entry['p_holm']:.4f}",
            "yes" if entry["not_worse"] else "no",
        ]
        for entry in document["comparisons"]
    ]
    entries = document["comparisons"]
    counts = {entry["metric"]: (entry["val_queries"], entry["queries"]) for entry in entries}
    said = "; ".join(
        f"{name} on {val} validation and {test} test queries" for name, (val, test) in counts.items()
    )
    split = document["settings"]["split"]
    text = (
        f"The alpha is chosen on split val for each metric and tested on split {split}: {said}. "
        "Paired sign-flip permutation, p adjusted by Holm over this table; intervals from "
        f"{document['settings']['draws']} redraws. Not worse: the interval lies above -2 points."
    )
    return "\n".join([f"# {document['title']}", "", text, "", *markdown_lines(columns, lines)]) + "\n"

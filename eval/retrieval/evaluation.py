"""One evaluation: a store, its systems, all rows, comparisons and where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from eval.provenance import store_hashes
from eval.retrieval.compare import compare
from eval.retrieval.systems import BASELINES, Candidate, baselines, embed, foreign_notes, load_candidates
from mvr.datatypes import JsonDict
from mvr.embeddings.store import FeatureStore
from mvr.metrics.retrieval.measure import Embedded, measure, rows_with_intervals
from mvr.metrics.retrieval.plan import LABEL_PREFIX, PAIR, Plan, TestSet
from mvr.metrics.retrieval.values import Measured


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to evaluate.

    Attributes:
        features: folder of the store.
        heads: `PATH` or `NAME=PATH` of head files; systems: names of system cards.
        split: which rows are queries and candidates.
        plan: tasks, alphas, depths, pools, redraws, seed.
        title: heading of the report.
    """

    features: str
    heads: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    split: str = "test"
    plan: Plan
    title: str = "Retrieval"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What came out: `document` is the JSON of the contract, the rest feeds figures and the gallery."""

    document: JsonDict
    measured: list[Measured]
    tests: TestSet
    embedded: list[Embedded]
    request: Request


def default_tasks(store: FeatureStore, rows: np.ndarray) -> tuple[str, ...]:
    """The pair task, and a label task for each taxonomy that the rows have labels of."""
    labelled = [name for name, column in sorted(store.labels.items()) if any(column[row] for row in rows)]
    return (PAIR, *(LABEL_PREFIX + name for name in labelled))


def evaluate(request: Request) -> Evaluation:
    """Run all systems of a request.

    Raises:
        MvrError: whatever is wrong with the store, a head or the settings, in one sentence.
    """
    store = FeatureStore.open(request.features)
    fixed, notes = baselines(store, request.plan.resampling.seed)
    candidates = [*load_candidates(store, request.heads, request.systems), *fixed]
    tests, embedded = embed_split(candidates, store, request.split)
    measured = [row for system in embedded for row in measure(system, tests, request.plan)]
    document = {
        "title": request.title,
        "rows": rows_with_intervals(measured, tests, request.plan),
        "comparisons": compare(measured, tests, request.plan),
        "systems": {candidate.name: _describe(candidate) for candidate in candidates},
        "settings": _settings(request),
        "features": {
            "sha256": store_hashes(store.path),
            "source": store.meta.get("source", ""),
            "video": store.meta["video"]["backbone"],
            "audio": store.meta["audio"]["backbone"],
            "rows": len(tests),
            "groups": len(set(tests.groups)),
        },
        "notes": [*notes, *foreign_notes(candidates, store)],
    }
    return Evaluation(document=document, measured=measured, tests=tests, embedded=embedded, request=request)


def embed_split(
    candidates: Sequence[Candidate], store: FeatureStore, split: str
) -> tuple[TestSet, list[Embedded]]:
    """The rows of a split as queries and candidates, and every system's embeddings of them."""
    rows = store.rows(split)
    return test_set(store, rows), [embed(candidate, store, rows) for candidate in candidates]


def test_set(store: FeatureStore, rows: np.ndarray) -> TestSet:
    """The rows of a split as queries and candidates."""
    return TestSet(ids=store.ids, groups=store.groups, labels=store.labels).take(rows)


def trained(evaluation: Evaluation) -> Sequence[Embedded]:
    """The systems that are no baseline; all of them where there is no other."""
    kinds = {name: facts["kind"] for name, facts in evaluation.document["systems"].items()}
    own = [one for one in evaluation.embedded if kinds[one.system] not in (*BASELINES, "identity")]
    return own or evaluation.embedded


def _describe(candidate: Candidate) -> JsonDict:
    return {**candidate.source, "branches": list(candidate.head.branches), "dim": candidate.head.dim}


def _settings(request: Request) -> JsonDict:
    plan = asdict(request.plan)
    resampling, comparisons = plan.pop("resampling"), plan.pop("comparisons")
    declared = {"comparisons": comparisons} if comparisons else {}
    return {"split": request.split, **plan, **resampling, **declared}

"""Cross-validation by shard: heads and CCA are trained anew in every fold, their queries tested together.

python -m eval.protocols folds yt8m-public --data DIR --out DIR

Pools of different size cannot be compared, so every fold's ranks are converted to one pool size by the exact
expectation over sub-pools (`mvr.metrics.pools`). Tests are paired over all queries; p is adjusted over the family that
the protocol declares: its pairs of systems, both directions, Recall@10 and the logarithm of the rank.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.protocols.fold_tables import as_markdown
from eval.protocols.protocol import FoldsSpec, Protocol, with_heads
from eval.protocols.run import Places, trained_heads
from eval.provenance import store_hashes
from eval.retrieval.compare import SMALLEST_CLAIM
from eval.retrieval.evaluation import embed_split
from eval.retrieval.systems import baselines, load_candidates
from eval.stores.folds import FOLD_BUILDERS, Fold
from mvr.datatypes import JsonDict
from mvr.embeddings.store import FeatureStore
from mvr.errors import UsageError
from mvr.metrics.retrieval.measure import measure
from mvr.metrics.retrieval.plan import PAIR, Plan
from mvr.metrics.retrieval.values import Measured
from mvr.metrics.significance import (
    Interval,
    Resampling,
    cluster_bootstrap,
    holm,
    median_bootstrap,
    median_difference_bootstrap,
    sign_flip_test,
)

__all__ = ["as_markdown", "run"]
RealArray = npt.NDArray[np.float64]
K = 10
Place = tuple[str, str]  # system, direction


@dataclass(frozen=True, kw_only=True)
class FoldResult:
    """One fold: its facts, the groups of its queries, and its rows at alpha 0, in the whole and in the smaller pool."""

    facts: JsonDict
    groups: list[str]
    whole: dict[Place, Measured]
    smaller: dict[Place, Measured]


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """All queries of a system and direction, fold after fold.

    Attributes:
        columns: metric -> (Q,) values in the common pool; "own recall@10" is in the fold's own pool.
        places: (Q,) expected ranks in the common pool; log_ranks: (Q,) logarithms of the ranks in the own pools.
        folds: (Q,) number of the fold.
        chance: values of chance in the common pool.
    """

    columns: dict[str, RealArray]
    places: RealArray
    log_ranks: RealArray
    folds: npt.NDArray[np.int64]
    chance: JsonDict


def run(protocol: Protocol, places: Places) -> JsonDict:
    """Train and measure every fold, and test over all queries.

    Raises:
        UsageError: a protocol without folds, or a pool larger than a fold.
        MvrError: from training or evaluation.
    """
    spec = protocol.folds
    if spec is None or protocol.store.build not in FOLD_BUILDERS:
        raise UsageError(
            f"the protocol {protocol.name!r} has no folds; choose a protocol whose file says `folds:`"
        )
    if places.data is None:
        raise UsageError(f"the folds of {protocol.name!r} are built from public data: give --data DIR")
    chosen = with_heads(protocol, spec.heads)
    parts = [_one_fold(chosen, spec, places, Fold(number=n, count=spec.count)) for n in range(spec.count)]
    groups = [group for part in parts for group in part.groups]
    pooled = {place: _pooled([_rows(part, place) for part in parts]) for place in parts[0].whole}
    resampling = Resampling(draws=protocol.draws, seed=protocol.seed)
    return {
        "title": f"{protocol.title}: {spec.count} folds",
        "about": " ".join(spec.about.split()),
        "pool": spec.pool,
        "queries": len(groups),
        "settings": {"draws": protocol.draws, "seed": protocol.seed, "alpha": 0.0},
        "folds": [part.facts for part in parts],
        "rows": [_row(place, values, groups, resampling) for place, values in pooled.items()],
        "comparisons": _comparisons(pooled, spec, groups, resampling),
    }


def _one_fold(protocol: Protocol, spec: FoldsSpec, places: Places, fold: Fold) -> FoldResult:
    assert places.data is not None and protocol.store.build is not None
    folder, build = FOLD_BUILDERS[protocol.store.build]
    path = places.work / f"{protocol.store.build}-fold{fold.number}of{fold.count}"
    if not (path / "manifest.parquet").is_file():
        build(places.data / folder, path, fold)
    store = FeatureStore.open(path)
    heads = load_candidates(store, trained_heads(protocol, store, places.work), ())
    candidates = [*heads, *baselines(store, protocol.seed)[0]]
    tests, embedded = embed_split(candidates, store, "test")
    plan = Plan(tasks=(PAIR,), alphas=(0.0,), ks=(1, 5, K), pools=(spec.pool,))
    whole: dict[Place, Measured] = {}
    smaller: dict[Place, Measured] = {}
    for row in (row for system in embedded for row in measure(system, tests, plan)):
        place = (row.key.system, str(row.key.direction))
        whole.setdefault(
            place, row
        )  # the whole pool comes first; it stands for both where it has that very size
        smaller[place] = row
    facts = {
        "fold": fold.number,
        **{split: store.splits.count(split) for split in ("train", "val", "test")},
        "sha256": store_hashes(path),
        "systems": {one.name: one.source for one in candidates},
    }
    return FoldResult(facts=facts, groups=list(tests.groups), whole=whole, smaller=smaller)


def _rows(part: FoldResult, place: Place) -> tuple[Measured, Measured]:
    return part.whole[place], part.smaller[place]


def _pooled(parts: Sequence[tuple[Measured, Measured]]) -> Pooled:
    names = [f"recall@{k}" for k in (1, 5, K)] + ["mrr"]
    columns = {name: np.concatenate([smaller.columns[name] for _, smaller in parts]) for name in names}
    columns[f"own recall@{K}"] = np.concatenate([whole.columns[f"recall@{K}"] for whole, _ in parts])
    return Pooled(
        columns=columns,
        places=np.concatenate([smaller.medians["median_rank"] for _, smaller in parts]),
        log_ranks=np.log(np.concatenate([whole.ranks for whole, _ in parts])),
        folds=np.repeat(np.arange(len(parts)), [len(whole.queries) for whole, _ in parts]),
        chance=parts[0][1].values["chance"],
    )


def _row(place: Place, pooled: Pooled, groups: Sequence[str], resampling: Resampling) -> JsonDict:
    names = list(pooled.columns)
    found = cluster_bootstrap(np.column_stack([pooled.columns[n] for n in names]), groups, resampling)
    median = median_bootstrap(pooled.places, groups, resampling)
    by_fold: dict[str, list[float]] = defaultdict(list)
    for number in range(int(pooled.folds.max()) + 1):
        own = pooled.folds == number
        by_fold[f"recall@{K}"].append(_rounded(pooled.columns[f"recall@{K}"][own].mean()))
        by_fold["median_rank"].append(_rounded(np.median(pooled.places[own])))
    return {
        "system": place[0],
        "direction": place[1],
        **{name: _interval(interval) for name, interval in zip(names, found, strict=True)},
        "median_rank": _interval(median),
        "by_fold": dict(by_fold),
        "chance": pooled.chance,
    }


def _comparisons(
    pooled: dict[Place, Pooled], spec: FoldsSpec, groups: Sequence[str], resampling: Resampling
) -> list[JsonDict]:
    entries: list[JsonDict] = []
    for first, second in spec.comparisons:
        for direction in ("v2m", "m2v"):
            a, b = pooled[first, direction], pooled[second, direction]
            hits = a.columns[f"recall@{K}"] - b.columns[f"recall@{K}"]
            gain = b.log_ranks - a.log_ranks  # above 0: the first system ranks the truth higher
            medians = median_difference_bootstrap((a.places, b.places), groups, resampling)
            entries.append(
                {
                    "first": first,
                    "second": second,
                    "direction": direction,
                    "recall": _tested(hits, groups, resampling),
                    "log_rank": _tested(gain, groups, resampling),
                    "median_rank": _interval(medians),
                    "recall_by_fold": [_rounded(hits[a.folds == n].mean()) for n in range(spec.count)],
                }
            )
    tests = [entry[name] for entry in entries for name in ("recall", "log_rank")]
    for test, adjusted in zip(tests, holm([test["p"] for test in tests]), strict=True):
        test["p_holm"] = round(adjusted, 6)
    for entry in entries:
        entry["recall"]["claim"] = (
            entry["recall"]["p_holm"] < 0.05 and abs(entry["recall"]["value"]) >= SMALLEST_CLAIM
        )
    return entries


def _tested(differences: RealArray, groups: Sequence[str], resampling: Resampling) -> JsonDict:
    interval = cluster_bootstrap(differences, groups, resampling)[0]
    return {**_interval(interval), "p": round(sign_flip_test(differences, groups, resampling), 6)}


def _interval(interval: Interval) -> JsonDict:
    return {"value": _rounded(interval.point), "interval": [_rounded(interval.low), _rounded(interval.high)]}


def _rounded(value: float) -> float:
    return round(float(value), 6)

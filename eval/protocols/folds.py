"""Cross-validation: heads and CCA are trained anew in every fold, their queries tested together.

python -m eval.protocols folds yt8m-public --data DIR --out DIR

Pools of different size cannot be compared, so every fold's ranks are converted to one pool size by the exact
expectation over sub-pools (`mvr.metrics.pools`); label precision is that of the fold's own pool, once with a query's
own pair, as the papers count it, and once without, since finding pairs is not knowing labels. Where heads train
from several seeds, a query's value is its mean over them. Tests are paired over all queries; p is adjusted over the
family that the protocol declares: its pairs of systems, both directions, Recall@10, the logarithm of the rank and
both label precisions, where a taxonomy is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from eval.protocols.fold_tables import as_markdown
from eval.protocols.protocol import FoldsSpec, Protocol, with_heads
from eval.protocols.run import Places, trained_heads
from eval.provenance import store_hashes
from eval.retrieval.compare import SMALLEST_CLAIM
from eval.retrieval.evaluation import embed_split
from eval.retrieval.systems import Candidate, baselines, load_candidates
from eval.stores.folds import FOLD_BUILDERS, Fold
from mvr.datatypes import Direction, FloatArray, JsonDict
from mvr.embeddings.store import FeatureStore
from mvr.errors import UsageError
from mvr.metrics.labels import LabelTask, label_chance, label_positions_of_embeddings
from mvr.metrics.retrieval.measure import measure
from mvr.metrics.retrieval.plan import PAIR, Plan, TestSet
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
RECALL, MEDIAN, LOG_RANK = f"recall@{K}", "median_rank", "log_rank"
PRECISION, OTHERS = f"precision@{K}", f"others_precision@{K}"  # the second with the query's own pair left out
_TESTED = {"recall": RECALL, "precision": PRECISION, "others": OTHERS, LOG_RANK: LOG_RANK}
Place = tuple[str, str]  # system (with @alpha where a fold's plan has several), direction


@dataclass(frozen=True, kw_only=True)
class Column:
    """One metric of one system and direction: (Q,) values, their queries' groups and folds, and what chance gives."""

    values: RealArray
    groups: list[str]
    folds: npt.NDArray[np.int64]
    chance: float | None

    @classmethod
    def joined(cls, parts: Sequence[Column]) -> Column:
        """Fold after fold; chance is weighted by queries."""
        chances = [part.chance for part in parts if part.chance is not None]
        weights = [len(part.values) for part in parts]
        return cls(
            values=np.concatenate([part.values for part in parts]),
            groups=[group for part in parts for group in part.groups],
            folds=np.concatenate([part.folds for part in parts]),
            chance=float(np.average(chances, weights=weights)) if len(chances) == len(parts) else None,
        )

    @classmethod
    def mean(cls, parts: Sequence[Column]) -> Column:
        """Mean of the same queries over several trainings."""
        first = parts[0]
        values = np.mean([part.values for part in parts], axis=0)
        return cls(values=values, groups=first.groups, folds=first.folds, chance=first.chance)


@dataclass(frozen=True, kw_only=True)
class FoldResult:
    """One fold: its facts, and by system and direction its metrics."""

    facts: JsonDict
    columns: dict[Place, dict[str, Column]]


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
    pooled = {
        place: {name: Column.joined([part.columns[place][name] for part in parts]) for name in columns}
        for place, columns in parts[0].columns.items()
    }
    if unknown := sorted({name for pair in spec.comparisons for name in pair} - {name for name, _ in pooled}):
        raise UsageError(f"folds compare {unknown[0]!r}, which is no row of the table")
    resampling = Resampling(draws=protocol.draws, seed=protocol.seed)
    return {
        "title": f"{protocol.title}: {spec.count} folds",
        "about": " ".join(spec.about.split()),
        "pool": spec.pool,
        "queries": len(next(iter(pooled.values()))[RECALL].values),
        "settings": {
            "draws": protocol.draws,
            "seed": protocol.seed,
            "trainings": spec.trainings,
            "alphas": list(spec.alphas),
            "label": spec.label,
        },
        "folds": [part.facts for part in parts],
        "rows": [_row(place, columns, resampling) for place, columns in pooled.items()],
        "comparisons": _comparisons(pooled, spec, resampling),
    }


def _one_fold(protocol: Protocol, spec: FoldsSpec, places: Places, fold: Fold) -> FoldResult:
    store = _fold_store(protocol, places, fold)
    pool = len({store.groups[row] for row in store.rows("test")})
    if spec.pool > pool:  # said before hours of training
        raise UsageError(
            f"pools of {spec.pool} cannot be drawn from the {pool} candidates of fold {fold.number}"
        )
    fixed = baselines(store, protocol.seed)[0]
    columns: dict[Place, list[dict[str, Column]]] = {}
    sources: JsonDict = {}
    for training in range(spec.trainings):
        seeded = protocol.model_copy(update={"seed": protocol.seed + training})
        heads = load_candidates(store, trained_heads(seeded, store, places.work), ())
        candidates = [*heads, *fixed] if training == 0 else heads
        for place, found in _measured(candidates, store, spec, fold).items():
            columns.setdefault(place, []).append(found)
        sources |= {
            one.name if training == 0 else f"{one.name}, {training}": one.source for one in candidates
        }
    facts = {
        "fold": fold.number,
        **{split: store.splits.count(split) for split in ("train", "val", "test")},
        "sha256": store_hashes(store.path),
        "systems": sources,
    }
    means = {
        place: {name: Column.mean([part[name] for part in parts]) for name in parts[0]}
        for place, parts in columns.items()
    }
    return FoldResult(facts=facts, columns=means)


def _fold_store(protocol: Protocol, places: Places, fold: Fold) -> FeatureStore:
    """The store of a fold, built unless it is there."""
    assert places.data is not None and protocol.store.build is not None
    folder, build = FOLD_BUILDERS[protocol.store.build]
    path = places.work / f"{protocol.store.build}-fold{fold.number}of{fold.count}"
    if not (path / "manifest.parquet").is_file():
        build(places.data / folder, path, fold)
    return FeatureStore.open(path)


def _measured(
    candidates: Sequence[Candidate], store: FeatureStore, spec: FoldsSpec, fold: Fold
) -> dict[Place, dict[str, Column]]:
    """All metrics of all systems in one fold."""
    tests, embedded = embed_split(candidates, store, "test")
    queries = Queries(tests=tests, fold=fold.number)
    plan = Plan(tasks=(PAIR,), alphas=spec.alphas, ks=(1, 5, K), pools=(spec.pool,))
    columns: dict[Place, dict[str, Column]] = {}
    for system in embedded:
        for row in measure(system, tests, plan):
            found = columns.setdefault(_place(row.key.system, row.key.alpha, row.key.direction, spec), {})
            own = {} if found else queries.own_pool(row)  # the whole pool comes first
            found |= own | (queries.common_pool(row) if row.key.pool == spec.pool else {})
        if spec.label is not None:
            for alpha, direction in product(system.alphas(plan), Direction):
                sides = [system.mixed(side, alpha) for side in (direction.query, direction.target)]
                columns[_place(system.system, alpha, direction, spec)] |= queries.precisions(
                    sides, spec.label
                )
    return columns


def _place(system: str, alpha: float | None, direction: Direction, spec: FoldsSpec) -> Place:
    several = alpha is not None and len(spec.alphas) > 1
    return (f"{system}@{alpha:g}" if several else system), str(direction)


@dataclass(frozen=True, kw_only=True)
class Queries:
    """The test rows of one fold, which turn values into columns."""

    tests: TestSet
    fold: int

    def column(self, values: RealArray, rows: npt.NDArray[np.int64], chance: float | None = None) -> Column:
        """Values of some of the test rows."""
        groups = [self.tests.groups[row] for row in rows]
        return Column(values=values, groups=groups, folds=np.full(len(rows), self.fold), chance=chance)

    def own_pool(self, row: Measured) -> dict[str, Column]:
        """Pair metrics in the fold's own pool."""
        recall = self.column(row.columns[RECALL], row.queries)
        return {f"own {RECALL}": recall, LOG_RANK: self.column(np.log(row.ranks), row.queries)}

    def common_pool(self, row: Measured) -> dict[str, Column]:
        """Pair metrics in the pool of all folds."""
        chance = row.values["chance"]
        found = {
            f"recall@{k}": self.column(row.columns[f"recall@{k}"], row.queries, chance["recall"][str(k)])
            for k in (1, 5, K)
        }
        found["mrr"] = self.column(row.columns["mrr"], row.queries, chance["mrr"])
        return {**found, MEDIAN: self.column(row.medians[MEDIAN], row.queries, chance[MEDIAN])}

    def precisions(self, sides: Sequence[FloatArray], taxonomy: str) -> dict[str, Column]:
        """Label precision of (N, D) queries and items, with and without the query's own pair."""
        labels = self.tests.labels[taxonomy]
        task = LabelTask(query_labels=labels, item_labels=labels, groups=self.tests.groups)
        found = {}
        for name, own in ((PRECISION, None), (OTHERS, np.arange(len(self.tests)))):
            positions = label_positions_of_embeddings(sides[0], sides[1], replace(task, own=own))
            chance = label_chance(positions, (K,)).precision[K]
            found[name] = self.column(positions.micro.precision(K), positions.queries, chance)
        return found


def _row(place: Place, columns: dict[str, Column], resampling: Resampling) -> JsonDict:
    shown = {name: column for name, column in columns.items() if name != LOG_RANK}
    chances = {name: column.chance for name, column in shown.items() if column.chance is not None}
    return {
        "system": place[0],
        "direction": place[1],
        **{name: _interval(_centre(name, column, resampling)) for name, column in shown.items()},
        "by_fold": {
            name: [_rounded(_middle(name)(values)) for values in _by_fold(columns[name])]
            for name in (RECALL, PRECISION, OTHERS, MEDIAN)
            if name in columns
        },
        "chance": {name: _rounded(value) for name, value in chances.items()},
    }


def _centre(name: str, column: Column, resampling: Resampling) -> Interval:
    if name == MEDIAN:
        return median_bootstrap(column.values, column.groups, resampling)
    return cluster_bootstrap(column.values, column.groups, resampling)[0]


def _middle(name: str) -> Callable[[RealArray], float]:
    return np.median if name == MEDIAN else np.mean


def _by_fold(column: Column) -> list[RealArray]:
    return [column.values[column.folds == number] for number in range(int(column.folds.max()) + 1)]


def _comparisons(
    pooled: dict[Place, dict[str, Column]], spec: FoldsSpec, resampling: Resampling
) -> list[JsonDict]:
    entries: list[JsonDict] = []
    for first, second in spec.comparisons:
        for direction in ("v2m", "m2v"):
            a, b = pooled[first, direction], pooled[second, direction]
            places = (a[MEDIAN].values, b[MEDIAN].values)
            entry: JsonDict = {"first": first, "second": second, "direction": direction}
            for name, metric in _TESTED.items():
                if metric in a:
                    entry[name] = _tested(name, a[metric], b[metric], resampling)
            entry[MEDIAN] = _interval(median_difference_bootstrap(places, a[MEDIAN].groups, resampling))
            entries.append(entry)
    tests = [entry[name] for entry in entries for name in _TESTED if name in entry]
    for test, adjusted in zip(tests, holm([test["p"] for test in tests]), strict=True):
        test["p_holm"] = round(adjusted, 6)
    points = [name for name in _TESTED if name != LOG_RANK]
    for test in (entry[name] for entry in entries for name in points if name in entry):
        test["claim"] = test["p_holm"] < 0.05 and abs(test["value"]) >= SMALLEST_CLAIM
    return entries


def _tested(name: str, first: Column, second: Column, resampling: Resampling) -> JsonDict:
    """The first less the second; of ranks the other way round, so that above 0 the first is better."""
    differences = (first.values - second.values) * (-1 if name == "log_rank" else 1)
    interval = cluster_bootstrap(differences, first.groups, resampling)[0]
    column = replace(first, values=differences)
    return {
        **_interval(interval),
        "p": round(sign_flip_test(differences, first.groups, resampling), 6),
        "by_fold": [_rounded(values.mean()) for values in _by_fold(column)],
    }


def _interval(interval: Interval) -> JsonDict:
    return {"value": _rounded(interval.point), "interval": [_rounded(interval.low), _rounded(interval.high)]}


def _rounded(value: float) -> float:
    return round(float(value), 6)

"""The values of one row of the table: a metric name -> a value per query, and what chance gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mvr.datatypes import Direction, JsonDict
from mvr.metrics.chance import Chance, pair_chance
from mvr.metrics.labels import LabelPositions, LabelSummary, label_chance, summarise_labels
from mvr.metrics.pools import subpool_gains, subpool_hits, subpool_ranks, subpool_reciprocal
from mvr.metrics.ranks import Ranks

RealArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RowKey:
    """Which row: unique in a table. `alpha` is None for a system that has nothing to mix."""

    system: str
    alpha: float | None
    direction: Direction
    task: str
    pool: int

    @property
    def name(self) -> str:
        """The system as a reader sees it, with its alpha where it has one."""
        return self.system if self.alpha is None else f"{self.system} (alpha {self.alpha:g})"

    def to_json(self) -> JsonDict:
        """The first five fields of a row."""
        return {
            "system": self.system,
            "alpha": self.alpha,
            "direction": str(self.direction),
            "task": self.task,
            "pool": self.pool,
        }


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One row before its intervals.

    Attributes:
        key: which row.
        values: means and medians, in the JSON form of the contract.
        queries: (Q,) rows of the test set that are queries here.
        columns: metric name ("recall@10") -> (Q,) values whose mean is the reported one.
        medians: metric name -> (Q,) values whose median is the reported one.
        ranks: (Q,) expected rank of the truth, or of the first relevant item.
    """

    key: RowKey
    values: JsonDict
    queries: npt.NDArray[np.int64]
    columns: dict[str, RealArray] = field(default_factory=dict)
    medians: dict[str, RealArray] = field(default_factory=dict)
    ranks: RealArray = field(default_factory=lambda: np.zeros(0))


def pair_values(key: RowKey, ranks: Ranks, ks: Sequence[int]) -> Measured:
    """Values of the pair task; `key.pool` smaller than the ranks' pool asks for the exact sub-pool
    expectation."""
    whole = key.pool == ranks.pool
    best = Ranks(above=ranks.above, tied=np.ones_like(ranks.tied), pool=ranks.pool)
    worst = Ranks(above=ranks.pessimistic - 1, tied=np.ones_like(ranks.tied), pool=ranks.pool)

    def hits(of: Ranks, k: int) -> RealArray:
        return of.hits(k) if whole else subpool_hits(of, key.pool, k)

    percent = max(1, round(key.pool / 100))
    places = ranks.expected if whole else subpool_ranks(ranks, key.pool)
    columns = {f"recall@{k}": hits(ranks, k) for k in ks}
    columns["mrr"] = ranks.reciprocal() if whole else subpool_reciprocal(ranks, key.pool)
    columns |= {f"ndcg@{k}": ranks.gains(k) if whole else subpool_gains(ranks, key.pool, k) for k in ks}
    values = {
        "queries": len(ranks),
        "recall": {str(k): _mean(columns[f"recall@{k}"]) for k in ks},
        "recall_optimistic": {str(k): _mean(hits(best, k)) for k in ks},
        "recall_pessimistic": {str(k): _mean(hits(worst, k)) for k in ks},
        "recall_1pct": _mean(hits(ranks, percent)),
        "median_rank": _rounded(float(np.median(places))),
        "mrr": _mean(columns["mrr"]),
        "ndcg": {str(k): _mean(columns[f"ndcg@{k}"]) for k in ks},
        "precision": {str(k): _rounded(float(columns[f"recall@{k}"].mean()) / min(k, key.pool)) for k in ks},
        "mean_tied": _mean(ranks.tied.astype(np.float64)),
        "tied_share": _mean((ranks.tied > 1).astype(np.float64)),
        "chance": _pair_chance(pair_chance(key.pool, ks), key.pool, ks),
    }
    return Measured(
        key=key,
        values=values,
        queries=np.arange(len(ranks)),
        columns=columns,
        medians={"median_rank": places},
        ranks=places,
    )


def label_values(
    key: RowKey, found: LabelPositions, without_own: LabelPositions | None, ks: Sequence[int]
) -> Measured:
    """Values of a label task; `without_own` are the same queries with their own pair left out, if any is
    left."""
    columns = {f"precision@{k}": found.micro.precision(k) for k in ks}
    columns |= {"map": found.micro.average_precision(), "mrr": found.micro.reciprocal()}
    columns |= {f"ndcg@{k}": found.micro.ndcg(k) for k in ks}
    places = found.micro.first_rank()
    values = {
        **_label_json(summarise_labels(found, ks)),
        "unlabelled": found.unlabelled,
        "without_relevant": found.without_relevant,
        "chance": _label_json(label_chance(found, ks)),
    }
    if without_own is not None:
        values["without_own_pair"] = _label_json(summarise_labels(without_own, ks))
        values["chance"]["without_own_pair"] = _label_json(label_chance(without_own, ks))
    return Measured(
        key=key,
        values=values,
        queries=found.queries,
        columns=columns,
        medians={"median_rank": places},
        ranks=places,
    )


def mean_values(parts: Sequence[JsonDict]) -> JsonDict:
    """Mean of the same values over several sub-pools, key by key.

    >>> mean_values([{"a": 1.0, "b": {"c": 2}}, {"a": 2.0, "b": {"c": 4}}])
    {'a': 1.5, 'b': {'c': 3.0}}
    """
    mean: JsonDict = {}
    for name, value in parts[0].items():
        values = [part[name] for part in parts if name in part]
        mean[name] = mean_values(values) if isinstance(value, dict) else _rounded(float(np.mean(values)))
    return mean


def _pair_chance(chance: Chance, pool: int, ks: Sequence[int]) -> JsonDict:
    return {
        "recall": {str(k): _rounded(chance.recall[k]) for k in ks},
        "median_rank": _rounded(chance.median_rank),
        "mrr": _rounded(chance.mrr),
        "ndcg": {str(k): _rounded(chance.ndcg[k]) for k in ks},
        "precision": {str(k): _rounded(chance.recall[k] / min(k, pool)) for k in ks},
    }


def _label_json(summary: LabelSummary) -> JsonDict:
    return {
        "queries": summary.queries,
        "recall": _depths(summary.recall),
        "hits": _depths(summary.hits),
        "median_rank": _rounded(summary.median_rank),
        "mrr": _rounded(summary.mrr),
        "ndcg": _depths(summary.ndcg),
        "precision": _depths(summary.precision),
        "map": _rounded(summary.average_precision),
        "macro": {
            "classes": summary.classes,
            "precision": _depths(summary.macro_precision),
            "map": _rounded(summary.macro_average_precision),
            "ndcg": _depths(summary.macro_ndcg),
        },
    }


def _depths(values: dict[int, float]) -> JsonDict:
    return {str(k): _rounded(value) for k, value in values.items()}


def _mean(values: RealArray) -> float:
    return _rounded(float(values.mean()))


def _rounded(value: float) -> float:
    """Six decimals: what is below that differs between processors, not between systems."""
    return round(value, 6)

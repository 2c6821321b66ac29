"""Metrics from graded human judgments (0-3) in TREC form: nDCG, AP, RR, P@K, R@K, bpref, judged@K.

Conventions: `qrels` maps query -> item -> grade, `run` maps query -> item -> score, higher is better. An
item without a grade is *unjudged*, which is not grade 0: judged@K says how much of a list is known, the
bounds what the unknown could do, and a comparison is refused below 0.9. Queries without a relevant item are
left out and counted; a query that the run misses counts 0. Ties are averaged (McSherry and Najork, ECIR
2008). bpref as trec_eval computes it.

Source: lines 24-29 of the evaluation specification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from mvr.errors import DataError
from mvr.metrics.positions import BoolArray, Positions, discount_totals, gather, locate
from mvr.metrics.ranks import check_finite

RealArray = npt.NDArray[np.float64]
Qrels = Mapping[str, Mapping[str, int]]
Run = Mapping[str, Mapping[str, float]]


class Gain(StrEnum):
    """What a grade is worth in nDCG."""

    LINEAR = "linear"  # the grade itself: TREC, scikit-learn
    EXPONENTIAL = "exponential"  # 2^grade - 1: Burges et al. 2005

    def of(self, grades: npt.ArrayLike) -> RealArray:
        """Gains of grades."""
        values = np.asarray(grades, np.float64)
        return values if self is Gain.LINEAR else np.exp2(values) - 1


@dataclass(frozen=True, kw_only=True)
class GradedSettings:
    """How judgments become numbers.

    Attributes:
        ks: depths K of nDCG@K, P@K, R@K, judged@K.
        gain: worth of a grade in nDCG; always said beside the number.
        relevant: least grade that counts as relevant for AP, RR, P@K, R@K and bpref.
        top_grade: what an unjudged item is worth in the upper bound.
        condensed: drop unjudged items from the lists first (a footnote, never the main value).
    """

    ks: tuple[int, ...] = (10,)
    gain: Gain = Gain.EXPONENTIAL
    relevant: int = 2
    top_grade: int = 3
    condensed: bool = False


@dataclass(frozen=True, kw_only=True)
class GradedScores:
    """Values per query, in the order of `queries`.

    Attributes:
        queries: judged queries with a relevant item.
        without_relevant: judged queries left out because nothing relevant is known.
        missing: queries of `queries` that the run does not hold; they count 0.
        values: metric name ("ndcg@10", "ndcg@10 upper", "ap", "rr", "p@10", "r@10", "bpref", "judged@10") ->
            (Q,).
    """

    queries: tuple[str, ...]
    without_relevant: int
    missing: int
    values: dict[str, RealArray] = field(default_factory=dict)

    def means(self) -> dict[str, float]:
        """Mean of every metric over the queries."""
        return {name: float(column.mean()) for name, column in self.values.items()}


def graded_scores(qrels: Qrels, run: Run, settings: GradedSettings = GradedSettings()) -> GradedScores:
    """Score a run against judgments.

    Raises:
        DataError: no judged query has a relevant item.
        NotFinite: a score that is NaN or infinite.
    """
    kept = [query for query, grades in qrels.items() if max(grades.values(), default=0) >= settings.relevant]
    if not kept:
        raise DataError(f"no judged query has an item of grade {settings.relevant} or more")
    rows = [_score_query(qrels[query], run.get(query, {}), settings) for query in kept]
    return GradedScores(
        queries=tuple(kept),
        without_relevant=len(qrels) - len(kept),
        missing=sum(query not in run for query in kept),
        values={name: np.array([row[name] for row in rows]) for name in rows[0]},
    )


def refuse_unjudged(scores: Mapping[str, GradedScores], k: int = 10, least: float = 0.9) -> None:
    """Refuse to compare systems whose lists are not judged: one outside the pool would be halved.

    Raises:
        DataError: names the systems with judged@k below `least`.
    """
    low = {name: one.means()[f"judged@{k}"] for name, one in scores.items()}
    poor = [f"{name} {share:.2f}" for name, share in low.items() if share < least]
    if poor:
        raise DataError(
            f"judged@{k} must be at least {least} for every system, but is {', '.join(poor)}; "
            "have their top lists judged first"
        )


def tie_averaged_ndcg(gains: npt.ArrayLike, scores: npt.ArrayLike, k: int | None = None) -> float:
    """nDCG@k of one list, averaged over the orders of tied scores.

    Args:
        gains: (N,) gain of each item.
        scores: (N,) score of each item.
        k: depth, or None for the whole list.

    >>> round(tie_averaged_ndcg([10, 0, 0, 1, 5], [1, 1, 1, 0.5, 0.5]), 6)
    0.699812
    """
    worth, order = np.asarray(gains, np.float64), np.asarray(scores, np.float64)
    check_finite(order)
    return _ndcg(worth, order, np.sort(worth)[::-1], len(worth) if k is None else k)


def _score_query(
    grades: Mapping[str, int], run: Mapping[str, float], settings: GradedSettings
) -> dict[str, float]:
    listed = [item for item in run if item in grades or not settings.condensed]
    scores = np.array([run[item] for item in listed], np.float64)
    check_finite(scores)
    judged = np.array([item in grades for item in listed], np.bool_)
    own = np.array([grades.get(item, 0) for item in listed], np.float64)
    values = _graded_values(own, judged, scores, grades, settings)
    relevant = own >= settings.relevant
    total = sum(grade >= settings.relevant for grade in grades.values())
    binary = gather([locate(scores, relevant)], np.array([total]), np.array([max(1, len(listed))]))
    for k in settings.ks:
        # trec_eval divides by k even where the list is shorter
        values[f"p@{k}"] = float(binary.within(k).sum() / k)
        values[f"r@{k}"] = float(binary.recall(k)[0])
    values["ap"] = float(binary.average_precision()[0])
    values["rr"] = float(binary.reciprocal()[0])
    refused = sum(grade < settings.relevant for grade in grades.values())
    values["bpref"] = _bpref(binary, scores, judged & ~relevant, refused)
    return values


def _graded_values(
    own: RealArray,
    judged: BoolArray,
    scores: RealArray,
    grades: Mapping[str, int],
    settings: GradedSettings,
) -> dict[str, float]:
    """nDCG with its upper bound and judged@K, at each depth."""
    ideal = np.sort(settings.gain.of([max(0, grade) for grade in grades.values()]))[::-1]
    gains = settings.gain.of(np.maximum(0, own))
    hopeful = np.where(judged, gains, settings.gain.of(settings.top_grade))
    values: dict[str, float] = {}
    for k in settings.ks:
        values[f"ndcg@{k}"] = _ndcg(gains, scores, ideal, k)
        # the ideal stays that of the judged items, so 1 caps what better unjudged items could add
        values[f"ndcg@{k} upper"] = min(1.0, _ndcg(hopeful, scores, ideal, k))
        values[f"judged@{k}"] = float(_top_share(judged, scores, k))
    return values


def _ndcg(gains: RealArray, scores: RealArray, ideal: RealArray, k: int) -> float:
    """DCG@k of tied `scores` over the DCG@k of the `ideal` order of gains; 0 where nothing has a gain."""
    best = float(ideal[:k] @ (1 / np.log2(np.arange(2, len(ideal[:k]) + 2))))
    if best == 0 or not len(scores):
        return 0.0
    totals = discount_totals(len(scores), k)
    ascending = np.sort(scores)
    right = np.searchsorted(ascending, scores, side="right")
    above, tied = len(scores) - right, right - np.searchsorted(ascending, scores, side="left")
    return float(gains @ ((totals[above + tied] - totals[above]) / tied)) / best


def _top_share(flags: BoolArray, scores: RealArray, k: int) -> float:
    """Expected share of flagged items among the first `k`; of all of a shorter list, as ir-measures has it."""
    depth = min(k, len(scores))
    above, tied, _, _ = locate(scores, flags)
    return float(np.clip((depth - above) / np.maximum(tied, 1), 0, 1).sum() / depth) if depth else 0.0


def _bpref(binary: Positions, scores: RealArray, refused: BoolArray, total_refused: int) -> float:
    """trec_eval's bpref: each retrieved relevant item loses the share of judged non-relevant ones above it.

    Under ties the number of non-relevant items above is uniform over what the tie group allows.
    """
    total = int(binary.relevant[0])
    limit = min(total, total_refused)
    own = np.sort(scores[refused])
    value = 0.0
    for item in _relevant_scores(binary, scores):
        above = len(own) - int(np.searchsorted(own, item, side="right"))
        tied = len(own) - above - int(np.searchsorted(own, item, side="left"))
        seen = np.minimum(above + np.arange(tied + 1), total)
        value += 1.0 if limit == 0 else float(np.mean(1 - np.minimum(seen, limit) / limit))
    return value / total


def _relevant_scores(binary: Positions, scores: RealArray) -> Sequence[float]:
    descending = np.sort(scores)[::-1]
    return [float(value) for value in descending[binary.above]]

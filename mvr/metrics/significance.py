"""Is a difference between two systems more than noise?

The unit is the source video (or the group of one music), not the query: clips of one video are alike, and
with five clips per video a test over clips rejects equal systems 23 % of the time at a nominal 5 %. Source:
lines 32-34 of the evaluation specification; Holm, Scandinavian Journal of Statistics 6 (1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.errors import UsageError, WrongShape
from mvr.metrics.ranks import check_finite

RealArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A confidence interval around a point estimate."""

    point: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """How often and from which seed signs are flipped or clusters redrawn."""

    draws: int = 10_000
    seed: int = 0
    level: float = 0.95


def cluster_means(values: npt.ArrayLike, clusters: npt.ArrayLike | None) -> RealArray:
    """Mean of `values` (Q,) within each cluster (G,), clusters in sorted order.

    >>> cluster_means([1.0, 3.0, 5.0], ["b", "b", "a"]).tolist()
    [5.0, 2.0]
    """
    sums, counts = _cluster_sums(np.asarray(values, np.float64)[:, None], clusters)
    means: RealArray = sums[:, 0] / counts
    return means


def sign_flip_test(
    differences: npt.ArrayLike, clusters: npt.ArrayLike | None = None, resampling: Resampling = Resampling()
) -> float:
    """Two-sided p of a paired sign-flip permutation test of mean difference 0.

    The differences are averaged per cluster first. All 2^G sign patterns are tried where they are no more
    than `resampling.draws`; otherwise random ones, with p = (1 + hits) / (1 + draws).

    Args:
        differences: (Q,) metric of system A minus that of system B per query.
        clusters: (Q,) source video or group of each query; without it each query stands alone.
        resampling: draws and seed.

    >>> sign_flip_test([0.3, -0.1, 0.2, 0.05, 0.0, 0.4, -0.05, 0.1])
    0.15625
    """
    means = cluster_means(differences, clusters)
    count = len(means)
    observed = abs(means.sum()) - 1e-12 * np.abs(means).sum()  # rounding must not hide an equally large sum
    if count < 63 and 2**count <= resampling.draws:
        signs = 1 - 2 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
        return float(np.mean(np.abs(signs @ means) >= observed))
    generator = np.random.default_rng(resampling.seed)
    hits = 0
    for size in _chunks(resampling.draws, count):
        signs = generator.integers(0, 2, (size, count), dtype=np.int8) * 2 - 1
        hits += int(np.count_nonzero(np.abs(signs @ means) >= observed))
    return (1 + hits) / (1 + resampling.draws)


def cluster_bootstrap(
    values: npt.ArrayLike, clusters: npt.ArrayLike | None = None, resampling: Resampling = Resampling()
) -> list[Interval]:
    """Percentile intervals of the mean over queries, redrawing whole clusters.

    Args:
        values: (Q,) or (Q, M) metric values; all M columns share the redrawn clusters.
        clusters: (Q,) source video or group of each query.
        resampling: draws, seed and level.

    Returns:
        M intervals (one where `values` is one column).
    """
    matrix = np.asarray(values, np.float64)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    sums, counts = _cluster_sums(matrix, clusters)
    generator = np.random.default_rng(resampling.seed)
    drawn = [
        _redraw(generator, size, np.column_stack([sums, counts]))
        for size in _chunks(resampling.draws, len(counts))
    ]
    tail = (1 - resampling.level) / 2
    low, high = np.quantile(np.concatenate(drawn), [tail, 1 - tail], axis=0)
    return [
        Interval(point=float(p), low=float(a), high=float(b))
        for p, a, b in zip(matrix.mean(axis=0), low, high, strict=True)
    ]


def median_bootstrap(
    values: npt.ArrayLike, clusters: npt.ArrayLike | None = None, resampling: Resampling = Resampling()
) -> Interval:
    """Percentile interval of the median over queries, redrawing whole clusters."""
    column = np.asarray(values, np.float64)
    low, high = _percentiles(_redrawn_medians(column, clusters, resampling), resampling.level)
    return Interval(point=float(np.median(column)), low=low, high=high)


def median_difference_bootstrap(
    values: tuple[npt.ArrayLike, npt.ArrayLike],
    clusters: npt.ArrayLike | None = None,
    resampling: Resampling = Resampling(),
) -> Interval:
    """Percentile interval of median(A) - median(B) over the same queries: both see the same redrawn clusters.

    Args:
        values: (Q,) values of system A and of system B.
        clusters: (Q,) source video or group of each query.
        resampling: draws, seed and level.

    Raises:
        WrongShape: another number of values of A than of B.
    """
    first, second = (np.asarray(column, np.float64) for column in values)
    if first.shape != second.shape:
        raise WrongShape(f"paired values must have one shape, not {first.shape} and {second.shape}")
    drawn = [_redrawn_medians(column, clusters, resampling) for column in (first, second)]
    low, high = _percentiles(drawn[0] - drawn[1], resampling.level)
    return Interval(point=float(np.median(first) - np.median(second)), low=low, high=high)


def _redrawn_medians(column: RealArray, clusters: npt.ArrayLike | None, resampling: Resampling) -> RealArray:
    """(draws,) medians; draw d redraws the same clusters whatever the values are."""
    check_finite(column, "values")
    _, cluster_of = _cluster_numbers(clusters, len(column))
    order = np.argsort(column, kind="stable")
    generator = np.random.default_rng(resampling.seed)
    clusters_count = int(cluster_of.max()) + 1
    medians = []
    for size in _chunks(resampling.draws, max(clusters_count, len(column))):
        weights = _weights(generator, size, clusters_count)[:, cluster_of[order]].cumsum(axis=1)
        medians.append(_weighted_medians(column[order], weights))
    return np.concatenate(medians)


def _percentiles(drawn: RealArray, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment over a declared family of tests.

    >>> [round(p, 3) for p in holm([0.001, 0.01, 0.02, 0.04, 0.3])]
    [0.005, 0.04, 0.06, 0.08, 0.3]
    """
    p = np.asarray(p_values, np.float64)
    if p.size and not ((p >= 0) & (p <= 1)).all():
        raise UsageError("p-values must be between 0 and 1")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return [float(value) for value in adjusted]


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Two-sided exact McNemar p: queries that only A gets right against those that only B gets right.

    >>> round(mcnemar_exact(9, 2), 6)
    0.06543
    """
    from scipy.stats import binom

    if only_a + only_b == 0:
        return 1.0
    return float(min(1.0, 2 * binom.cdf(min(only_a, only_b), only_a + only_b, 0.5)))


def wilson_interval(successes: int, trials: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share.

    >>> interval = wilson_interval(50, 500)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.077, 0.129)
    """
    from scipy.stats import norm

    if not 0 <= successes <= trials or trials == 0:
        raise UsageError(f"{successes} successes in {trials} trials")
    z = float(norm.ppf((1 + level) / 2))
    share = successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return Interval(point=share, low=max(0.0, float(centre - half)), high=min(1.0, float(centre + half)))


def _cluster_numbers(clusters: npt.ArrayLike | None, queries: int) -> tuple[int, npt.NDArray[np.int64]]:
    if clusters is None:
        return queries, np.arange(queries)
    labels = np.asarray(clusters)
    if labels.shape != (queries,):
        raise WrongShape(f"clusters must be one per query, ({queries},), not {labels.shape}")
    unique, numbers = np.unique(labels, return_inverse=True)
    return len(unique), numbers


def _cluster_sums(
    matrix: RealArray, clusters: npt.ArrayLike | None
) -> tuple[RealArray, npt.NDArray[np.int64]]:
    """Sums (G, M) and sizes (G,) of the clusters."""
    if matrix.ndim != 2 or not len(matrix):
        raise WrongShape(f"values must be one per query, not {matrix.shape}")
    check_finite(matrix, "values")
    count, numbers = _cluster_numbers(clusters, len(matrix))
    sums = np.zeros((count, matrix.shape[1]))
    np.add.at(sums, numbers, matrix)
    return sums, np.bincount(numbers, minlength=count)


def _chunks(draws: int, width: int) -> list[int]:
    """Numbers of draws that keep a (draws, width) block near four million cells."""
    step = max(1, min(draws, (1 << 22) // max(1, width)))
    return [min(step, draws - start) for start in range(0, draws, step)]


def _weights(generator: np.random.Generator, draws: int, count: int) -> npt.NDArray[np.int64]:
    """(draws, count) how often each of `count` clusters is redrawn."""
    picks = generator.integers(0, count, (draws, count)) + np.arange(draws)[:, None] * count
    return np.bincount(picks.ravel(), minlength=draws * count).reshape(draws, count)


def _redraw(generator: np.random.Generator, draws: int, columns: RealArray) -> RealArray:
    """(draws, M) ratios of redrawn sums to redrawn sizes; the last of `columns` (G, M + 1) are the sizes."""
    totals: Any = _weights(generator, draws, len(columns)).astype(np.float64) @ columns
    ratios: RealArray = totals[:, :-1] / totals[:, -1:]
    return ratios


def _weighted_medians(ordered: RealArray, cumulative: npt.NDArray[np.int64]) -> RealArray:
    """Medians of `ordered` (Q,) under weights whose running sums are `cumulative` (draws, Q)."""
    total = cumulative[:, -1:]
    lower = np.argmax(cumulative >= (total + 1) // 2, axis=1)
    upper = np.argmax(cumulative >= total // 2 + 1, axis=1)
    medians: RealArray = (ordered[lower] + ordered[upper]) / 2
    return medians

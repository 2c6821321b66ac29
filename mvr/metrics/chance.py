"""What chance gives: the value of every metric for a scorer that ranks at random.

A number without its chance value says nothing, because pools differ. Source: line 22 of the evaluation
specification.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mvr.errors import UsageError
from mvr.metrics.harmonic import harmonic


@dataclass(frozen=True, kw_only=True)
class Chance:
    """Expected metrics of a random order of a pool with one true item."""

    recall: dict[int, float]
    median_rank: float
    mrr: float
    ndcg: dict[int, float]


def pair_chance(pool: int, ks: Sequence[int] = (1, 5, 10)) -> Chance:
    """Chance with one true item among `pool`: K/N, (N + 1)/2, H(N)/N, sum of discounts / N.

    >>> round(pair_chance(1000).ndcg[10], 6)
    0.004544
    """
    if pool < 1:
        raise UsageError(f"a pool needs at least one item, not {pool}")
    discounts = np.cumsum(1 / np.log2(np.arange(2, min(max(ks), pool) + 2)))
    return Chance(
        recall={k: min(k, pool) / pool for k in ks},
        median_rank=(pool + 1) / 2,
        mrr=float(harmonic(pool) / pool),
        ndcg={k: float(discounts[min(k, pool) - 1] / pool) for k in ks},
    )


def hit_chance(pool: int, relevant: int, k: int) -> float:
    """Chance that a random order has at least one of `relevant` items in its first `k`: 1 - C(N-m, K)/C(N,
    K).

    >>> round(hit_chance(1000, 3, 10), 5)
    0.02973
    """
    if not 0 <= relevant <= pool:
        raise UsageError(f"{relevant} relevant items in a pool of {pool}")
    k = min(k, pool)
    if k > pool - relevant:
        return 1.0
    misses = _log_choose(pool - relevant, k) - _log_choose(pool, k)
    return float(-np.expm1(misses))


def _log_choose(n: int, k: int) -> float:
    from scipy.special import gammaln

    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))

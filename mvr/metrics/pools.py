"""From a large pool to a smaller one: the exact expectation over all sub-pools, so no seed and no noise.

A truth at rank r of N candidates stands, in a random sub-pool of n candidates that holds it, at rank 1 + X
with X ~ Hypergeometric(N - 1, r - 1, n - 1). Under ties the rank itself is uniform over the tie group.
Source: line 23 of the evaluation specification.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mvr.errors import UsageError
from mvr.metrics.ranks import Ranks

RealArray = npt.NDArray[np.float64]


def subpool_hits(ranks: Ranks, size: int, k: int) -> RealArray:
    """(Q,) probability that the truth is among the first `k` of a random sub-pool of `size`.

    >>> one = Ranks(above=np.array([99]), tied=np.array([1]), pool=1000)
    >>> subpool_hits(one, 100, 10).round(6).tolist()
    [0.471388]
    """
    from scipy.stats import hypergeom

    _check_size(ranks, size)
    positions = np.arange(1, ranks.pool + 1)
    by_rank = hypergeom.cdf(k - 1, ranks.pool - 1, positions - 1, size - 1)
    return _mean_over_ties(ranks, np.asarray(by_rank))


def subpool_reciprocal(ranks: Ranks, size: int) -> RealArray:
    """(Q,) expected reciprocal rank in a random sub-pool of `size`.

    Closed form: E[1 / (1 + X)] = N / (n r) * (1 - C(N - r, n) / C(N, n)), from C(r-1, x) / (x+1) = C(r, x+1)
        / r.
    """
    from scipy.special import gammaln

    _check_size(ranks, size)
    pool = ranks.pool
    positions = np.arange(1, pool + 1)
    left = np.maximum(pool - positions, size)  # C(N - r, n) is 0 where N - r < n; kept out of gammaln
    log_none = gammaln(left + 1) - gammaln(left - size + 1) - gammaln(pool + 1) + gammaln(pool - size + 1)
    none = np.where(pool - positions >= size, np.exp(log_none), 0.0)
    return _mean_over_ties(ranks, pool / (size * positions) * (1 - none))


def subpool_ranks(ranks: Ranks, size: int) -> RealArray:
    """(Q,) expected rank in a random sub-pool of `size`: 1 + (r - 1)(n - 1)/(N - 1)."""
    _check_size(ranks, size)
    return 1 + (ranks.expected - 1) * (size - 1) / max(1, ranks.pool - 1)


def _mean_over_ties(ranks: Ranks, by_rank: RealArray) -> RealArray:
    """Mean of `by_rank` (N,), the value at rank 1..N, over each query's tied positions."""
    total = np.concatenate([[0.0], np.cumsum(by_rank)])
    means: RealArray = (total[ranks.above + ranks.tied] - total[ranks.above]) / ranks.tied
    return means


def _check_size(ranks: Ranks, size: int) -> None:
    if not 1 <= size <= ranks.pool:
        raise UsageError(f"a sub-pool of {size} cannot be drawn from {ranks.pool} candidates")


def subpool_gains(ranks: Ranks, size: int, k: int) -> RealArray:
    """(Q,) expected nDCG@k in a random sub-pool of `size`: sum over x < k of P(X = x) / log2(x + 2)."""
    from scipy.stats import hypergeom

    _check_size(ranks, size)
    positions = np.arange(1, ranks.pool + 1)
    gains = np.zeros(ranks.pool)
    for before in range(min(k, size)):
        gains += hypergeom.pmf(before, ranks.pool - 1, positions - 1, size - 1) / np.log2(before + 2)
    return _mean_over_ties(ranks, gains)

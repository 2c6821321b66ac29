"""How often: both-bad rates, win shares and preferred alphas, with intervals that know who voted often."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mvr.metrics.preference.votes import IntArray, RealArray, capped_weights, effective_number
from mvr.metrics.significance import Interval


def voter_share(
    hits: npt.NDArray[np.bool_], voter: IntArray, *, level: float = 0.95, cap: float | None = None
) -> Interval:
    """Share of votes that are hits, voters' weights capped, with a Wilson interval over effective votes.

    The effective number of votes is p (1 - p) / SE^2 with the standard error clustered by voter, and never more than
    the number of votes; the quantile is Student's with G* - 1 degrees of freedom. With one voter nothing is known.

    Args:
        hits: (N,) whether each vote counts as a hit, N > 0.
        voter: (N,) number of who voted.
        level: of the interval.
        cap: most weight per voter; None is max(10, median votes per voter).
    """
    from scipy.stats import t as student_t

    weights = capped_weights(voter, len(hits), cap)
    share = float(weights @ hits / weights.sum())
    degrees = effective_number(weights, voter) - 1
    if degrees <= 0:
        return Interval(point=share, low=0.0, high=1.0)
    votes = effective_number(weights, None)
    error = _clustered_error(hits, voter, weights, share)
    if error > 0:
        votes = min(votes, share * (1 - share) / error**2)
    return _wilson(share, votes, float(student_t.ppf((1 + level) / 2, degrees)))


def _clustered_error(hits: npt.NDArray[np.bool_], voter: IntArray, weights: RealArray, share: float) -> float:
    numbers = np.unique(voter, return_inverse=True)[1]
    sums = np.bincount(numbers, weights * (hits - share))
    count = len(sums)
    return math.sqrt(count / (count - 1) * float((sums**2).sum())) / float(weights.sum())


def _wilson(share: float, votes: float, quantile: float) -> Interval:
    shrink = 1 + quantile**2 / votes
    centre = (share + quantile**2 / (2 * votes)) / shrink
    half = quantile / shrink * math.sqrt(share * (1 - share) / votes + quantile**2 / (4 * votes**2))
    return Interval(point=share, low=max(0.0, centre - half), high=min(1.0, centre + half))

"""Can one strength per system say who beats whom? Wins of each pair against those that the fit expects, and cycles.

The residual of a pair is its weighted sum of (points - expected points), oriented to its first system; a win is one
point, a tie half of one. Its variance counts votes of one voter, and of one video, together and knows that the
strengths were fitted to the same votes: the cluster sums are a_g - A H+ U_g, with a_g the pair's scores, U_g the score
of all parameters (`covariance`) and A the derivative of the expected points.

A cycle "a beats b, b beats c, c beats a" holds if each of its three wins does (an intersection of three one-sided
score tests of equal strength, corrected for the slot, so no correction within a cycle; Bonferroni over the triads).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.metrics.preference.covariance import Scores, number_clusters
from mvr.metrics.preference.davidson import Ties
from mvr.metrics.preference.ratings import Ratings, vote_weights
from mvr.metrics.preference.votes import LEFT, RIGHT, TIE, IntArray, PairVotes, RealArray
from mvr.metrics.significance import holm

LEAST_VOTES = 20  # on a pair, before it is tested: sums of fewer clusters than that are not normal


@dataclass(frozen=True, kw_only=True)
class PairFit:
    """One pair that met: weighted points of `first`, what the strengths expect, and how surprising that is.

    Attributes:
        share, expected: points of `first` per vote, seen and expected.
        p: two-sided, that so far off is chance; p_holm: over all pairs.
        p_better: one-sided, that `first` beats `second` by chance only.
    """

    first: str
    second: str
    votes: int
    share: float
    expected: float
    p: float
    p_holm: float
    p_better: float


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """Three systems that beat each other in a circle, and Bonferroni's p that one of the wins is chance."""

    systems: tuple[str, str, str]
    p: float


def pair_fits(votes: PairVotes, ratings: Ratings) -> list[PairFit]:
    """Every pair that met, in the order of the systems' numbers."""
    weights = vote_weights(votes, ratings.settings)
    if ratings.settings.ties == Ties.DROP:
        kept = votes.outcome != TIE
        votes, weights = votes.where(kept), weights[kept]
    residuals = _Residuals(votes, weights, ratings)
    found = [residuals.of(a, b) for a, b in combinations(range(len(votes.systems)), 2)]
    met = [one for one in found if one is not None]
    adjusted = holm([p for *_, p, _ in met])
    return [
        PairFit(
            first=votes.systems[a],
            second=votes.systems[b],
            votes=count,
            share=share,
            expected=expected,
            p=p,
            p_holm=p_holm,
            p_better=p_better,
        )
        for (a, b, count, share, expected, p, p_better), p_holm in zip(met, adjusted, strict=True)
    ]


def find_cycles(pairs: list[PairFit]) -> list[Cycle]:
    """Circles of three, surest first, with p below 1/2."""
    beats: dict[tuple[str, str], float] = {}
    for pair in pairs:
        beats[pair.first, pair.second] = pair.p_better
        beats[pair.second, pair.first] = 1 - pair.p_better
    names = sorted({name for pair in beats for name in pair})
    triads = [t for t in combinations(names, 3) if all(pair in beats for pair in combinations(t, 2))]
    found = []
    for a, b, c in triads:
        for first, second, third in ((a, b, c), (a, c, b)):
            p = max(beats[first, second], beats[second, third], beats[third, first])
            if p < 0.5:
                found.append(Cycle(systems=(first, second, third), p=min(1.0, p * len(triads))))
    return sorted(found, key=lambda cycle: (cycle.p, cycle.systems))


class _Residuals:
    """Cluster sums that every pair needs, made once."""

    def __init__(self, votes: PairVotes, weights: RealArray, ratings: Ratings) -> None:
        self._votes, self._weights, self._ratings = votes, weights, ratings
        self._fit = ratings.fit
        self._degrees = ratings.covariances.degrees
        scores = Scores(votes, weights, self._fit)
        self._clusters: list[tuple[IntArray, RealArray]] = []
        for cluster in (votes.voter, votes.video):
            alone: npt.NDArray[np.integer[Any]] = np.arange(len(votes))
            numbers = number_clusters(alone if cluster is None else cluster)
            if len(votes) and int(numbers.max()) > 0:
                self._clusters.append((numbers, scores.sums(numbers)))
        self._probabilities = self._fit.probabilities(votes.left, votes.right)
        even = self._fit.probabilities([0], [0])[0]  # a pair of equal strengths: only the slot differs
        self._even = float(even[LEFT] - even[RIGHT]) / 2
        self._side = np.array([0.5, -0.5, 0.0])[votes.outcome]

    def of(self, a: int, b: int) -> tuple[int, int, int, float, float, float, float] | None:
        """Numbers, votes, share, expected share, p of the misfit and p of "a beats b"; None if they never met."""
        votes = self._votes
        mine = ((votes.left == a) & (votes.right == b)) | ((votes.left == b) & (votes.right == a))
        if not mine.any():
            return None
        sign = np.where(votes.left[mine] == a, 1.0, -1.0)
        weight = self._weights[mine]
        p = self._probabilities[mine]
        mean = (p[:, LEFT] - p[:, RIGHT]) / 2
        total = float(weight.sum())
        seen, expected = float(weight @ (sign * self._side[mine])), float(weight @ (sign * mean))
        misfit = weight * sign * (self._side[mine] - mean)
        preferred = weight * sign * (self._side[mine] - self._even)
        slope = self._slope(mine, sign, p)
        p_misfit, p_better = 1.0, 0.5
        if mine.sum() >= LEAST_VOTES:
            p_misfit = 2 * self._p_value(abs(float(misfit.sum())), mine, misfit, slope)
            p_better = self._p_value(float(preferred.sum()), mine, preferred, None)
        return a, b, int(mine.sum()), 0.5 + seen / total, 0.5 + expected / total, p_misfit, p_better

    def _slope(self, mine: npt.NDArray[np.bool_], sign: RealArray, p: RealArray) -> RealArray:
        """(P,) A H+ of a pair: how its expected points follow each vote's score."""
        votes, size = self._votes, len(self._votes.systems)
        mean = (p[:, LEFT] - p[:, RIGHT]) / 2
        variance = self._weights[mine] * sign * ((p[:, LEFT] + p[:, RIGHT]) / 4 - mean**2)
        slope = np.zeros(size + 2)
        np.add.at(slope, votes.left[mine], variance)
        np.add.at(slope, votes.right[mine], -variance)
        slope[size] = variance.sum()
        slope[size + 1] = float((self._weights[mine] * sign * (-mean * p[:, TIE])).sum())
        following: RealArray = slope @ self._fit.bread
        return following

    def _p_value(
        self, total: float, mine: npt.NDArray[np.bool_], scores: RealArray, slope: RealArray | None
    ) -> float:
        """One-sided p of a sum of scores, the largest over the kinds of clusters; 1/2 where nothing is known."""
        from scipy.stats import t as student_t

        if self._degrees <= 0 or not self._clusters:
            return 0.5
        largest = 0.0
        for numbers, sums in self._clusters:
            own: RealArray = np.bincount(numbers[mine], scores, minlength=len(sums)).astype(np.float64)
            if slope is not None:
                own = own - sums @ slope
            largest = max(largest, len(sums) / (len(sums) - 1) * float(own @ own))
        return float(student_t.sf(total / np.sqrt(largest), self._degrees)) if largest > 0 else 0.5

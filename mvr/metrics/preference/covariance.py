"""How far strengths may be off: sandwich covariances that know that a voter's votes are alike.

Per vote the score is u_d = (1[L] - 1[R])/2 - (P_L - P_R)/2 on (+left, -right, +gamma), u_eta = 1[T] - P_T.
V_iid = H+ (sum w^2 u u') H+, V_g = G/(G-1) H+ (sum_g U_g U_g') H+ with U_g the sum of w u in cluster g,
V_2 = V_voter + V_video - V_voter&video with negative eigenvalues clipped (Cameron, Gelbach and Miller,
Journal of Business & Economic Statistics 29 (2011)), V_3 likewise over voters, videos and days.

Where days are known the interval of a contrast is that of V_3, else the widest of V_voter, V_video and V_2, with
Student's quantile for the smallest effective number of clusters G*; it is never narrower than that of independent
votes, V_iid with the normal quantile. The widest of all six was used before: each is off by chance and the widest by
more, and V_iid with Student's quantile for clusters that it does not know is too wide
(`python -m eval.votes coverage` prints both rules).

Too few clusters say nothing of their spread: Student's quantile explodes (2 voters: 12.7 times the standard error),
and the interval is wider than before the first vote. `python -m eval.votes coverage` prints how often by G*: with ten
votes a voter, below `LEAST_CLUSTERS` more than one interval in a hundred is. There is no interval below that, and none
that is wider than the prior's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.metrics.preference.davidson import PRIOR_SD, DavidsonFit, Ties
from mvr.metrics.preference.votes import LEFT, RIGHT, TIE, IntArray, PairVotes, RealArray, effective_number

LEAST_CLUSTERS = 5.0  # effective voters, and videos, from which on there is an interval
LEAST_DAYS = 2.5  # effective days from which on days are clusters; before, drift between days cannot be told


@dataclass(frozen=True, kw_only=True)
class Covariances:
    """(P, P) covariance matrices by assumption, and how many voters, videos and days the votes are worth.

    Attributes:
        matrices: "iid", and where known "voter", "video", "two-way", "day", "three-way"; "prior" of a separated fit.
        effective_voters, effective_videos, effective_days: G* of each; days are None where votes have none.
        lowest_eigenvalue: of the two-way matrix before clipping (it may be indefinite).
    """

    matrices: dict[str, RealArray]
    effective_voters: float
    effective_videos: float
    effective_days: float | None = None
    lowest_eigenvalue: float = 0.0

    @property
    def degrees(self) -> float:
        """Degrees of freedom of voters and videos: the smaller G* minus 1."""
        return min(self.effective_voters, self.effective_videos) - 1

    @property
    def enough(self) -> bool:
        """Whether voters and videos are enough for intervals."""
        return self.degrees + 1 >= LEAST_CLUSTERS - 1e-9

    @property
    def knows_days(self) -> bool:
        """Whether drift between days is in the intervals."""
        return "three-way" in self.matrices or "day" in self.matrices

    @property
    def published(self) -> dict[str, RealArray]:
        """What intervals are made of: where one estimate knows of all clusters, that one and independent votes."""
        known = ("iid", "three-way", "prior")
        return {
            name: matrix
            for name, matrix in self.matrices.items()
            if name in known or "three-way" not in self.matrices
        }

    def variance(self, contrast: RealArray) -> float:
        """Var(c' theta) of a contrast (P,): the largest over what is published."""
        return max(float(contrast @ matrix @ contrast) for matrix in self.published.values())

    def standard_error(self, contrast: RealArray) -> float:
        """Square root of `variance`."""
        return float(np.sqrt(max(self.variance(contrast), 0.0)))

    def half_width(self, contrast: RealArray, level: float) -> float:
        """Half an interval of a contrast (P,); infinite where voters or videos are too few, or it says nothing."""
        if not self.enough:
            return float(np.inf)
        width = max(se * quantile for se, quantile in self.quantiles(contrast, level))
        before = _quantile((1 + level) / 2, np.inf) * PRIOR_SD * float(np.linalg.norm(contrast))
        return width if width <= before else float(np.inf)

    def p_value(self, gap: float, contrast: RealArray) -> float:
        """Two-sided p of a contrast of 0: the largest over what is published; 1 without an interval."""
        from scipy.special import stdtr

        if not self.enough:
            return 1.0
        found = [
            float(2 * stdtr(degrees, -abs(gap) / se)) for se, degrees in self._errors(contrast) if se > 0
        ]
        return max(found, default=1.0)

    def quantiles(self, contrast: RealArray, level: float) -> list[tuple[float, float]]:
        """Standard error of a contrast (P,) and Student's quantile under each assumption that is published."""
        return [(se, _quantile((1 + level) / 2, degrees)) for se, degrees in self._errors(contrast)]

    def _errors(self, contrast: RealArray) -> Iterator[tuple[float, float]]:
        """Standard error and degrees of freedom under each assumption that is published."""
        for name, matrix in self.published.items():
            days = self.effective_days if name in ("day", "three-way") else None
            degrees = self.degrees if days is None else min(self.degrees, days - 1)
            yield (
                float(np.sqrt(max(float(contrast @ matrix @ contrast), 0.0))),
                np.inf if name == "iid" else degrees,
            )


@lru_cache(maxsize=256)
def _quantile(p: float, degrees: float) -> float:
    """Student's; infinite degrees are the normal distribution's, and none at all say nothing."""
    from scipy.special import ndtri, stdtrit

    if degrees <= 0:
        return float(np.inf)
    return float(ndtri(p) if np.isinf(degrees) else stdtrit(degrees, p))


def estimate_covariances(votes: PairVotes, weights: RealArray, fit: DavidsonFit) -> Covariances:
    """All covariances of a fit to these votes with these weights."""
    if fit.ties == Ties.DROP:
        kept = votes.outcome != TIE
        votes, weights = votes.where(kept), weights[kept]
    scores = Scores(votes, weights, fit)
    numbers = {name: effective_number(weights, getattr(votes, name)) for name in ("voter", "video", "day")}
    matrices = {"iid": scores.sandwich(None)}
    clusters = _clusters(votes, numbers["day"])
    matrices |= {name: scores.sandwich(cluster) for name, cluster in clusters.items()}
    lowest = 0.0
    for names, title in ((("voter", "video"), "two-way"), (("voter", "video", "day"), "three-way")):
        if set(names) <= set(clusters):
            crossed, smallest = _crossed(scores, [clusters[name] for name in names])
            matrices[title] = crossed
            lowest = smallest if title == "two-way" else lowest
    if fit.separated:  # the scores say little where somebody never lost: never narrower than the prior's mode
        matrices["prior"] = fit.bread
    return Covariances(
        matrices=matrices,
        effective_voters=numbers["voter"],
        effective_videos=numbers["video"],
        effective_days=None if votes.day is None else numbers["day"],
        lowest_eigenvalue=lowest,
    )


def _clusters(votes: PairVotes, effective_days: float) -> dict[str, IntArray]:
    """What votes may be alike by; one cluster alone has no spread to measure."""
    found = {}
    for name in ("voter", "video", "day"):
        cluster: IntArray | None = getattr(votes, name)
        if cluster is not None and len(votes) and cluster.min() != cluster.max():
            found[name] = number_clusters(cluster)
    if effective_days < LEAST_DAYS:
        found.pop("day", None)
    return found


def _crossed(scores: Scores, clusters: list[IntArray]) -> tuple[RealArray, float]:
    """Inclusion and exclusion over all intersections of clusters, eigenvalues clipped; the lowest before clipping."""
    total: RealArray | None = None
    for count in range(1, len(clusters) + 1):
        for chosen in combinations(clusters, count):
            shared = np.zeros(len(chosen[0]), np.int64)
            for cluster in chosen:
                shared = shared * (int(cluster.max()) + 1) + cluster
            shared = number_clusters(shared)
            part = scores.sandwich(shared) * (1 if count % 2 else -1)
            total = part if total is None else total + part
    assert total is not None
    values, vectors = np.linalg.eigh((total + total.T) / 2)
    clipped: RealArray = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return clipped, float(values.min())


class Scores:
    """Weighted scores of votes, summed per cluster without building an (N, P) matrix."""

    def __init__(self, votes: PairVotes, weights: RealArray, fit: DavidsonFit) -> None:
        self._votes, self._fit = votes, fit
        self._size = len(votes.systems)
        pairs = np.arange(self._size**2)
        table = fit.probabilities(pairs // self._size, pairs % self._size)
        flat = votes.left.astype(np.int64) * self._size + votes.right
        side = np.array([0.5, -0.5, 0.0])[votes.outcome]
        self._gap = weights * (side - ((table[:, LEFT] - table[:, RIGHT]) / 2)[flat])
        self._tie = weights * ((votes.outcome == TIE) - table[:, TIE][flat]) if fit.with_eta else None

    def sandwich(self, numbers: npt.NDArray[np.int64] | None) -> RealArray:
        """H+ M H+, with the factor G/(G-1) for G clusters (numbered from 0, none empty)."""
        bread = self._fit.bread
        if numbers is None:
            return bread @ self._meat_of_votes() @ bread
        sums = self.sums(numbers)
        count = len(sums)
        covariance: RealArray = count / (count - 1) * (bread @ (sums.T @ sums) @ bread)
        return covariance

    def sums(self, numbers: npt.NDArray[np.integer[Any]]) -> RealArray:
        """(G, P) sums of the scores within each cluster, numbered from 0."""
        count = int(numbers.max()) + 1
        width = self._size + 2
        flat = numbers * width
        sums = np.bincount(flat + self._votes.left, self._gap, minlength=count * width)
        sums -= np.bincount(flat + self._votes.right, self._gap, minlength=count * width)
        table = sums.reshape(count, width).astype(np.float64)
        if self._fit.slot:
            table[:, self._size] = np.bincount(numbers, self._gap, minlength=count)
        if self._tie is not None:
            table[:, self._size + 1] = np.bincount(numbers, self._tie, minlength=count)
        scores: RealArray = table
        return scores

    def _meat_of_votes(self) -> RealArray:
        """Sum of w^2 u u' over votes: votes of one cell and outcome have the same u up to their weight."""
        size = self._size
        flat = self._votes.left.astype(np.int64) * size + self._votes.right
        squares = np.bincount(flat, self._gap**2, minlength=size * size)
        design = np.zeros((size * size, size + 2))
        pairs = np.arange(size * size)
        design[pairs, pairs // size] += 1
        design[pairs, pairs % size] -= 1
        design[:, size] = float(self._fit.slot)
        meat: RealArray = (design * squares[:, None]).T @ design
        if self._tie is not None:
            mixed = design.T @ np.bincount(flat, self._gap * self._tie, minlength=size * size)
            meat[:, -1] += mixed
            meat[-1, :] += mixed
            meat[-1, -1] = float((self._tie**2).sum())
        return meat


def number_clusters(cluster: npt.NDArray[np.integer[Any]]) -> IntArray:
    """Which cluster each vote is in, numbered from 0 without gaps."""
    numbers: IntArray = np.unique(cluster, return_inverse=True)[1].astype(np.int64)
    return numbers

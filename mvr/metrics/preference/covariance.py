"""How far strengths may be off: sandwich covariances that know that a voter's votes are alike.

Per vote the score is u_d = (1[L] - 1[R])/2 - (P_L - P_R)/2 on (+left, -right, +gamma), u_eta = 1[T] - P_T.
V_iid = H+ (sum w^2 u u') H+, V_g = G/(G-1) H+ (sum_g U_g U_g') H+ with U_g the sum of w u in cluster g,
V_2 = V_voter + V_video - V_voter&video with negative eigenvalues clipped (Cameron, Gelbach and Miller,
Journal of Business & Economic Statistics 29 (2011)). The variance of a contrast is the largest of the four.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.metrics.preference.davidson import DavidsonFit, Ties
from mvr.metrics.preference.votes import LEFT, RIGHT, TIE, PairVotes, RealArray, effective_number


@dataclass(frozen=True, kw_only=True)
class Covariances:
    """(P, P) covariance matrices by assumption, and how many voters and videos the votes are worth.

    Attributes:
        matrices: "iid", and where known "voter", "video", "two-way"; "prior" of a separated fit.
        effective_voters, effective_videos: G* of each; `degrees` is the smaller G* minus 1.
        lowest_eigenvalue: of the two-way matrix before clipping (it may be indefinite).
    """

    matrices: dict[str, RealArray]
    effective_voters: float
    effective_videos: float
    degrees: float
    lowest_eigenvalue: float = 0.0

    def variance(self, contrast: RealArray) -> float:
        """Var(c' theta) of a contrast (P,): the largest over the assumptions."""
        return max(float(contrast @ matrix @ contrast) for matrix in self.matrices.values())

    def standard_error(self, contrast: RealArray) -> float:
        """Square root of `variance`."""
        return float(np.sqrt(max(self.variance(contrast), 0.0)))


def estimate_covariances(votes: PairVotes, weights: RealArray, fit: DavidsonFit) -> Covariances:
    """All covariances of a fit to these votes with these weights."""
    if fit.ties == Ties.DROP:
        kept = votes.outcome != TIE
        votes, weights = votes.where(kept), weights[kept]
    scores = _Scores(votes, weights, fit)
    matrices = {"iid": scores.sandwich(None)}
    lowest = 0.0
    for name in ("voter", "video"):
        cluster = getattr(votes, name)
        # One cluster alone has no spread to measure; its G* of 1 makes every interval infinite.
        if cluster is not None and len(votes) and cluster.min() != cluster.max():
            matrices[name] = scores.sandwich(cluster)
    if {"voter", "video"} <= set(matrices) and votes.voter is not None and votes.video is not None:
        both = votes.voter.astype(np.int64) * (int(votes.video.max()) + 1) + votes.video
        two_way = matrices["voter"] + matrices["video"] - scores.sandwich(both)
        values, vectors = np.linalg.eigh((two_way + two_way.T) / 2)
        lowest = float(values.min())
        matrices["two-way"] = (vectors * np.maximum(values, 0.0)) @ vectors.T
    if fit.separated:  # the scores say little where somebody never lost: never narrower than the prior's mode
        matrices["prior"] = fit.bread
    numbers = [effective_number(weights, cluster) for cluster in (votes.voter, votes.video)]
    return Covariances(
        matrices=matrices,
        effective_voters=numbers[0],
        effective_videos=numbers[1],
        degrees=min(numbers) - 1,
        lowest_eigenvalue=lowest,
    )


class _Scores:
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

    def sandwich(self, cluster: npt.NDArray[np.integer[Any]] | None) -> RealArray:
        """H+ M H+, with the factor G/(G-1) for G clusters."""
        bread = self._fit.bread
        if cluster is None:
            return bread @ self._meat_of_votes() @ bread
        count, numbers = _number(cluster)
        sums = self._sums(numbers, count)
        covariance: RealArray = count / (count - 1) * (bread @ (sums.T @ sums) @ bread)
        return covariance

    def _sums(self, numbers: npt.NDArray[np.int64], count: int) -> RealArray:
        """(G, P) sums of the scores within each cluster."""
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


def _number(cluster: npt.NDArray[np.integer[Any]]) -> tuple[int, npt.NDArray[np.int64]]:
    """How many clusters there are and which of them each vote is in."""
    names, numbers = np.unique(cluster, return_inverse=True)
    return len(names), numbers.astype(np.int64)

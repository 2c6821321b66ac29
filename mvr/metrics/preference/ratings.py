"""The whole recipe: strengths with intervals, differences with Holm's correction, rank intervals.

Nominal 95 % intervals of this recipe covered 94-97 % in every simulated scenario, where independent-vote
intervals covered 52-77 % once few people cast most votes. Source: evaluation specification, lines 3-13.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from mvr.metrics.preference.covariance import Covariances, estimate_covariances
from mvr.metrics.preference.davidson import DavidsonFit, Ties, fit_davidson
from mvr.metrics.preference.votes import TIE, PairVotes, RealArray, capped_weights, effective_number
from mvr.metrics.significance import holm

ELO_PER_NAT = 400 / math.log(10)
ELO_MEAN = 1000.0


@dataclass(frozen=True, kw_only=True)
class RatingSettings:
    """Settings of the estimate: ties, weights, level of the intervals.

    Attributes:
        cap: most weight per voter; None is max(10, median votes per voter), infinity is no cap.
        least_decisive, least_voters: below these a system is called preliminary.
        inverse_pair_prob: weigh each vote by 1 / probability of its pair.
    """

    ties: Ties = Ties.DAVIDSON
    slot: bool = True
    cap: float | None = None
    level: float = 0.95
    least_decisive: int = 50
    least_voters: float = 15.0
    inverse_pair_prob: bool = False


@dataclass(frozen=True, kw_only=True)
class Difference:
    """theta of `better` minus theta of `worse` in nats, with its interval and Holm-adjusted p."""

    better: str
    worse: str
    difference: float
    se: float
    low: float
    high: float
    p: float
    p_holm: float


@dataclass(frozen=True, kw_only=True)
class SystemRating:
    """One row of a leaderboard. Bounds and ranks are None where voters or videos are too few for an interval."""

    system: str
    theta: float
    se: float
    low: float | None
    high: float | None
    rank_low: int | None
    rank_high: int | None
    votes: int
    decisive: int
    effective_voters: float
    preliminary: bool

    @property
    def elo(self) -> float:
        """1000 + (400 / ln 10) theta."""
        return to_elo(self.theta)


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """Strengths of K systems, best first, and all K(K-1)/2 differences.

    `separated` means "not comparable yet": somebody never lost or groups never met; there are no ranks then.
    """

    rows: tuple[SystemRating, ...]
    differences: tuple[Difference, ...]
    fit: DavidsonFit
    covariances: Covariances
    settings: RatingSettings
    votes: int

    @property
    def separated(self) -> bool:
        """No finite strengths: ordered only for show."""
        return self.fit.separated

    def row(self, system: str) -> SystemRating:
        """The row of one system."""
        return next(row for row in self.rows if row.system == system)


def to_elo(theta: float) -> float:
    """Nats to Elo points around 1000."""
    return ELO_MEAN + ELO_PER_NAT * theta


def vote_weights(votes: PairVotes, settings: RatingSettings) -> RealArray:
    """Weights of the votes under the settings: capped per voter, perhaps by inverse pair probability."""
    weights = capped_weights(votes.voter, len(votes), settings.cap)
    if settings.inverse_pair_prob and votes.pair_prob is not None:
        weights = weights / votes.pair_prob
        weights = weights * (len(weights) / weights.sum())
    return weights


def rate(votes: PairVotes, settings: RatingSettings | None = None) -> Ratings:
    """Strengths, intervals, differences and rank intervals from votes.

    Raises:
        DataError: there are no votes.
    """
    settings = settings or RatingSettings()
    weights = vote_weights(votes, settings)
    fit = fit_davidson(votes, weights, ties=settings.ties, slot=settings.slot)
    covariances = estimate_covariances(votes, weights, fit)
    differences = _differences(fit, covariances, settings.level)
    above = _surely_above(fit, differences, 1 - settings.level)
    rows = [
        _row(number, votes, weights, fit, covariances, settings, above) for number in range(len(fit.systems))
    ]
    rows.sort(key=lambda row: (-row.theta, row.system))
    return Ratings(
        rows=tuple(rows),
        differences=tuple(differences),
        fit=fit,
        covariances=covariances,
        settings=settings,
        votes=len(votes),
    )


def contrast_of(size: int, plus: int, minus: int | None = None) -> RealArray:
    """(K+2,) the strength of one system, or less that of another."""
    contrast = np.zeros(size + 2)
    contrast[plus] = 1.0
    if minus is not None:
        contrast[minus] = -1.0
    return contrast


def _differences(fit: DavidsonFit, covariances: Covariances, level: float) -> list[Difference]:
    size = len(fit.systems)
    found = []
    for a, b in combinations(range(size), 2):
        first, second = (a, b) if fit.theta[a] >= fit.theta[b] else (b, a)
        gap = float(fit.theta[first] - fit.theta[second])
        contrast = contrast_of(size, first, second)
        found.append((first, second, gap, contrast, covariances.p_value(gap, contrast)))
    adjusted = holm([p for *_, p in found])
    differences = []
    for (first, second, gap, contrast, p), p_holm in zip(found, adjusted, strict=True):
        width = covariances.half_width(contrast, level)
        differences.append(
            Difference(
                better=fit.systems[first],
                worse=fit.systems[second],
                difference=gap,
                se=covariances.standard_error(contrast),
                low=gap - width,
                high=gap + width,
                p=p,
                p_holm=p_holm,
            )
        )
    return differences


def _surely_above(fit: DavidsonFit, differences: list[Difference], alpha: float) -> npt.NDArray[np.bool_]:
    """(K, K) whether the row's system is above the column's at Holm-adjusted level alpha."""
    number = {name: i for i, name in enumerate(fit.systems)}
    above = np.zeros((len(number), len(number)), bool)
    for difference in differences:
        above[number[difference.better], number[difference.worse]] = difference.p_holm < alpha
    return above


def _row(
    number: int,
    votes: PairVotes,
    weights: RealArray,
    fit: DavidsonFit,
    covariances: Covariances,
    settings: RatingSettings,
    above: npt.NDArray[np.bool_],
) -> SystemRating:
    size = len(fit.systems)
    theta = float(fit.theta[number])
    width = covariances.half_width(contrast_of(size, number), settings.level)
    mine = (votes.left == number) | (votes.right == number)
    decisive = int(np.count_nonzero(mine & (votes.outcome != TIE)))
    voters = effective_number(weights[mine], None if votes.voter is None else votes.voter[mine])
    finite, ranked = math.isfinite(width), covariances.enough and not fit.separated
    return SystemRating(
        system=fit.systems[number],
        theta=theta,
        se=covariances.standard_error(contrast_of(size, number)),
        low=theta - width if finite else None,
        high=theta + width if finite else None,
        rank_low=1 + int(above[:, number].sum()) if ranked else None,
        rank_high=size - int(above[number].sum()) if ranked else None,
        votes=int(mine.sum()),
        decisive=decisive,
        effective_voters=voters,
        preliminary=decisive < settings.least_decisive or voters < settings.least_voters,
    )

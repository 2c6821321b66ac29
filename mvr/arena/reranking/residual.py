"""s'(query, item) = cos(query, item) + w . features(item), fitted to votes by a ridge logistic regression.

Loss: mean of -log sigma(beta (s'_winner - s'_loser)) + lambda |beta w|^2, a tie counts half to each side; beta, the
steepness of the frozen similarity, is fitted first and then kept. lambda is chosen on votes whose voter *and* source
video are both held out: otherwise a model that knows its voters or its videos looks better than it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.arena.reranking.pairs import RealArray, VotePairs
from mvr.errors import DataError
from mvr.metrics.significance import Interval, Resampling, cluster_bootstrap

LAMBDAS = tuple(10.0**power for power in range(-4, 3))
BETA_RANGE = (-2.0, 4.0)  # powers of ten


@dataclass(frozen=True, kw_only=True)
class Residual:
    """Weights (D,) of the features, the steepness, and the strength of the ridge."""

    weights: RealArray
    beta: float
    penalty: float


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """How well votes of unseen voters on unseen videos are foretold.

    Attributes:
        penalties, losses: mean held-out log loss for each strength of the ridge.
        base_accuracy, accuracy: share of decisive held-out votes foretold without and with the residual.
        gain: accuracy minus base accuracy, with a 95 % bootstrap interval over voters.
        votes: decisive held-out votes.
    """

    penalties: tuple[float, ...]
    losses: tuple[float, ...]
    base_accuracy: float
    accuracy: float
    gain: Interval
    votes: int


def fit_residual(pairs: VotePairs, penalty: float) -> Residual:
    """Fit with one strength of the ridge."""
    beta = fit_beta(pairs)
    return Residual(weights=fit_weights(pairs, beta, penalty), beta=beta, penalty=penalty)


def fit_beta(pairs: VotePairs) -> float:
    """Steepness with which the frozen similarity alone foretells the votes best; small where it does not at all."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda power: log_loss(10**power * pairs.gap, pairs.target), BETA_RANGE, bounds=BETA_RANGE
    )
    return float(10**found.x)


def cross_validate(
    pairs: VotePairs, *, penalties: tuple[float, ...] = LAMBDAS, folds: int = 5, seed: int = 0
) -> tuple[Residual, CrossValidation]:
    """Choose the ridge by held-out loss, report accuracy at that choice, and fit to all votes with it.

    Raises:
        DataError: too few voters or videos to hold some out.
    """
    logits = {penalty: np.full(len(pairs), np.nan) for penalty in penalties}
    for train, test in split_folds(pairs, folds, seed):
        beta = fit_beta(pairs.where(train))
        for penalty in penalties:
            weights = fit_weights(pairs.where(train), beta, penalty)
            logits[penalty][test] = beta * (pairs.gap[test] + pairs.difference[test] @ weights)
    tested = ~np.isnan(logits[penalties[0]])
    if not (tested & (pairs.target != 0.5)).any():
        raise DataError(
            f"{len(pairs)} votes are too few to keep some voters and videos for testing; collect more"
        )
    losses = {penalty: log_loss(values[tested], pairs.target[tested]) for penalty, values in logits.items()}
    best = min(penalties, key=lambda penalty: (losses[penalty], -penalty))
    decisive = tested & (pairs.target != 0.5)
    base = _hits(pairs.gap[decisive], pairs.target[decisive])
    hits = _hits(logits[best][decisive], pairs.target[decisive])
    [gain] = cluster_bootstrap(hits - base, pairs.voter[decisive], Resampling(draws=2000, seed=seed))
    report = CrossValidation(
        penalties=penalties,
        losses=tuple(losses[penalty] for penalty in penalties),
        base_accuracy=float(base.mean()),
        accuracy=float(hits.mean()),
        gain=gain,
        votes=int(decisive.sum()),
    )
    return fit_residual(pairs, best), report


def split_folds(
    pairs: VotePairs, folds: int, seed: int
) -> Iterator[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
    """Masks (train, test): no voter and no video of a test vote is among the training votes."""
    generator = np.random.default_rng(seed)
    voter, group = (_fold_of(labels, folds, generator) for labels in (pairs.voter, pairs.group))
    for i in range(folds):
        for j in range(folds):
            test = (voter == i) & (group == j)
            train = (voter != i) & (group != j)
            if test.any() and (pairs.target[train] != 0.5).any():
                yield train, test


def _fold_of(
    labels: npt.NDArray[np.str_], folds: int, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    names, numbers = np.unique(labels, return_inverse=True)
    chosen: npt.NDArray[np.int64] = (generator.permutation(len(names)) % folds)[numbers]
    return chosen


def fit_weights(pairs: VotePairs, beta: float, penalty: float) -> RealArray:
    """(D,) weights for one steepness and one ridge, by L-BFGS."""
    from scipy.optimize import minimize
    from scipy.special import expit

    offset, features, target = beta * pairs.gap, pairs.difference, pairs.target

    def loss(
        scaled: RealArray,
    ) -> tuple[float, RealArray]:  # scaled = beta w: the ridge then has one unit, logits
        logits = offset + features @ scaled
        slope = (expit(logits) - target) / len(target)
        value = log_loss(logits, target) + penalty * float(scaled @ scaled)
        return value, features.T @ slope + 2 * penalty * scaled

    start = np.zeros(pairs.difference.shape[1])
    weights: RealArray = minimize(loss, start, jac=True, method="L-BFGS-B").x / beta
    return weights


def log_loss(logits: RealArray, target: RealArray) -> float:
    """Mean of -t log sigma(x) - (1 - t) log sigma(-x)."""
    return float(np.mean(np.logaddexp(0.0, logits) - target * logits))


def _hits(score: RealArray, target: RealArray) -> RealArray:
    """1 where the sign foretells the vote, 0.5 where the score is undecided."""
    hits: RealArray = np.where(score == 0, 0.5, (score > 0) == (target > 0.5))
    return hits

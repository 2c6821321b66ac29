"""Davidson's model of paired comparisons with ties, with a term for the left slot.

d = theta_left - theta_right + gamma, Z = exp(d/2) + exp(-d/2) + nu,
P(left) = exp(d/2)/Z, P(right) = exp(-d/2)/Z, P(tie) = nu/Z, eta = ln nu; the thetas sum to zero.
Davidson, Journal of the American Statistical Association 65 (1970). The log-likelihood is concave in
(theta, gamma, eta), so Newton's method on the cell counts (left, right, outcome) finds the one maximum; one
million votes are no more work than K^2 cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from mvr.errors import DataError, NotFinite
from mvr.metrics.preference.separation import strong_components
from mvr.metrics.preference.votes import LEFT, RIGHT, TIE, PairVotes, RealArray

PRIOR_SD = 2.0
TOLERANCE = 1e-10
MAX_STEPS = 100
UNBOUNDED = 15.0  # nats: nobody wins 3 million to 1; such an estimate is on its way to infinity


class Ties(StrEnum):
    """What a tie is: its own outcome (Davidson), half a win for each (shrinks the scale), or left out."""

    DAVIDSON = "davidson"
    HALF = "half"
    DROP = "drop"


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Summed weights (C, 3) of the outcomes of C ordered pairs (left, right) that occur."""

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    weights: RealArray

    @classmethod
    def of(cls, votes: PairVotes, weights: RealArray) -> Cells:
        """Sum the weights per cell."""
        size = len(votes.systems)
        flat = (votes.left.astype(np.int64) * size + votes.right) * 3 + votes.outcome
        table = np.bincount(flat, weights, minlength=3 * size * size).reshape(-1, 3)
        used = np.flatnonzero(table.sum(axis=1) > 0)
        return cls(left=used // size, right=used % size, weights=table[used].astype(np.float64))


@dataclass(frozen=True, kw_only=True)
class DavidsonFit:
    """A fitted model. `parameters` (P,) holds K thetas, then gamma and eta; a term that is left out stays 0.

    Attributes:
        bread: (P, P) inverse information H+ on the sum-zero space; rows of terms left out are 0.
        probabilities: (K, K, 3) of left, right and tie for each ordered pair.
        separated: no finite maximum exists; the thetas are the mode under the prior N(0, 2^2).
    """

    systems: tuple[str, ...]
    parameters: RealArray
    bread: RealArray
    ties: Ties
    slot: bool
    with_eta: bool
    separated: bool
    components: int

    @property
    def theta(self) -> RealArray:
        """(K,) strengths in nats, summing to zero."""
        return self.parameters[: len(self.systems)]

    @property
    def gamma(self) -> float:
        """Advantage of the left slot in nats."""
        return float(self.parameters[-2])

    @property
    def eta(self) -> float:
        """ln nu; minus infinity where the model has no ties."""
        return float(self.parameters[-1]) if self.with_eta else -np.inf

    @property
    def nu(self) -> float:
        """How readily voters call a tie."""
        return float(np.exp(self.eta))

    @property
    def fisher_se(self) -> RealArray:
        """(P,) standard errors of the parameters if votes were independent and the model true."""
        return np.sqrt(np.diagonal(self.bread))

    def probabilities(self, left: npt.ArrayLike, right: npt.ArrayLike) -> RealArray:
        """(N, 3) probabilities of left, right and tie for pairs of system numbers."""
        theta = self.theta
        gap = theta[np.asarray(left)] - theta[np.asarray(right)] + self.gamma
        return _probabilities(gap, self.nu)


def fit_davidson(
    votes: PairVotes,
    weights: RealArray | None = None,
    *,
    ties: Ties = Ties.DAVIDSON,
    slot: bool = True,
) -> DavidsonFit:
    """Fit strengths to votes.

    Where no finite maximum exists (see `separation`) the mode under theta, gamma, eta ~ N(0, 2^2) is
    returned and `separated` is True: such strengths may be shown, but not ranked.

    Args:
        votes: N votes.
        weights: (N,) weights of the votes, 1 if not given.
        ties: how ties enter.
        slot: whether the left slot has a term.

    Raises:
        DataError: no votes.
        NotFinite: a weight that is NaN, infinite or negative.
    """
    weights = np.ones(len(votes)) if weights is None else weights
    if len(votes) == 0:
        raise DataError("there are no votes to fit strengths to")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise NotFinite("vote weights must be finite and not negative")
    used = votes if ties != Ties.DROP else votes.where(votes.outcome != TIE)
    used_weights = weights if ties != Ties.DROP else weights[votes.outcome != TIE]
    cells = Cells.of(used, used_weights)
    positive = used.where(used_weights > 0)
    components, _ = strong_components(positive)
    with_eta = ties == Ties.DAVIDSON and bool((votes.outcome == TIE).any())
    separated = components > 1 or not bool((positive.outcome != TIE).any())
    model = _Model(cells, len(votes.systems), slot=slot, with_eta=with_eta)
    parameters = None if separated else model.maximise(0.0)
    if parameters is None:  # the slot, too, may separate the votes; the prior then gives finite numbers
        separated = True
        parameters = model.maximise(PRIOR_SD**-2)
    assert parameters is not None, "the penalised likelihood is strictly concave"
    return DavidsonFit(
        systems=votes.systems,
        parameters=parameters,
        bread=model.bread(parameters, PRIOR_SD**-2 if separated else 0.0),
        ties=ties,
        slot=slot,
        with_eta=with_eta,
        separated=separated,
        components=components,
    )


def _probabilities(gap: RealArray, nu: float) -> RealArray:
    halves = np.stack([gap / 2, -gap / 2], axis=-1)
    top = np.abs(gap / 2)[..., None]  # exp of large gaps must not overflow
    terms = np.concatenate([np.exp(halves - top), nu * np.exp(-top)], axis=-1)
    probabilities: RealArray = terms / terms.sum(axis=-1, keepdims=True)
    return probabilities


class _Model:
    """Score and information of the cells, in a basis whose thetas sum to zero."""

    def __init__(self, cells: Cells, systems: int, *, slot: bool, with_eta: bool) -> None:
        self._cells = cells
        self._with_eta = with_eta
        self._systems = systems
        rows = np.arange(len(cells.left))
        self._design = np.zeros((len(rows), systems + 2))
        self._design[rows, cells.left] += 1
        self._design[rows, cells.right] -= 1
        self._design[:, systems] = 1.0
        free = [i for i, used in ((systems, slot), (systems + 1, with_eta)) if used]
        self._basis = np.zeros((systems + 2, systems - 1 + len(free)))
        self._basis[:systems, : systems - 1] = sum_zero_basis(systems)
        self._basis[free, np.arange(systems - 1, systems - 1 + len(free))] = 1.0

    def maximise(self, precision: float) -> RealArray | None:
        """Newton's method with step halving from zero; None if the maximum runs away."""
        free = np.zeros(self._basis.shape[1])
        value = self._objective(free, precision)
        for _ in range(MAX_STEPS):
            score, information = self._derivatives(self._basis @ free, precision)
            try:
                step = np.linalg.solve(self._basis.T @ information @ self._basis, self._basis.T @ score)
            except np.linalg.LinAlgError:
                return None
            while True:
                tried = self._objective(free + step, precision)
                if tried >= value - 1e-12 * abs(value) or np.abs(step).max() < TOLERANCE:
                    break
                step = step / 2
            free, value = free + step, tried
            if np.abs(self._basis @ free).max() > UNBOUNDED:
                return None
            if np.abs(step).max() < TOLERANCE:
                parameters: RealArray = self._basis @ free
                return parameters
        return None

    def bread(self, parameters: RealArray, precision: float) -> RealArray:
        """H+: the inverse information on the sum-zero space."""
        _, information = self._derivatives(parameters, precision)
        inner = np.linalg.inv(self._basis.T @ information @ self._basis)
        bread: RealArray = self._basis @ inner @ self._basis.T
        return bread

    def _objective(self, free: RealArray, precision: float) -> float:
        parameters = self._basis @ free
        probabilities = self._predicted(parameters)
        logs = np.log(np.maximum(probabilities, np.finfo(float).tiny))
        weights = self._cells.weights
        if not self._with_eta:  # a tie is half a win of each
            logs = np.column_stack([logs[:, :2], (logs[:, LEFT] + logs[:, RIGHT]) / 2])
        return float((weights * logs).sum() - precision / 2 * (parameters @ parameters))

    def _predicted(self, parameters: RealArray) -> RealArray:
        gap = self._design @ parameters
        return _probabilities(gap, float(np.exp(parameters[-1])) if self._with_eta else 0.0)

    def _derivatives(self, parameters: RealArray, precision: float) -> tuple[RealArray, RealArray]:
        weights = self._cells.weights
        total = weights.sum(axis=1)
        p = self._predicted(parameters)
        mean = (p[:, LEFT] - p[:, RIGHT]) / 2
        score_gap = (weights[:, LEFT] - weights[:, RIGHT]) / 2 - total * mean
        score = self._design.T @ score_gap
        variance = total * ((p[:, LEFT] + p[:, RIGHT]) / 4 - mean**2)
        information = (self._design * variance[:, None]).T @ self._design
        if self._with_eta:
            score[-1] = weights[:, TIE].sum() - total @ p[:, TIE]
            mixed = self._design.T @ (-total * mean * p[:, TIE])
            information[:, -1] += mixed
            information[-1, :] += mixed
            information[-1, -1] = total @ (p[:, TIE] * (1 - p[:, TIE]))
        return score - precision * parameters, information + precision * np.eye(len(parameters))


def sum_zero_basis(size: int) -> RealArray:
    """(K, K-1) orthonormal columns that each sum to zero (Helmert)."""
    basis = np.zeros((size, size - 1))
    for column in range(size - 1):
        basis[: column + 1, column] = 1.0
        basis[column + 1, column] = -(column + 1.0)
        basis[:, column] /= np.sqrt((column + 1.0) * (column + 2.0))
    return basis

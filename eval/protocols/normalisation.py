"""Test-time normalisation against hubs: items that are near to every query are pushed down.

A bank of other queries, none of them a test query, says how near an item is to queries in general. Sources: inverted
softmax, Smith et al., ICLR 2017; dynamic inverted softmax ("QB-Norm"), Bogolin et al., CVPR 2022, which changes only
queries whose best item is the best one of some query of the bank.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from mvr.errors import UsageError, WrongShape
from mvr.metrics.ranks import check_finite

RealArray = npt.NDArray[np.float64]


def inverted_softmax(
    scores: npt.NDArray[np.floating], bank: npt.NDArray[np.floating], beta: float
) -> RealArray:
    """(Q, N) logarithms of exp(beta s) over the sum of exp(beta s) of the bank's queries for the same item.

    Args:
        scores: (Q, N) similarities of query and item.
        bank: (B, N) similarities of the bank's queries and the same items.
        beta: inverse temperature, above 0.

    Raises:
        WrongShape: a bank without queries or for other items. NotFinite: NaN or infinity. UsageError: beta.

    >>> inverted_softmax(np.array([[0.5, 0.4]]), np.array([[0.9, 0.1]]), 1.0).round(6).tolist()
    [[-0.4, 0.3]]
    """
    _check(scores, bank, beta)
    normalised: RealArray = beta * scores - logsumexp(beta * bank.astype(np.float64), axis=0)
    return normalised


def dynamic_inverted_softmax(
    scores: npt.NDArray[np.floating], bank: npt.NDArray[np.floating], beta: float
) -> RealArray:
    """`inverted_softmax` for the queries whose best item is the best of some query of the bank, `scores` for others.

    Rows of either kind are comparable within themselves only, which is all that a ranking needs.
    """
    normalised = inverted_softmax(scores, bank, beta)
    hubs = np.isin(scores.argmax(axis=1), bank.argmax(axis=1))
    return np.where(hubs[:, None], normalised, scores)


def _check(scores: npt.NDArray[np.floating], bank: npt.NDArray[np.floating], beta: float) -> None:
    if (
        scores.ndim != 2
        or bank.ndim != 2
        or scores.shape[1] != bank.shape[1]
        or 0 in (*scores.shape, len(bank))
    ):
        raise WrongShape(
            f"scores (Q, N) and bank (B, N) must be over the same items, not {scores.shape}, {bank.shape}"
        )
    if beta <= 0:
        raise UsageError(f"the inverse temperature beta must be positive, not {beta}")
    check_finite(scores)
    check_finite(bank)

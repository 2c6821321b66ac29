"""Pairwise votes as arrays, and how much each of them weighs.

Conventions: systems are numbers into `systems`; an outcome is 0 (left won), 1 (right won) or 2 (tie).
"Both bad" is no outcome here: it is counted apart (`shares`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.errors import NotFinite, WrongShape

LEFT, RIGHT, TIE = 0, 1, 2
RealArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class PairVotes:
    """N votes on battles of two systems each.

    Attributes:
        systems: K names; `left` and `right` are (N,) numbers into them.
        outcome: (N,) 0 left, 1 right, 2 tie.
        voter, video: (N,) numbers of who voted and on which source video; None where nobody repeats.
        day: (N,) number of the day of each vote; None where it is not known.
        pair_prob: (N,) probability with which the pair was drawn; None where all were alike.

    Raises:
        WrongShape: columns of unequal length, or a number outside its range.
    """

    systems: tuple[str, ...]
    left: npt.NDArray[np.integer[Any]]
    right: npt.NDArray[np.integer[Any]]
    outcome: npt.NDArray[np.integer[Any]]
    voter: npt.NDArray[np.integer[Any]] | None = None
    video: npt.NDArray[np.integer[Any]] | None = None
    day: npt.NDArray[np.integer[Any]] | None = None
    pair_prob: RealArray | None = None

    def __post_init__(self) -> None:
        for name in ("right", "outcome", "voter", "video", "day", "pair_prob"):
            column = getattr(self, name)
            if column is not None and column.shape != (len(self.left),):
                raise WrongShape(f"{name} has shape {column.shape}, left has ({len(self.left)},)")
        if len(self) == 0:
            return
        systems = len(self.systems)
        for name, most in (("left", systems), ("right", systems), ("outcome", 3)):
            column = getattr(self, name)
            if column.min() < 0 or column.max() >= most:
                raise WrongShape(f"{name} must be in 0..{most - 1}, not {column.min()}..{column.max()}")
        if bool((self.left == self.right).any()):
            raise WrongShape("a vote compares a system with itself; leave identical battles out")
        if self.pair_prob is not None and not bool((self.pair_prob > 0).all()):
            raise NotFinite("pair_prob holds a probability that is not above 0")

    def __len__(self) -> int:
        return len(self.left)

    @classmethod
    def from_names(
        cls,
        left: Sequence[str],
        right: Sequence[str],
        outcome: Sequence[int],
        *,
        voter: Sequence[str] | None = None,
        video: Sequence[str] | None = None,
    ) -> PairVotes:
        """Votes whose systems, voters and videos are names; numbers follow alphabetical order.

        >>> PairVotes.from_names(["b"], ["a"], [0]).systems
        ('a', 'b')
        """
        systems = sorted({*left, *right})
        number = {name: i for i, name in enumerate(systems)}
        return cls(
            systems=tuple(systems),
            left=np.array([number[name] for name in left], np.int64),
            right=np.array([number[name] for name in right], np.int64),
            outcome=np.array(outcome, np.int64),
            voter=None if voter is None else codes(voter),
            video=None if video is None else codes(video),
        )

    def where(self, kept: npt.NDArray[np.bool_]) -> PairVotes:
        """The votes of a mask (N,), with the same systems."""
        columns: dict[str, Any] = {name: value for name, value in vars(self).items() if name != "systems"}
        chosen: dict[str, Any] = {
            name: None if value is None else value[kept] for name, value in columns.items()
        }
        return PairVotes(systems=self.systems, **chosen)


def codes(labels: Sequence[str]) -> IntArray:
    """Number of each label in sorted order.

    >>> codes(["b", "a", "b"]).tolist()
    [1, 0, 1]
    """
    if not len(labels):
        return np.zeros(0, np.int64)
    return np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.int64)


def capped_weights(
    voter: npt.NDArray[np.integer[Any]] | None, count: int, cap: float | None = None
) -> RealArray:
    """Weights w = min(1, c / votes of the voter), c = max(10, median votes per voter): line 3 of the recipe.

    Capping the heaviest voters both lowers the error and repairs the intervals.

    >>> capped_weights(np.array([0] * 40 + [1]), 41).tolist()[::40]
    [0.5125, 1.0]
    """
    if voter is None or count == 0:
        return np.ones(count)
    _, numbers, votes = np.unique(voter, return_inverse=True, return_counts=True)
    limit = max(10.0, float(np.median(votes))) if cap is None else cap
    weights: RealArray = np.minimum(1.0, limit / votes)[numbers]
    return weights


def effective_number(weights: RealArray, cluster: npt.NDArray[np.integer[Any]] | None) -> float:
    """G* = (sum w)^2 / sum_g w_g^2: how many equally busy voters (or videos) these votes are worth."""
    if len(weights) == 0:
        return 0.0
    if cluster is None:
        return float(weights.sum() ** 2 / np.square(weights).sum())
    totals = np.bincount(np.unique(cluster, return_inverse=True)[1], weights)
    return float(totals.sum() ** 2 / np.square(totals).sum())

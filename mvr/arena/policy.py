"""Which pair of systems meets next. Source: simulation, evaluation notes 1.4: uniform pairs until about 100
votes per pair, then close pairs more often, p ~ exp(-|gap| / 0.3), with a uniform floor of 20 %.

Every probability is stored with its battle, so that the fit can be repeated with weights 1 / pair_prob.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class PolicySettings:
    """When close pairs begin to meet more often, and how much more often."""

    votes_per_pair: int = 100
    gap_scale: float = 0.3
    uniform_floor: float = 0.2


@dataclass(frozen=True, kw_only=True)
class PairPolicy:
    """Probabilities (sum 1) of unordered pairs of competitor names, and the name of the rule that gave
    them."""

    policy_id: str
    pairs: tuple[Pair, ...]
    probabilities: npt.NDArray[np.float64]

    def probability(self, a: str, b: str) -> float:
        """Probability that this unordered pair is drawn next."""
        return float(self.probabilities[self.pairs.index((min(a, b), max(a, b)))])


def all_pairs(names: Sequence[str]) -> tuple[Pair, ...]:
    """Unordered pairs, each in alphabetical order.

    >>> all_pairs(["b", "a", "c"])
    (('a', 'b'), ('a', 'c'), ('b', 'c'))
    """
    return tuple(combinations(sorted(names), 2))


def uniform_policy(names: Sequence[str]) -> PairPolicy:
    """The same probability for every pair; no pairs where fewer than two competitors take part."""
    pairs = all_pairs(names)
    share = 1 / max(1, len(pairs))
    return PairPolicy(policy_id="uniform-v1", pairs=pairs, probabilities=np.full(len(pairs), share))


def choose_policy(
    names: Sequence[str],
    votes: Mapping[Pair, int],
    strengths: Mapping[str, float],
    settings: PolicySettings | None = None,
) -> PairPolicy:
    """Uniform until every pair has its votes, then by proximity of strengths (in nats) with a uniform floor.

    Args:
        names: competitors that take part now.
        votes: counted votes per unordered pair (alphabetical order).
        strengths: fitted theta of each competitor; one without a strength keeps the policy uniform.
        settings: thresholds.
    """
    settings = settings or PolicySettings()
    even = uniform_policy(names)
    fewest = min((votes.get(pair, 0) for pair in even.pairs), default=0)
    if fewest < settings.votes_per_pair or any(name not in strengths for name in names):
        return even
    gaps = np.array([abs(strengths[a] - strengths[b]) for a, b in even.pairs])
    closeness = np.exp(-gaps / settings.gap_scale)
    mixed = (1 - settings.uniform_floor) * closeness / closeness.sum()
    mixed += settings.uniform_floor * even.probabilities
    return PairPolicy(policy_id="proximity-v1", pairs=even.pairs, probabilities=mixed)

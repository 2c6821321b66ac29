"""Simulated crowds of known taste, to see how often intervals hold the truth.

Davidson's model with a slot term; every voter, video and day shifts the strengths by its own random amounts, every
voter the slot by another. The truth is what the same model gives on a million votes, each by a fresh voter on a fresh
video of a fresh day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.metrics.preference import PairVotes, fit_davidson
from mvr.metrics.preference.votes import IntArray, RealArray

THETA = np.array([0.5, 0.3, 0.1, -0.1, -0.3, -0.5])
SYSTEMS = tuple("abcdef")
NU, SLOT = 0.5, 0.15


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Who votes how often, on what, when, and how much that moves the strengths (standard deviations in nats).

    Attributes:
        busy: Pareto exponent of how often voters vote; None if all vote alike often.
        voter_days: "one" if all votes of a voter fall on one day, "all" if they fall on any day.
    """

    votes: int = 5000
    voters: int = 100
    videos: int = 60
    days: int = 14
    busy: float | None = 1.2
    voter_days: str = "all"
    voter_sd: float = 0.6
    slot_sd: float = 0.5
    video_sd: float = 0.6
    day_sd: float = 0.0

    def draw(self, rng: np.random.Generator) -> PairVotes:
        """One set of votes."""
        activity = np.ones(self.voters) if self.busy is None else rng.pareto(self.busy, self.voters) + 0.1
        voter = rng.choice(self.voters, self.votes, p=activity / activity.sum())
        video = rng.integers(0, self.videos, self.votes)
        if self.voter_days == "one":
            day = rng.integers(0, self.days, self.voters)[voter]
        else:
            day = rng.integers(0, self.days, self.votes)
        return self.cast(rng, voter, video, day)

    def cast(
        self, rng: np.random.Generator, voter: IntArray, video: IntArray, day: IntArray | None = None
    ) -> PairVotes:
        """What these voters say of random pairs on these videos and days."""
        count, systems = len(voter), len(THETA)
        strength = THETA + _shifts(rng, self.voter_sd, voter) + _shifts(rng, self.video_sd, video)
        if day is not None:
            strength = strength + _shifts(rng, self.day_sd, day)
        slots = rng.normal(SLOT, self.slot_sd, int(voter.max()) + 1)
        left = rng.integers(0, systems, count)
        right = (left + rng.integers(1, systems, count)) % systems
        rows = np.arange(count)
        gap = strength[rows, left] - strength[rows, right] + slots[voter]
        terms = np.stack([np.exp(gap / 2), np.exp(-gap / 2), np.full(count, NU)], axis=1)
        edges = np.cumsum(terms / terms.sum(axis=1, keepdims=True), axis=1)
        outcome = np.minimum((rng.random(count)[:, None] > edges).sum(axis=1), 2)
        return PairVotes(
            systems=SYSTEMS, left=left, right=right, outcome=outcome, voter=voter, video=video, day=day
        )

    def truth(self, rng: np.random.Generator, votes: int = 1_000_000) -> RealArray:
        """(K,) strengths that the model has over all voters, videos and days."""
        fresh = np.arange(votes)
        return fit_davidson(self.cast(rng, fresh, fresh, fresh)).theta


def _shifts(rng: np.random.Generator, sd: float, cluster: IntArray) -> RealArray:
    """(N, K) shift of each vote's cluster."""
    table = rng.normal(0, sd, (int(cluster.max()) + 1, len(THETA))).astype(np.float32)
    shifts: RealArray = table[cluster].astype(np.float64)
    return shifts

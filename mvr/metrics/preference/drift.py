"""Did tastes move? The first half of the votes, by day, against the second half.

Each half has its own fit; a system's change is tested with the variances of both added (people who vote in both halves
make the true variance smaller, so the test errs on the quiet side). Days are no clusters here: a difference between
days is what is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mvr.metrics.preference.ratings import Ratings, RatingSettings, contrast_of, rate
from mvr.metrics.preference.votes import TIE, PairVotes
from mvr.metrics.significance import holm


@dataclass(frozen=True, kw_only=True)
class Change:
    """Strength of a system in the second half less that in the first, in nats, and Holm's p over all systems."""

    system: str
    change: float
    p_holm: float


def changes_between_halves(votes: PairVotes, settings: RatingSettings) -> list[Change]:
    """Change of every system, largest first; none where votes have no days, or a half cannot be ranked."""
    from scipy.stats import t as student_t

    halves = _halves(votes, settings)
    if halves is None:
        return []
    first, second = halves
    degrees = min(half.covariances.degrees for half in halves)
    found = []
    for number, system in enumerate(votes.systems):
        contrast = contrast_of(len(votes.systems), number)
        change = float(second.fit.theta[number] - first.fit.theta[number])
        error = float(np.sqrt(sum(half.covariances.variance(contrast) for half in halves)))
        p = float(2 * student_t.sf(abs(change) / error, degrees)) if error > 0 else 1.0
        found.append((system, change, p))
    adjusted = holm([p for *_, p in found])
    changes = [
        Change(system=system, change=change, p_holm=p_holm)
        for (system, change, _), p_holm in zip(found, adjusted, strict=True)
    ]
    return sorted(changes, key=lambda one: (-abs(one.change), one.system))


def _halves(votes: PairVotes, settings: RatingSettings) -> tuple[Ratings, Ratings] | None:
    """Both fits; the border is the day at which half of the votes are cast."""
    if votes.day is None or len(votes) == 0 or votes.day.min() == votes.day.max():
        return None
    border = np.sort(votes.day)[len(votes) // 2]
    early = votes.day < border if (votes.day < border).any() else votes.day <= border
    timeless = replace(votes, day=None)
    parts = [timeless.where(kept) for kept in (early, ~early)]
    if any(not (part.outcome != TIE).any() for part in parts):
        return None
    first, second = (rate(part, settings) for part in parts)
    usable = all(not half.separated and half.covariances.enough for half in (first, second))
    return (first, second) if usable else None

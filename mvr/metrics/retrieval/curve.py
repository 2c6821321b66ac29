"""How often people preferred each alpha, beside what the offline metrics say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mvr.metrics.preference.shares import voter_share
from mvr.metrics.significance import Interval


@dataclass(frozen=True, kw_only=True)
class Duel:
    """One decisive vote: which alpha won against which (None: a system without alpha), and who voted."""

    winner: float | None
    loser: float | None
    voter: str


def alpha_preference(duels: Sequence[Duel]) -> dict[float, Interval]:
    """Alpha -> share of its decisive votes that it won; votes between equal alphas say nothing and are left out."""
    alphas = sorted({a for duel in duels for a in (duel.winner, duel.loser) if a is not None})
    curve = {}
    for alpha in alphas:
        own = [d for d in duels if alpha in (d.winner, d.loser) and d.winner != d.loser]
        if own:
            voters = np.unique([duel.voter for duel in own], return_inverse=True)[1]
            curve[alpha] = voter_share(np.array([duel.winner == alpha for duel in own]), voters)
    return curve

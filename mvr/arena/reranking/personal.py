"""A visitor's own re-ranking, from twenty of their votes on. It is computed from the store and kept nowhere.

It lives and dies with the visitor's id: "forget me" ends it with the votes. The ridge is strong and chosen by leaving
the visitor's own videos out in turn; if that does not foretell their votes better than no residual, none is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.arena.reranking.model import Reranker
from mvr.arena.reranking.pairs import TARGETS, VotePairs, vote_pairs
from mvr.arena.reranking.residual import LAMBDAS, fit_beta, fit_residual, fit_weights, log_loss
from mvr.datatypes import Direction
from mvr.votes.store import VoteStore

LEAST_VOTES = 20
PERSONAL_DEPTH = 20
FOLDS = 5
Row = dict[str, Any]


def usable_votes(store: VoteStore, voter_id: str, direction: Direction) -> list[Row]:
    """The visitor's counted votes that can teach something: "both bad" says nothing about the two."""
    rows = store.counted(voter_id=voter_id, direction=str(direction), aspect="fit")
    return [row for row in rows if row["outcome"] in TARGETS]


def personal_reranker(
    rows: Sequence[Row],
    score: Callable[[str, str], float | None],
    features: Mapping[str, npt.NDArray[np.floating[Any]]],
    *,
    system: str,
    version: str,
) -> Reranker | None:
    """The visitor's re-ranking of one system, or None before twenty usable votes or where it does not help.

    Args:
        rows: see `usable_votes`.
        score, features: see `vote_pairs`.
        system, version: whose list it re-ranks.
    """
    usable = [row for row in rows if row["left_item_id"] in features and row["right_item_id"] in features]
    if len(usable) < LEAST_VOTES:
        return None
    pairs = vote_pairs(usable, score, features)
    penalty = _best_penalty(pairs) if len(pairs) >= LEAST_VOTES else None
    if penalty is None:
        return None
    groups = tuple(sorted({str(group) for group in pairs.group}))
    return Reranker(
        system=system,
        version=version,
        residual=fit_residual(pairs, penalty),
        depth=PERSONAL_DEPTH,
        training_groups=groups,
        votes=len(pairs),
    )


def _best_penalty(pairs: VotePairs) -> float | None:
    """The ridge with the least loss on left-out videos; None if no residual at all does as well."""
    names, numbers = np.unique(pairs.group, return_inverse=True)
    fold = numbers % min(FOLDS, len(names))
    if len(names) < 2:
        return None
    base, losses = 0.0, dict.fromkeys(LAMBDAS, 0.0)
    for number in range(int(fold.max()) + 1):
        train, test = pairs.where(fold != number), pairs.where(fold == number)
        beta = fit_beta(train)
        base += len(test) * log_loss(beta * test.gap, test.target)
        for penalty in LAMBDAS:
            weights = fit_weights(train, beta, penalty)
            losses[penalty] += len(test) * log_loss(
                beta * (test.gap + test.difference @ weights), test.target
            )
    best = min(losses, key=lambda penalty: (losses[penalty], -penalty))
    return best if losses[best] < base else None

"""A re-ranking on trial: which votes it may learn from, and which ones judge it. The two never meet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from mvr.arena.reranking.gates import Gate, promotion_gates
from mvr.arena.reranking.model import Reranker
from mvr.arena.reranking.residual import CrossValidation
from mvr.errors import DataError
from mvr.metrics.significance import Interval
from mvr.votes.records import Outcome

HELD_OUT = 0.3


def is_held_out(group: str, share: float = HELD_OUT) -> bool:
    """Whether votes on queries of this source are kept for the trial; a hash decides, the same at every training."""
    number = int(hashlib.sha256(f"trial/{group}".encode()).hexdigest()[:8], 16)
    return number / 2**32 < share


def blind_battles(rows: Sequence[Mapping[str, Any]], model: Reranker) -> tuple[int, int]:
    """Decisive counted votes (won, lost) of the re-ranked against the plain list at the same alpha.

    Args:
        rows: of the view of counted votes on fit. Those on sources that the model learned from are left out, as are
            those of other trainings.
    """
    trained = frozenset(model.training_groups)
    won = lost = 0
    for row in rows:
        sides = [(row[f"{side}_system_id"], row[f"{side}_system_version"]) for side in ("left", "right")]
        plain, new = (model.system, model.version), (model.competitor, model.identity)
        same_alpha = row["left_alpha"] == row["right_alpha"] == model.played_alpha
        if row["direction"] != model.direction or not same_alpha or row["query_group_id"] in trained:
            continue
        if sorted(sides) != sorted((plain, new)) or row["outcome"] not in (Outcome.LEFT, Outcome.RIGHT):
            continue
        chosen = sides[row["outcome"] == Outcome.RIGHT]
        won, lost = won + (chosen == new), lost + (chosen == plain)
    return won, lost


def trial_gates(model: Reranker, rows: Sequence[Mapping[str, Any]]) -> tuple[Gate, ...]:
    """The three gates for a trained model. Within the first ten places Recall@10 cannot change, so its loss is 0.

    Raises:
        DataError: the model reaches below the tenth place: its Recall@10 must be measured on a test split.
    """
    if model.depth > 10:
        raise DataError(
            f"this re-ranking changes the first {model.depth} places; only one within the first 10 can be promoted, "
            "because it leaves Recall@10 as it is"
        )
    won, lost = blind_battles(rows, model)
    cv = model.cv | {"gain": Interval(**model.cv["gain"])}
    report = CrossValidation(**cv)
    return promotion_gates(report, recall_before=0.0, recall_after=0.0, wins=won, losses=lost)

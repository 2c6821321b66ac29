"""Votes as pairs of items, both scored by the one system that is to be improved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.errors import DataError, NotFinite, WrongShape
from mvr.votes.records import Outcome

RealArray = npt.NDArray[np.float64]
TARGETS = {
    Outcome.LEFT: 1.0,
    Outcome.RIGHT: 0.0,
    Outcome.TIE: 0.5,
}  # "both bad" teaches nothing about the two


@dataclass(frozen=True, kw_only=True)
class VotePairs:
    """N votes on two items each.

    Attributes:
        gap: (N,) frozen similarity of the left item minus that of the right one, under one system.
        difference: (N, D) features of the left item minus those of the right one.
        target: (N,) 1 where left was preferred, 0 where right, 0.5 for a tie.
        voter, group: (N,) who voted, and the source of the query.
        unknown: votes left out because an item has no score or features (it left the library).

    Raises:
        WrongShape: columns of unequal length.
        NotFinite: NaN or infinity in scores or features.
    """

    gap: RealArray
    difference: RealArray
    target: RealArray
    voter: npt.NDArray[np.str_]
    group: npt.NDArray[np.str_]
    unknown: int = 0

    def __post_init__(self) -> None:
        lengths = {len(self.gap), len(self.difference), len(self.target), len(self.voter), len(self.group)}
        if len(lengths) != 1 or self.difference.ndim != 2:
            raise WrongShape(f"the columns of vote pairs have the lengths {sorted(lengths)}")
        if not (np.isfinite(self.gap).all() and np.isfinite(self.difference).all()):
            raise NotFinite("scores or features of voted items hold NaN or infinity")

    def __len__(self) -> int:
        return len(self.gap)

    def where(self, kept: npt.NDArray[np.bool_]) -> VotePairs:
        """The votes of a mask (N,)."""
        return VotePairs(
            gap=self.gap[kept],
            difference=self.difference[kept],
            target=self.target[kept],
            voter=self.voter[kept],
            group=self.group[kept],
        )


def vote_pairs(
    rows: Sequence[Mapping[str, Any]],
    score: Callable[[str, str], float | None],
    features: Mapping[str, npt.NDArray[np.floating[Any]]],
) -> VotePairs:
    """Pairs from rows of the view of counted votes.

    Args:
        rows: see `VoteStore.counted`; give one direction only.
        score: similarity of (query_id, item_id) under the system to be improved, None if unknown.
        features: (D,) features of each item, for instance its embedding.

    Raises:
        DataError: no vote can be used.
    """
    columns: list[tuple[float, RealArray, float, str, str]] = []
    unknown = 0
    for row in rows:
        if row["outcome"] not in TARGETS:
            continue
        items = (row["left_item_id"], row["right_item_id"])
        scores = [score(row["query_id"], item) for item in items]
        if scores[0] is None or scores[1] is None or any(item not in features for item in items):
            unknown += 1
            continue
        difference = np.asarray(features[items[0]], np.float64) - np.asarray(features[items[1]], np.float64)
        target = TARGETS[row["outcome"]]
        columns.append((scores[0] - scores[1], difference, target, row["voter_id"], row["query_group_id"]))
    if not columns:
        raise DataError(f"no vote can teach a re-ranking: {unknown} are on items without a score or features")
    gap, differences, targets, voters, groups = zip(*columns, strict=True)
    return VotePairs(
        gap=np.array(gap, np.float64),
        difference=np.stack(differences),
        target=np.array(targets, np.float64),
        voter=np.array(voters, np.str_),
        group=np.array(groups, np.str_),
        unknown=unknown,
    )

"""What is measured: the rows of a split, the tasks, the pools, the alphas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mvr.errors import DataError, UsageError, WrongShape
from mvr.metrics.significance import Resampling

PAIR = "pair"
LABEL_PREFIX = "label:"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Settings of an evaluation.

    Attributes:
        tasks: "pair" (find the true partner) and "label:TAXONOMY" (find items with a shared label).
        alphas: values of alpha for systems with more than one branch, between 0 and 1.
        ks: depths of Recall@K, Precision@K and nDCG@K.
        pools: sizes of smaller pools to report beside the whole split.
        pool_draws: seeded sub-pools that label tasks average over; the pair task has an exact formula.
        resampling: redraws, level and seed of the intervals.
        comparisons: pairs of systems to test, the family that p values are adjusted over; without any, all pairs.
    """

    tasks: tuple[str, ...] = (PAIR,)
    alphas: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    ks: tuple[int, ...] = (1, 5, 10)
    pools: tuple[int, ...] = ()
    pool_draws: int = 10
    resampling: Resampling = field(default_factory=Resampling)
    comparisons: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        unknown = [task for task in self.tasks if task != PAIR and not task.startswith(LABEL_PREFIX)]
        if unknown or not self.tasks:
            raise UsageError(f"unknown task {unknown[0] if unknown else ''!r}; choose pair or label:TAXONOMY")
        if not self.alphas or not all(0 <= alpha <= 1 for alpha in self.alphas):
            raise UsageError(
                f"alphas must be between 0 and 1, not {', '.join(map(str, self.alphas)) or 'none'}"
            )
        if not self.ks or min(self.ks) < 1 or min(self.pools, default=2) < 2:
            raise UsageError("depths K are at least 1 and pools at least 2")
        if self.pool_draws < 1 or self.resampling.draws < 100:
            raise UsageError("at least 1 pool draw and 100 redraws are needed")


@dataclass(frozen=True, kw_only=True)
class TestSet:
    """The rows that are queries and candidates: row i of either modality is pair i.

    Attributes:
        ids: N ids.
        groups: N groups: same music or same source video; one candidate, and one unit of every test.
        labels: taxonomy -> N lists of labels.
    """

    __test__ = False  # a noun of this domain, not a test class

    ids: Sequence[str]
    groups: Sequence[str]
    labels: dict[str, list[list[str]]]

    def __post_init__(self) -> None:
        if not len(self.ids):
            raise DataError("there are no rows to evaluate")
        columns = [self.groups, *self.labels.values()]
        if any(len(column) != len(self.ids) for column in columns):
            raise WrongShape(f"groups and labels must have one entry for each of {len(self.ids)} rows")

    def __len__(self) -> int:
        return len(self.ids)

    def taxonomy(self, task: str) -> list[list[str]]:
        """Labels of a label task.

        Raises:
            UsageError: a taxonomy that the rows do not have.
        """
        name = task.removeprefix(LABEL_PREFIX)
        if name not in self.labels:
            known = ", ".join(f"label:{other}" for other in sorted(self.labels)) or "none"
            raise UsageError(f"there is no task {task!r}: the label columns are {known}")
        return self.labels[name]

    def sample(self, size: int, seed: int) -> np.ndarray:
        """Row numbers of a seeded sub-pool of `size` groups, ascending.

        Raises:
            UsageError: fewer groups than `size`.
        """
        unique, number = np.unique(np.asarray(self.groups), return_inverse=True)
        if size > len(unique):
            raise UsageError(f"a pool of {size} cannot be drawn from {len(unique)} groups")
        chosen = np.random.default_rng(seed).permutation(len(unique))[:size]
        return np.flatnonzero(np.isin(number, chosen))

    def take(self, rows: np.ndarray) -> TestSet:
        """The test set of some rows."""
        return TestSet(
            ids=[self.ids[row] for row in rows],
            groups=[self.groups[row] for row in rows],
            labels={name: [column[row] for row in rows] for name, column in self.labels.items()},
        )

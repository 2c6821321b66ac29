"""What came out of a training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mvr.datatypes import JsonDict
from mvr.heads.head import Head


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """The result of one training run.

    Attributes:
        head: the trained head with its best weights.
        path: the file it was saved to.
        val: validation scores per branch.
        best_epoch: per branch, from 0; empty for heads in closed form.
        seconds: time of training over all runs of a resumed training, without reading the store.
        rows_per_s: training rows per second, validation included.
        facts: what is also kept in the head's file: recipe, data, revision.
    """

    head: Head
    path: Path
    val: dict[str, dict[str, float]]
    best_epoch: dict[str, int]
    seconds: float
    rows_per_s: float
    facts: JsonDict

    def to_json(self) -> JsonDict:
        """For `mvr train --json`."""
        return {
            "head": str(self.path),
            "kind": self.head.kind,
            "branches": list(self.head.branches),
            "dim": self.head.dim,
            "val": self.val,
            "best_epoch": self.best_epoch,
            "seconds": round(self.seconds, 3),
            "rows_per_s": round(self.rows_per_s, 1),
            **self.facts,
        }

"""One training: what is learned from which rows, and where it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mvr.datatypes import JsonDict
from mvr.training.data import IntArray, TrainingData
from mvr.training.settings import Recipe


@dataclass(frozen=True, kw_only=True)
class Job:
    """Everything that one training run needs.

    Attributes:
        recipe: all settings.
        data: rows, features, labels.
        focus: training rows of the target's own kind, where there are any.
        out: file of the head.
        facts: what the head's file says of itself.
        resume: go on from the checkpoint of a killed run.
        quiet: no progress on stderr.
    """

    recipe: Recipe
    data: TrainingData
    focus: IntArray | None = None
    out: Path
    facts: JsonDict
    resume: bool = False
    quiet: bool = True

    @property
    def folder(self) -> Path:
        """Config, logs and the checkpoint."""
        return self.out.with_name(self.out.name + ".run")

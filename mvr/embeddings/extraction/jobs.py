"""One file to encode, what came of it, and the function that every engine runs over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mvr.datatypes import Modality
from mvr.embeddings.system import SegmentFeatures, System
from mvr.errors import MvrError

ENGINES = ("local", "ray")


@dataclass(frozen=True, kw_only=True)
class ExtractSettings:
    """How extraction runs: whose backbones, on which engine, with how many workers.

    Attributes:
        system: name of the system whose backbones run.
        engine: one of `ENGINES`.
        workers: processes, or Ray actors; each holds the models.
        gpus_per_worker: GPU share of a Ray actor.
        address: of a running Ray cluster; None starts one on this machine.
    """

    system: str
    engine: str = "local"
    workers: int = 2
    gpus_per_worker: float = 0.0
    address: str | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One file to encode: `content` is its SHA-256."""

    path: Path
    modality: Modality
    content: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a job: features, or one sentence."""

    job: Job
    features: SegmentFeatures | None = None
    error: str | None = None


class Engine(Protocol):
    """Runs `encode_job` over jobs somewhere; outcomes may come in any order."""

    def __call__(self, jobs: Sequence[Job], settings: ExtractSettings) -> Iterator[Outcome]:
        """One outcome per job."""


def encode_job(system: System, job: Job) -> Outcome:
    """The per-file function that every engine runs; a file that cannot be used is an outcome, not a crash."""
    try:
        return Outcome(job=job, features=system.features_of_file(job.path, job.modality))
    except MvrError as error:
        return Outcome(job=job, error=str(error))

"""The Ray engine: Ray Data streams jobs through actors that hold the models; dead actors are restarted.

On a cluster: install `mvr[ray]` on every machine, start Ray (`ray start --head --port 6379` on one,
`ray start --address HOST:6379` on the others), and run on one of them

    mvr features extract DATASET --out /shared/store --engine ray --address auto --workers 16 [--gpus-per-worker 0.5]

DATASET and the store lie on storage that every machine mounts at the same place; a DATASET that is a URL of fsspec's is
copied beside the store's cache first. Only this process writes the cache and the store. Settings of this process
(`MVR_*`, offline mode) go along to the actors; the working directory does not.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mvr.config.extras import need
from mvr.datatypes import Modality
from mvr.embeddings.cache import pack_times, unpack_times
from mvr.embeddings.extraction.jobs import ExtractSettings, Job, Outcome, encode_job
from mvr.embeddings.extraction.local import stay_on_one_thread
from mvr.embeddings.system import SegmentFeatures, load_backbones


class Encoder:
    """An actor: loads the system once, then encodes row after row."""

    def __init__(self, system: str) -> None:
        stay_on_one_thread()
        self._system = load_backbones(system)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """A job's row with its features as bytes, or with an error."""
        job = Job(path=Path(row["path"]), modality=Modality(row["modality"]), content=row["content"])
        outcome = encode_job(self._system, job)
        found = outcome.features
        return {
            "number": row["number"],
            "error": outcome.error or "",
            "features": b"" if found is None else found.features.tobytes(),
            "width": 0 if found is None else found.features.shape[1],
            "times": b"" if found is None else pack_times(found.segments),
        }


def run_on_ray(jobs: Sequence[Job], settings: ExtractSettings) -> Iterator[Outcome]:
    """Yield the outcome of each file as soon as a Ray worker has it.

    Raises:
        ExtraMissing: Ray is not installed.
    """
    need("ray", "--engine ray", "ray")
    import ray

    started = not ray.is_initialized()
    if started:
        _start(settings)
    try:
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
        rows = [
            {"number": n, "path": str(job.path), "modality": str(job.modality), "content": job.content}
            for n, job in enumerate(jobs)
        ]
        encoded = ray.data.from_items(rows, override_num_blocks=max(1, len(rows))).map(
            Encoder,
            fn_constructor_args=(settings.system,),
            compute=ray.data.ActorPoolStrategy(size=settings.workers),
            num_gpus=settings.gpus_per_worker or None,
            num_cpus=1,
        )  # an actor that dies is restarted and its rows are tried again: Ray Data's default
        for row in encoded.iter_rows():
            yield _outcome(jobs[row["number"]], row)
    finally:
        if started:
            ray.shutdown()


def _start(settings: ExtractSettings) -> None:
    """Connect to the cluster, or start one here that has room for every actor, however few cores there are."""
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    names = [name for name in os.environ if name.startswith("MVR_")] + ["HF_HUB_OFFLINE"]
    environment = {name: os.environ[name] for name in names if name in os.environ}
    local = {} if settings.address else {"num_cpus": settings.workers, "include_dashboard": False}
    ray.init(
        address=settings.address or "local",
        runtime_env={"env_vars": environment},
        log_to_driver=False,
        logging_level="ERROR",
        **local,
    )


def _outcome(job: Job, row: dict[str, Any]) -> Outcome:
    if row["error"]:
        return Outcome(job=job, error=row["error"])
    features = np.frombuffer(row["features"], np.float32).reshape(-1, row["width"]).copy()
    return Outcome(job=job, features=SegmentFeatures(segments=unpack_times(row["times"]), features=features))

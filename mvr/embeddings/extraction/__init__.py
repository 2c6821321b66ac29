"""Bulk embedding: both backbones of a system over a dataset, on this machine or on a Ray cluster.

Every engine runs the same per-file function and hands its features to the same durable cache, from which the store is
then put together in the dataset's order. So a killed run loses at most the files in flight, a second run computes only
what is missing, and the store is the same bit for bit whichever engine made it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mvr.datatypes import FloatArray, JsonDict, Modality
from mvr.embeddings.cache import FeatureCache
from mvr.embeddings.extraction.items import Item, find_items
from mvr.embeddings.store import complete_manifest, write_store
from mvr.embeddings.system import SegmentFeatures, System, load_system
from mvr.errors import DataError, UsageError

ENGINES = ("local", "ray")


@dataclass(frozen=True, kw_only=True)
class ExtractSettings:
    """How to run.

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


@dataclass(frozen=True, kw_only=True)
class ExtractReport:
    """Rows in the store, files that were encoded now, and (id, reason) of what was passed over."""

    rows: int
    added: int
    failed: tuple[tuple[str, str], ...]

    def to_json(self) -> JsonDict:
        """As plain values."""
        return {"rows": self.rows, "added": self.added, "failed": [list(pair) for pair in self.failed]}


def extract_features(
    dataset: Path,
    out: Path,
    settings: ExtractSettings,
    *,
    command: str = "",
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> ExtractReport:
    """Make a feature store of a built set or of a folder of videos.

    Features are kept in `OUT.cache` until you delete it. A row is the mean over its segments.

    Raises:
        UsageError: unknown engine, or the store is there already with other rows.
        DataError: no file of the dataset could be encoded.
    """
    if settings.engine not in ENGINES:
        raise UsageError(f"unknown engine {settings.engine!r}; choose from {', '.join(ENGINES)}")
    system = load_system(settings.system)
    cache = FeatureCache(out.with_name(out.name + ".cache"))
    with tempfile.TemporaryDirectory(prefix=".media-", dir=out.parent) as scratch:
        items = find_items(dataset, Path(scratch))
        jobs = _missing(items, system, cache)
        errors = _run(jobs, system, cache, settings, progress)
    return _write(items, errors, system, cache, out, command, added=len(jobs) - len(errors))


def encode_job(system: System, job: Job) -> Outcome:
    """The per-file function that every engine runs; a file that cannot be used is an outcome, not a crash."""
    from mvr.errors import MvrError

    try:
        return Outcome(job=job, features=system.features_of_file(job.path, job.modality))
    except MvrError as error:
        return Outcome(job=job, error=str(error))


def _missing(items: Sequence[Item], system: System, cache: FeatureCache) -> list[Job]:
    """Jobs whose features the cache does not hold, each content once."""
    jobs: dict[tuple[str, Modality], Job] = {}
    for item in items:
        for modality, (path, content) in item.files.items():
            if cache.get(content, system.recipe_hash(modality)) is None:
                jobs.setdefault((content, modality), Job(path=path, modality=modality, content=content))
    return list(jobs.values())


def _run(
    jobs: Sequence[Job],
    system: System,
    cache: FeatureCache,
    settings: ExtractSettings,
    progress: Callable[[str, int, int], None],
) -> dict[tuple[str, Modality], str]:
    """Encode and keep; returns the reasons of the files that failed."""
    errors: dict[tuple[str, Modality], str] = {}
    for done, outcome in enumerate(_engine(settings)(jobs, settings) if jobs else (), start=1):
        job = outcome.job
        if outcome.features is not None:
            cache.put(job.content, system.recipe_hash(job.modality), outcome.features)
        else:
            errors[job.content, job.modality] = outcome.error or "failed"
        progress("encode", done, len(jobs))
    return errors


def _engine(settings: ExtractSettings) -> Engine:
    if settings.engine == "ray":
        from mvr.embeddings.extraction.on_ray import run_on_ray

        return run_on_ray
    from mvr.embeddings.extraction.local import run_locally

    return run_locally


def _write(
    items: Sequence[Item],
    errors: dict[tuple[str, Modality], str],
    system: System,
    cache: FeatureCache,
    out: Path,
    command: str,
    added: int,
) -> ExtractReport:
    kept, rows, failed = [], [], []
    for item in items:
        reason = next(
            (errors[content, m] for m, (_, content) in item.files.items() if (content, m) in errors), None
        )
        if reason is not None:
            failed.append((item.id, reason))
            continue
        kept.append(item)
        rows.append({m: _mean(cache, content, system, m) for m, (_, content) in item.files.items()})
    if not kept:
        raise DataError(f"none of {len(items)} rows could be encoded; the first: {failed[0][1]}")
    _remove_older(out, {item.id for item in kept})
    store = write_store(
        out,
        video=np.stack([row[Modality.VIDEO] for row in rows]),
        audio=np.stack([row[Modality.AUDIO] for row in rows]),
        manifest=complete_manifest(_manifest(kept)),
        meta={**system.store_meta(), "source": "mvr features extract", "command": command},
    )
    return ExtractReport(rows=len(store), added=added, failed=tuple(failed))


def _mean(cache: FeatureCache, content: str, system: System, modality: Modality) -> FloatArray:
    found = cache.get(content, system.recipe_hash(modality))
    assert found is not None, content
    mean: FloatArray = found.features.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _remove_older(out: Path, ids: set[str]) -> None:
    """Make way for a store that grew; one with rows that would be lost stays."""
    import shutil

    from mvr.embeddings.store import FeatureStore

    if not out.exists():
        return
    lost = sorted(set(FeatureStore.open(out).ids) - ids)
    if lost:
        raise UsageError(
            f"{out} holds {len(lost)} rows that this run has not, such as {lost[0]!r}; choose a new folder"
        )
    shutil.rmtree(out)


def _manifest(items: Sequence[Item]) -> Any:
    import pyarrow as pa

    columns: dict[str, Any] = {
        "id": [item.id for item in items],
        "split": [item.split for item in items],
        "group": [item.group for item in items],
    }
    for taxonomy in sorted({name for item in items for name in item.labels}):
        columns[taxonomy] = pa.array([item.labels.get(taxonomy, []) for item in items], pa.list_(pa.string()))
    return pa.table(columns)

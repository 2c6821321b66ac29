"""A store from a dataset: what is missing is encoded, kept, and put together in the dataset's order."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock

from mvr.datatypes import FloatArray, JsonDict, Modality
from mvr.embeddings.cache import FeatureCache
from mvr.embeddings.extraction.items import Item, find_items
from mvr.embeddings.extraction.jobs import ENGINES, Engine, ExtractSettings, Job
from mvr.embeddings.extraction.rows import Rows, write_rows
from mvr.embeddings.extraction.storage import staged
from mvr.embeddings.system import System, load_backbones
from mvr.errors import DataError, UsageError


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
    dataset: Path | str,
    out: Path,
    settings: ExtractSettings,
    *,
    command: str = "",
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> ExtractReport:
    """Make a feature store of a built set or of a folder of videos, named by its path or by a URL of fsspec's.

    Features are kept in `OUT.cache` until you delete it. A row is the mean over its segments. A store that is there
    keeps its rows and gets the new ones behind them.

    Raises:
        UsageError: unknown engine, or the store is there already with other rows.
        SettingsMismatch: the store was made by other backbones or settings.
        DataError: no file of the dataset could be encoded.
    """
    if settings.engine not in ENGINES:
        raise UsageError(f"unknown engine {settings.engine!r}; choose from {', '.join(ENGINES)}")
    system = load_backbones(settings.system)
    cache = FeatureCache(out.with_name(out.name + ".cache"))
    with FileLock(cache.folder / "run.lock"):  # a second run into the same store waits
        with _scratch(cache.folder / "media") as scratch:
            items = find_items(staged(str(dataset), scratch / "dataset"), scratch)
            jobs = _missing(items, system, cache)
            errors = _run(jobs, system, cache, settings, progress)
        return _write(items, errors, system, cache, out, command, added=len(jobs) - len(errors))


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder for media on the way; what a killed run left in it goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


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
    def reason(item: Item) -> str | None:
        keys = ((content, modality) for modality, (_, content) in item.files.items())
        return next((errors[key] for key in keys if key in errors), None)

    failed = tuple((item.id, why) for item in items if (why := reason(item)) is not None)
    kept = [item for item in items if reason(item) is None]
    if not kept:
        raise DataError(f"none of {len(items)} rows could be encoded; the first: {failed[0][1]}")

    def features(chosen: Sequence[Item], modality: Modality) -> FloatArray:
        return np.stack([_mean(cache, item.files[modality][1], system, modality) for item in chosen])

    meta = {**system.store_meta(), "source": "mvr features extract", "command": command}
    store = write_rows(out, Rows(items=tuple(kept), features=features, meta=meta))
    return ExtractReport(rows=len(store), added=added, failed=failed)


def _mean(cache: FeatureCache, content: str, system: System, modality: Modality) -> FloatArray:
    found = cache.get(content, system.recipe_hash(modality))
    assert found is not None, content
    mean: FloatArray = found.features.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean

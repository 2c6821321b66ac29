"""An index on disk: a folder with its settings, ids, vectors and, for approximate kinds, codes.

index.json      settings, number of rows, effort and the recall measured with it
ids.parquet     ids in row order
vectors.npy     (N, B, D) float32 (exact kinds) or float16, memory-mapped when opened
codes.faiss     of approximate kinds
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.config.settings import compare_settings
from mvr.datatypes import FloatArray, JsonDict
from mvr.errors import DataError, UsageError
from mvr.index.approximate import TRAINING_ROWS, ApproximateIndex
from mvr.index.index import Index, IndexSettings, check_rows
from mvr.index.mixture import gram
from mvr.index.table import create_index

FORMAT = 1
_GRAM_ROWS = 65_536


def save_index(index: Index, folder: Path | str, facts: Mapping[str, Any] | None = None) -> None:
    """Write an index to a new folder, in one step.

    Args:
        index: any kind.
        folder: must not exist.
        facts: kept under "facts", such as measured recall.

    Raises:
        UsageError: the folder is there already.
    """
    target = _new_folder(Path(folder))
    vectors = np.asarray(index.vectors)
    np.save(target / "vectors.npy", vectors)
    _write_rest(index, target, facts or {})
    target.rename(folder)


def load_index(
    folder: Path | str, *, system: str | None = None, settings: IndexSettings | None = None
) -> Index:
    """Open an index.

    Args:
        folder: as written.
        system: identity that it must be of.
        settings: what it must be; every field is compared.

    Raises:
        DataError: not an index, or damaged. SettingsMismatch: another system's, or other settings.
    """
    folder = Path(folder)
    stored = read_facts(folder)
    held = dict(stored["settings"])
    if settings is not None:
        compare_settings(held, settings.to_json(), f"the index {folder}")
    if system is not None:
        compare_settings({"system": held["system"]}, {"system": system}, f"the index {folder}")
    index = create_index(
        held["kind"], held["dim"], tuple(held["branches"]), system=held["system"], options=held["options"]
    )
    vectors, ids = _mapped(folder, stored["rows"]), _read_ids(folder)
    if len(ids) != stored["rows"]:
        raise DataError(f"{folder} has {len(ids)} ids for {stored['rows']} rows; build it again")
    if not isinstance(index, ApproximateIndex):
        index.add(ids, vectors)
        return index
    import faiss

    grams = np.concatenate([gram(vectors[at : at + _GRAM_ROWS]) for at in range(0, len(vectors), _GRAM_ROWS)])
    index.attach(ids, vectors, grams, faiss.read_index(str(folder / "codes.faiss")))
    index.effort = int(stored["effort"])
    return index


def read_facts(folder: Path | str) -> JsonDict:
    """What `index.json` says, without opening the rest. Raises DataError."""
    path = Path(folder) / "index.json"
    try:
        stored: JsonDict = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} is not an index: {error}") from error
    if stored.get("format") != FORMAT:
        raise DataError(f"{folder} has index format {stored.get('format')!r}, this version reads {FORMAT}")
    return stored


def write_large(
    folder: Path | str,
    settings: IndexSettings,
    rows: int,
    blocks: Iterable[tuple[list[str], FloatArray]],
) -> ApproximateIndex:
    """Build an approximate index from blocks, with vectors on disk and one block in memory.

    Args:
        folder: must not exist; `finish_large` completes it.
        settings: of an approximate kind.
        rows: N in all.
        blocks: ids and (n, B, D) unit-length vectors; the codes are trained on the first of them.

    Raises:
        DataError: not `rows` rows in all; errors of `Index.add`.
    """
    target = Path(folder)
    _new_folder(target).rename(target)
    index = ApproximateIndex(settings)
    shape = (rows, len(settings.branches), settings.dim)
    vectors = np.lib.format.open_memmap(target / "vectors.npy", mode="w+", dtype=np.float16, shape=shape)
    grams = np.zeros((rows, shape[1], shape[1]))
    ids: list[str] = []
    for names, block in _trained(index, rows, blocks):
        at, checked = len(ids), check_rows(block, settings)
        if at + len(checked) > rows:
            raise DataError(f"more than the {rows} rows that were announced")
        index.codes.add(checked.reshape(len(checked), -1))
        vectors[at : at + len(checked)] = checked
        grams[at : at + len(checked)] = gram(vectors[at : at + len(checked)])
        ids += names
    if len(ids) != rows:
        raise DataError(f"{len(ids)} rows came, {rows} were announced")
    vectors.flush()
    index.attach(ids, np.load(target / "vectors.npy", mmap_mode="r"), grams)
    return index


def _trained(
    index: ApproximateIndex, rows: int, blocks: Iterable[tuple[list[str], FloatArray]]
) -> Iterator[tuple[list[str], FloatArray]]:
    """The same blocks, after the codes have been trained on the first of them: as many as they need."""
    waiting, source = [], iter(blocks)
    wanted = min(rows, TRAINING_ROWS)
    for names, block in source:
        waiting.append((names, block))
        if sum(len(block) for _, block in waiting) >= wanted:
            break
    if waiting:
        index.train(check_rows(np.concatenate([block for _, block in waiting]), index.settings))
    yield from waiting
    yield from source


def finish_large(index: ApproximateIndex, folder: Path | str, facts: Mapping[str, Any]) -> None:
    """Write codes, ids and settings beside the vectors of `write_large`; from now on `load_index` opens it."""
    _write_rest(index, Path(folder), facts)


def _write_rest(index: Index, folder: Path, facts: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": pa.array(index.ids, pa.string())}), folder / "ids.parquet")
    effort = None
    if isinstance(index, ApproximateIndex):
        import faiss

        effort = index.effort
        faiss.write_index(index.codes, str(folder / "codes.faiss"))
    settings = dataclasses.replace(index.settings).to_json()
    document = {
        "format": FORMAT,
        "rows": len(index),
        "settings": settings,
        "effort": effort,
        "facts": dict(facts),
    }
    temporary = folder / "index.json.tmp"
    temporary.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    temporary.replace(folder / "index.json")


def _new_folder(folder: Path) -> Path:
    if folder.exists():
        raise UsageError(f"{folder} is there already; choose another folder or remove it")
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir(parents=True)
    return temporary


def _mapped(folder: Path, rows: int) -> npt.NDArray[Any]:
    try:
        vectors: npt.NDArray[Any] = np.load(folder / "vectors.npy", mmap_mode="r")
    except (OSError, ValueError) as error:
        raise DataError(f"{folder / 'vectors.npy'} cannot be read: {error}") from error
    if len(vectors) != rows:
        raise DataError(
            f"{folder / 'vectors.npy'} has {len(vectors)} rows, index.json says {rows}; build it again"
        )
    return vectors


def _read_ids(folder: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_table(folder / "ids.parquet")["id"].to_pylist())
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise DataError(f"{folder / 'ids.parquet'} cannot be read: {error}") from error

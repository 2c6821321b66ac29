"""The feature store: paired features of N items on disk, memory-mapped.

A folder holds
    meta.json         backbones, widths, preprocessing settings and their hash, the command that made it
    manifest.parquet  row order: `id`, `split` (train/val/test), `group` (same music or same source video) and
                      one list-of-strings column per taxonomy (`genre`, `emotion`, ...)
    video.npy         (N, Dv) float32 or float16
    audio.npy         (N, Da) float32 or float16

The manifest is written last and by renaming, so it decides how many rows there are: a matrix may be longer
(a writer was killed between the two), never shorter. See `mvr.embeddings.writer` for appending.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mvr.config.settings import settings_hash
from mvr.datatypes import JsonDict
from mvr.errors import DataError, Leakage, NotFinite, UsageError, WrongShape

if TYPE_CHECKING:
    import pyarrow as pa

SPLITS = ("train", "val", "test")
FORMAT = 1
MATRICES = ("video", "audio")
META_KEYS = ("video", "audio", "command", "source", "notes")
_CHECK_ROWS = 65_536  # rows looked at together: bounds memory at 256 MB for 1024 wide float32


@dataclass(frozen=True)
class FeatureStore:
    """An opened store; matrices are memory-mapped and read-only.

    Attributes:
        path: the folder.
        meta: what `meta.json` says; `meta["video"]["backbone"]`, `meta["settings_hash"]`, ...
        manifest: the manifest as an Arrow table of N rows.
        video, audio: (N, D) float32 or float16, finite.
    """

    path: Path
    meta: JsonDict
    manifest: pa.Table
    video: npt.NDArray[Any]
    audio: npt.NDArray[Any]

    @classmethod
    def open(cls, path: Path | str, *, settings: Mapping[str, Any] | None = None) -> FeatureStore:
        """Open and check a store.

        Args:
            path: its folder.
            settings: `{"video": {...}, "audio": {...}}` preprocessing settings that must be the stored ones.

        Raises:
            DataError: not a store, duplicate ids, an unknown split; WrongShape: matrices that do not fit the
                manifest or each other; NotFinite: NaN or infinity; Leakage: a group on both sides of a split.
            SettingsMismatch: made with other settings than `settings`.
        """
        folder = Path(path)
        meta, manifest = _read_meta(folder), read_manifest(folder / "manifest.parquet")
        matrices = {name: _map_matrix(folder / f"{name}.npy", len(manifest)) for name in MATRICES}
        for name, matrix in matrices.items():
            check_matrix(matrix, f"{name}.npy of {folder}", width=meta[name]["dim"])
        if settings is not None:
            _compare(meta, settings, folder)
        return cls(path=folder, meta=meta, manifest=manifest, **matrices)

    def __len__(self) -> int:
        return len(self.manifest)

    @cached_property
    def ids(self) -> list[str]:
        """N ids in row order."""
        return list(self.manifest["id"].to_pylist())

    @cached_property
    def splits(self) -> list[str]:
        """N split names in row order."""
        return list(self.manifest["split"].to_pylist())

    @cached_property
    def groups(self) -> list[str]:
        """N group names in row order; rows of one group never sit in two splits."""
        return list(self.manifest["group"].to_pylist())

    @cached_property
    def taxonomies(self) -> list[str]:
        """Names of the label columns."""
        return taxonomy_columns(self.manifest)

    @cached_property
    def labels(self) -> dict[str, list[list[str]]]:
        """Taxonomy -> N lists of labels; an unlabelled row has an empty list."""
        return {name: [row or [] for row in self.manifest[name].to_pylist()] for name in self.taxonomies}

    def rows(self, split: str | None = None) -> npt.NDArray[np.int64]:
        """Row numbers of a split in row order, or of all splits.

        Raises:
            UsageError: not train, val or test. DataError: the split is empty; the message says which are not.
        """
        if split is None:
            return np.arange(len(self))
        if split not in SPLITS:
            raise UsageError(f"unknown split {split!r}; choose from {', '.join(SPLITS)}")
        splits = np.array(self.splits)
        rows = np.flatnonzero(splits == split)
        if not len(rows):
            counts = ", ".join(f"{s} ({(splits == s).sum()} rows)" for s in SPLITS if (splits == s).any())
            raise DataError(f"{self.path} has no rows in split {split!r}; it has {counts or 'no rows'}")
        return rows


def write_store(
    path: Path | str,
    *,
    video: npt.NDArray[Any],
    audio: npt.NDArray[Any],
    manifest: pa.Table,
    meta: Mapping[str, Any] | None = None,
) -> FeatureStore:
    """Write a new store in one go: it is there completely or not at all.

    Args:
        path: a folder that does not exist yet (or is empty).
        video, audio: (N, D) float32 or float16; other floats become float32; may be memory-mapped.
        manifest: N rows with `id`; optional `split` (else all "train"), `group` (else each row its own id)
            and list-of-strings columns, one per taxonomy; further columns are kept.
        meta: keys of `META_KEYS`; `video` and `audio` are `{"backbone": name, "settings": {...}}`.

    Raises:
        as `FeatureStore.open`; UsageError: the folder holds something, or an unknown key in `meta`.
    """
    folder = Path(path)
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; choose a new folder or remove it first")
    table = complete_manifest(manifest)
    for name, matrix in (("video", video), ("audio", audio)):
        check_matrix(matrix, f"the {name} features", rows=len(table))
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir(parents=True)
    for name, matrix in (("video", video), ("audio", audio)):
        np.save(temporary / f"{name}.npy", matrix.astype(stored_dtype(matrix), copy=False))
        flush_file(temporary / f"{name}.npy")
    write_json(temporary / "meta.json", complete_meta(meta or {}, video.shape[1], audio.shape[1]))
    write_manifest(temporary / "manifest.parquet", table)
    if folder.exists():
        folder.rmdir()
    temporary.rename(folder)
    return FeatureStore.open(folder)


def complete_meta(meta: Mapping[str, Any], video_dim: int, audio_dim: int) -> JsonDict:
    """`meta.json` as stored: widths, format and the hash of the preprocessing settings added."""
    unknown = sorted(set(meta) - set(META_KEYS) - {"format", "settings_hash"})
    if unknown:
        raise UsageError(f"unknown key {unknown[0]!r} of a store's meta; choose from {', '.join(META_KEYS)}")
    sides: JsonDict = {}
    for name, dim in (("video", video_dim), ("audio", audio_dim)):
        side = dict(meta.get(name, {}))
        sides[name] = {"backbone": side.get("backbone"), "settings": side.get("settings", {}), "dim": dim}
    rest = {key: meta[key] for key in META_KEYS[2:] if key in meta}
    return {"format": FORMAT, **sides, "settings_hash": settings_hash(sides), **rest}


def complete_manifest(manifest: pa.Table) -> pa.Table:
    """The manifest with `split` and `group` filled in, checked.

    Raises:
        DataError: no or duplicate ids, an unknown split. Leakage: one group in two splits.
    """
    import pyarrow as pa

    if "id" not in manifest.column_names:
        raise DataError(f"the manifest has no column 'id', only {', '.join(manifest.column_names) or 'none'}")
    columns = {name: manifest[name] for name in manifest.column_names}
    columns["id"] = manifest["id"].cast(pa.string())
    columns.setdefault("split", pa.array(["train"] * len(manifest), pa.string()))
    columns.setdefault("group", columns["id"])
    table = pa.table({name: columns.pop(name) for name in ("id", "split", "group")} | columns)
    check_manifest(table)
    return table


def check_manifest(table: pa.Table) -> None:
    """Refuse duplicate or missing ids, unknown splits and groups on both sides of a split."""
    import pyarrow.compute as pc

    for name in ("id", "split", "group"):
        if table[name].null_count:
            raise DataError(f"the manifest's column {name!r} has {table[name].null_count} empty cells")
    counts = pc.value_counts(table["id"])
    twice = [row["values"] for row in counts.filter(pc.greater(pc.struct_field(counts, 1), 1)).to_pylist()]
    if twice:
        raise DataError(f"{len(twice)} ids stand more than once in the manifest, for example {twice[0]!r}")
    unknown = sorted(set(pc.unique(table["split"]).to_pylist()) - set(SPLITS))
    if unknown:
        raise DataError(f"unknown split {unknown[0]!r} in the manifest; choose from {', '.join(SPLITS)}")
    per_group = table.group_by("group").aggregate([("split", "count_distinct")])
    leaking = per_group.filter(pc.greater(per_group["split_count_distinct"], 1))["group"].to_pylist()
    if leaking:
        raise Leakage(
            f"{len(leaking)} groups stand in more than one split, for example {sorted(leaking)[0]!r}; "
            "give all rows of a group the same split"
        )


def check_matrix(
    matrix: npt.NDArray[Any], what: str, *, rows: int | None = None, width: int | None = None
) -> None:
    """Refuse what is not a finite (rows, width) matrix of floats."""
    if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.floating) or matrix.shape[1] == 0:
        raise WrongShape(
            f"{what} must be a matrix (N, D) of floats, not shape {matrix.shape} of {matrix.dtype}"
        )
    if rows is not None and len(matrix) != rows:
        raise WrongShape(f"{what} have {len(matrix)} rows, the manifest has {rows}")
    if width is not None and matrix.shape[1] != width:
        raise WrongShape(f"{what} is {matrix.shape[1]} wide, meta.json says {width}")
    for start, finite in _finite_blocks(matrix):
        if not finite.all():
            row = start + int(np.argmin(finite))
            raise NotFinite(f"{what}: NaN or infinity in row {row}")


def _finite_blocks(matrix: npt.NDArray[Any]) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
    kept_as = stored_dtype(matrix)
    for start in range(0, len(matrix), _CHECK_ROWS):
        with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinity, which is refused
            block = matrix[start : start + _CHECK_ROWS].astype(kept_as, copy=False)
        yield start, np.isfinite(block).all(axis=1)


def stored_dtype(matrix: npt.NDArray[Any]) -> np.dtype[Any]:
    """float16 stays, every other float is stored as float32."""
    return np.dtype(np.float16 if matrix.dtype == np.float16 else np.float32)


def taxonomy_columns(table: pa.Table) -> list[str]:
    """Names of the list-of-strings columns."""
    import pyarrow as pa

    return [f.name for f in table.schema if pa.types.is_list(f.type) or pa.types.is_large_list(f.type)]


def read_manifest(path: Path) -> pa.Table:
    """Read and check `manifest.parquet`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path} cannot be read as a feature store's manifest: {error}") from error
    missing = [name for name in ("id", "split", "group") if name not in table.column_names]
    if missing:
        raise DataError(f"{path} has no column {missing[0]!r}")
    check_manifest(table)
    return table


def write_manifest(path: Path, table: pa.Table) -> None:
    """Write `manifest.parquet` by renaming: readers see the old one or the new one."""
    import pyarrow.parquet as pq

    temporary = path.with_name(path.name + ".tmp")
    pq.write_table(table, temporary)
    commit_file(temporary, path)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write JSON by renaming."""
    temporary = path.with_name(path.name + ".tmp")
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
    temporary.write_text(text + "\n", encoding="utf-8")
    commit_file(temporary, path)


def commit_file(temporary: Path, path: Path) -> None:
    """Flush a finished temporary file to disk and give it its name."""
    flush_file(temporary)
    temporary.replace(path)


def flush_file(path: Path) -> None:
    """Wait until a file's bytes are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_meta(folder: Path) -> JsonDict:
    try:
        meta: JsonDict = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} is not a feature store: its meta.json cannot be read ({error})") from error
    if meta.get("format") != FORMAT:
        raise DataError(f"{folder} has store format {meta.get('format')!r}, this version reads {FORMAT}")
    return meta


def _map_matrix(path: Path, rows: int) -> npt.NDArray[Any]:
    try:
        matrix = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a matrix: {error}") from error
    if matrix.ndim != 2 or len(matrix) < rows:
        raise WrongShape(f"{path} has shape {matrix.shape}, the manifest has {rows} rows")
    committed: npt.NDArray[Any] = matrix[:rows]
    return committed


def _compare(meta: JsonDict, settings: Mapping[str, Any], folder: Path) -> None:
    from mvr.config.settings import compare_settings

    for name in MATRICES:
        compare_settings(meta[name]["settings"], settings.get(name, {}), f"{name}.npy of {folder}")

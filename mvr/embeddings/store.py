"""The feature store: paired features of N items on disk, memory-mapped.

A folder holds
    meta.json         backbones, widths, preprocessing settings and their hash, the command that made it
    manifest.parquet  row order: `id`, `split` (train/val/test), `group` (same music or same source video) and
                      one list-of-strings column per taxonomy (`genre`, `emotion`, ...)
    video.npy         (N, Dv) float32 or float16
    audio.npy         (N, Da) float32 or float16

The manifest is written last and by renaming, so it decides how many rows there are: a matrix may be longer
(a writer was killed between the two), never shorter. `mvr.embeddings.growth` appends rows that way.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mvr.config.settings import settings_hash
from mvr.datatypes import SPLITS, JsonDict
from mvr.embeddings.durable import flush_file, write_json
from mvr.embeddings.manifest import (
    complete_manifest,
    read_manifest,
    taxonomy_columns,
    write_manifest,
)
from mvr.embeddings.matrix import MATRICES, check_matrix, map_matrix, stored_dtype
from mvr.errors import DataError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
META_KEYS = ("video", "audio", "command", "source", "notes")


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
        matrices = {name: map_matrix(folder / f"{name}.npy", len(manifest)) for name in MATRICES}
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
    try:
        for name, matrix in (("video", video), ("audio", audio)):
            np.save(temporary / f"{name}.npy", matrix.astype(stored_dtype(matrix), order="C", copy=False))
            flush_file(temporary / f"{name}.npy")
        write_json(temporary / "meta.json", complete_meta(meta or {}, video.shape[1], audio.shape[1]))
        write_manifest(temporary / "manifest.parquet", table)
        if folder.exists():
            folder.rmdir()
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # of a writer that was stopped, or found no room
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


def _read_meta(folder: Path) -> JsonDict:
    try:
        meta: JsonDict = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} is not a feature store: its meta.json cannot be read ({error})") from error
    if meta.get("format") != FORMAT:
        raise DataError(f"{folder} has store format {meta.get('format')!r}, this version reads {FORMAT}")
    return meta


def _compare(meta: JsonDict, settings: Mapping[str, Any], folder: Path) -> None:
    from mvr.config.settings import compare_settings

    for name in MATRICES:
        compare_settings(meta[name]["settings"], settings.get(name, {}), f"{name}.npy of {folder}")

"""Rows added to a store that is there, and a store put in another's place: each happens completely or not at all.

Appending writes the new rows behind the committed ones and flushes them, then the matrices' headers, and last, by
renaming, the manifest, which alone says how many rows there are. Whenever the writer is killed, readers see the rows
of before or all of the new ones; what was left behind the committed rows is overwritten by the next writer.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from mvr.embeddings.manifest import complete_manifest, write_manifest
from mvr.embeddings.matrix import MATRICES, check_matrix
from mvr.embeddings.store import FeatureStore, write_store
from mvr.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def append_rows(
    path: Path | str,
    *,
    video: npt.NDArray[Any],
    audio: npt.NDArray[Any],
    manifest: pa.Table,
    settings: Mapping[str, Any] | None = None,
) -> FeatureStore:
    """Add rows to a store; one writer at a time, others wait.

    Args:
        path: a store.
        video, audio: (n, D) floats of the store's widths; stored in the store's precision.
        manifest: n rows; see `write_store`. A taxonomy that only one side has stays empty on the other.
        settings: preprocessing settings that made the rows; must be the stored ones, see `FeatureStore.open`.

    Raises:
        as `FeatureStore.open`, and where the rows do not fit: an id that is there already, another width, a group
        that sits in another split.
    """
    folder = Path(path)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        store = FeatureStore.open(folder, settings=settings)
        table = _joined(store.manifest, complete_manifest(manifest))
        added = {"video": video, "audio": audio}
        for name, matrix in added.items():
            stored = getattr(store, name)
            check_matrix(matrix, f"the {name} features", rows=len(manifest), width=stored.shape[1])
            added[name] = _in_precision(matrix, stored.dtype, name)
        for name in MATRICES:
            _extend(folder / f"{name}.npy", len(store), added[name])
        write_manifest(folder / "manifest.parquet", table)
    return FeatureStore.open(folder)


def replace_store(path: Path | str, **parts: Any) -> FeatureStore:
    """`write_store` in place of an older store, which stays until the new one is complete.

    A kill between the two renamings leaves the older one as `.NAME.old`, and `.NAME.new` beside it; the next call
    clears both away.
    """
    folder = Path(path)
    new, old = (folder.with_name(f".{folder.name}.{age}") for age in ("new", "old"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        for rest in (new, old, *folder.parent.glob(f".{new.name}.*.tmp")):
            shutil.rmtree(rest, ignore_errors=True)
        write_store(new, **parts)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    return FeatureStore.open(folder)


def _joined(before: pa.Table, added: pa.Table) -> pa.Table:
    import pyarrow as pa

    try:
        table = pa.concat_tables([before, added], promote_options="default")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"the new rows' columns do not fit the store's: {error}") from error
    return complete_manifest(table)


def _in_precision(matrix: npt.NDArray[Any], dtype: np.dtype[Any], name: str) -> npt.NDArray[Any]:
    with np.errstate(over="ignore"):  # beyond float16 becomes infinity, which is refused
        rows: npt.NDArray[Any] = np.ascontiguousarray(matrix, dtype)
    check_matrix(rows, f"the {name} features in the store's {dtype}")
    return rows


def _extend(path: Path, committed: int, rows: npt.NDArray[Any]) -> None:
    """Write rows behind the first `committed` ones, flush, then say so in the header."""
    with path.open("r+b") as file:
        start = _read_header(file, path)
        file.seek(start + committed * rows.shape[1] * rows.itemsize)
        file.write(rows.tobytes())
        _flush(file)
        file.seek(0)
        header = _header((committed + len(rows), rows.shape[1]), rows.dtype)
        if len(header) != start:
            raise DataError(
                f"{path} was not written by mvr (its header has another length); extract the features again into a "
                "new folder"
            )
        file.write(header)
        _flush(file)


def _read_header(file: BinaryIO, path: Path) -> int:
    """Where the rows begin, in bytes."""
    if np.lib.format.read_magic(file) != (1, 0):
        raise DataError(
            f"{path} has an .npy version that mvr does not write; extract the features again into a new folder"
        )
    _, fortran_order, _ = np.lib.format.read_array_header_1_0(file)
    if fortran_order:
        raise DataError(f"{path} is stored column by column; rows cannot be added")
    return file.tell()


def _header(shape: tuple[int, int], dtype: np.dtype[Any]) -> bytes:
    """A `.npy` header; numpy pads it so that it keeps its length while the number of rows grows."""
    buffer = io.BytesIO()
    kind = np.lib.format.dtype_to_descr(dtype)
    np.lib.format.write_array_header_1_0(buffer, {"descr": kind, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())

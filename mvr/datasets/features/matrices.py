"""Two `.npy` matrices and a CSV manifest: the form that any feature set can be brought into.

The CSV has a column `id` and optionally `split`, `group` and taxonomy columns (`genre`, `emotion`, ...), several
labels of one row separated by `;`; blanks around names and cells do not count. Row i of each matrix belongs to line i
of the CSV.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mvr.config.table import cells, decoded, not_utf8, unreadable
from mvr.datasets.features.paired import PairedFeatures
from mvr.datatypes import SPLITS
from mvr.errors import DataError, NotFinite, WrongShape

PLAIN_COLUMNS = ("id", "split", "group")


def import_matrices(video: Path, audio: Path, manifest: Path) -> PairedFeatures:
    """Read a precomputed pair of feature matrices with its manifest.

    Raises:
        DataError: a file that is no matrix or no table; names the file, and the line of a table.
        WrongShape: matrices and manifest disagree in rows.
        NotFinite: a matrix holds NaN or infinity.
    """
    return PairedFeatures(
        video=read_matrix(video),
        audio=read_matrix(audio),
        manifest=read_manifest(manifest),
        meta={"video": {"backbone": video.stem}, "audio": {"backbone": audio.stem}, "source": manifest.name},
    )


def read_matrix(path: Path) -> npt.NDArray[np.floating[Any]]:
    """A (N, D) float matrix; other float widths become float32, pickled objects are refused."""
    try:
        matrix: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path.name} cannot be read as a .npy matrix: {error}") from error
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2:
        raise WrongShape(f"{path.name} must hold one matrix of (rows, features)")
    if matrix.dtype not in (np.float16, np.float32):
        if matrix.dtype.kind not in "fiu":
            raise DataError(f"{path.name} holds {matrix.dtype}, not numbers")
        matrix = matrix.astype(np.float32)
    for start in range(0, len(matrix), 65536):
        broken = np.flatnonzero(~np.isfinite(matrix[start : start + 65536]).all(axis=1))
        if len(broken):
            raise NotFinite(f"{path.name} holds NaN or infinity in row {start + broken[0]} (counted from 0)")
    return matrix


def read_manifest(path: Path) -> pa.Table:
    """The CSV manifest as a table; an empty `split` means train, an empty `group` the row's own id.

    Raises:
        DataError: no `id` column, a doubled id, an unknown split, a line with too many or too few cells.
    """
    try:
        text, guessed = decoded(path.read_bytes())
        lines, _ = cells(text, PLAIN_COLUMNS)
    except (OSError, csv.Error) as error:
        raise unreadable(path.name, error) from error
    if guessed:
        raise not_utf8(path.name)
    header = [name.lower() if name.lower() in PLAIN_COLUMNS else name for name in lines[0]] if lines else []
    rows = lines[1:]
    if "id" not in header:
        raise DataError(f"{path.name} needs a column 'id' in its first line")
    if len(set(header)) != len(header):
        raise DataError(f"{path.name} names a column twice: {', '.join(header)}")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise DataError(
                f"{path.name} line {number} has {len(row)} cells, its first line has {len(header)}"
            )
    columns = {name: [row[i] for row in rows] for i, name in enumerate(header)}
    _check_columns(columns, path.name)
    return manifest_table(columns)


def manifest_table(columns: dict[str, list[str]]) -> pa.Table:
    """Columns of strings as a manifest: taxonomy cells are split at `;` into lists of labels."""
    ids = columns["id"]
    arrays: dict[str, pa.Array] = {
        "id": pa.array(ids, pa.string()),
        "split": pa.array([split or "train" for split in columns.get("split", [""] * len(ids))], pa.string()),
        "group": pa.array([g or i for g, i in zip(columns.get("group", ids), ids, strict=True)], pa.string()),
    }
    for name, column in columns.items():
        if name not in PLAIN_COLUMNS:
            labels = [[label.strip() for label in cell.split(";") if label.strip()] for cell in column]
            arrays[name] = pa.array(labels, pa.list_(pa.string()))
    return pa.table(arrays)


def _check_columns(columns: dict[str, list[str]], name: str) -> None:
    seen: set[str] = set()
    for item in columns["id"]:
        if not item or item in seen:
            raise DataError(f"{name} has " + (f"the id {item!r} twice" if item else "a row without an id"))
        seen.add(item)
    wrong = sorted(set(columns.get("split", [])) - {*SPLITS, ""})
    if wrong:
        raise DataError(f"{name} has the unknown split {wrong[0]!r}; choose from {', '.join(SPLITS)}")

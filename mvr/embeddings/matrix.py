"""A store's matrices: (N, D) floats in `.npy` files, checked block by block, mapped, never read whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.errors import DataError, NotFinite, WrongShape

MATRICES = ("video", "audio")
_CHECK_ROWS = 65_536  # rows looked at together: bounds memory at 256 MB for 1024 wide float32


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


def map_matrix(path: Path, rows: int) -> npt.NDArray[Any]:
    """The first `rows` rows of a matrix, mapped; it may be longer where a writer was killed."""
    try:
        matrix = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a matrix: {error}") from error
    if matrix.ndim != 2 or len(matrix) < rows:
        raise WrongShape(f"{path} has shape {matrix.shape}, the manifest has {rows} rows")
    committed: npt.NDArray[Any] = matrix[:rows]
    return committed

"""Arrays of a `.npz` archive, read without running anything in it: an array that needs unpickling is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.errors import DataError


def read_numbers(archive: Path, name: str) -> npt.NDArray[Any]:
    """One array of numbers, booleans or fixed-width strings.

    Raises:
        DataError: no such archive or array, or one that needs unpickling.
    """
    try:
        with np.load(archive, allow_pickle=False) as arrays:
            found: npt.NDArray[Any] = arrays[name]
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{archive} has no usable array {name!r}: {error}") from error
    return found


def read_strings(archive: Path, name: str) -> list[str]:
    """One row of strings of a fixed width.

    Raises:
        DataError: no such archive or array, or anything in it but strings.
    """
    values = read_numbers(archive, name)
    if not isinstance(values, np.ndarray) or values.dtype.kind != "U" or values.ndim != 1:
        raise DataError(f"{archive} has no usable array {name!r}: wanted one row of fixed-width strings")
    return [str(value) for value in values]

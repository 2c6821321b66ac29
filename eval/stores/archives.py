"""Arrays of a `.npz` archive, read without running anything in it.

`np.load(allow_pickle=True)` runs whatever a pickle says. Some public archives hold their ids as object
arrays, that is as pickles; `read_strings` unpickles those with a reader that knows three names of NumPy and
refuses all others.
"""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from mvr.errors import DataError

_LARGEST_MEMBER_BYTES = 2 << 30
_ALLOWED = {
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}


class _ArrayUnpickler(pickle.Unpickler):
    """Builds arrays of strings and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Only the three names that a pickled array needs."""
        if (module, name) not in _ALLOWED:
            raise DataError(f"the archive asks for {module}.{name}, which an array of strings does not need")
        if name == "_reconstruct":
            return np._core.multiarray._reconstruct  # type: ignore[attr-defined]
        return getattr(np, name)


def read_numbers(archive: Path, name: str) -> npt.NDArray[Any]:
    """One array of numbers, booleans or fixed-width strings.

    Raises:
        DataError: no such archive or array, or one that needs unpickling.
    """
    try:
        with np.load(archive, allow_pickle=False) as arrays:
            found: npt.NDArray[Any] = arrays[name]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{archive} has no usable array {name!r}: {error}") from error
    return found


def read_strings(archive: Path, name: str) -> list[str]:
    """One array of strings, stored with a fixed width or as objects.

    Raises:
        DataError: no such archive or array, or anything in it but strings.
    """
    try:
        with zipfile.ZipFile(archive) as members:
            if members.getinfo(f"{name}.npy").file_size > _LARGEST_MEMBER_BYTES:
                raise DataError(f"array {name!r} of {archive} is larger than {_LARGEST_MEMBER_BYTES} bytes")
            with members.open(f"{name}.npy") as member:
                values = _strings(member)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, pickle.UnpicklingError, EOFError) as error:
        raise DataError(f"{archive} has no usable array {name!r}: {error}") from error
    if not all(isinstance(value, str) for value in values):
        raise DataError(f"array {name!r} of {archive} holds something else than strings")
    return [str(value) for value in values]


def _strings(member: IO[bytes]) -> list[Any]:
    version = np.lib.format.read_magic(member)
    read_header = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(member)
    if dtype.kind == "U":
        array = np.frombuffer(member.read(), dtype)
    elif dtype.kind == "O":
        array = _ArrayUnpickler(member).load()  # the class above knows arrays only
    else:
        raise ValueError(f"an array of {dtype}, not of strings")
    if not isinstance(array, np.ndarray) or array.shape != shape or len(shape) != 1:
        raise ValueError("not one row of strings")
    return list(array)

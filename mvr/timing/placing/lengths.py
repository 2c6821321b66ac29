"""Rows of unlike lengths side by side, standardised each over its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray

_FLAT = 1e-5  # spread under which a row says nothing


class Lengths:
    """Of T rows, each the first so many columns of `width`.

    Args:
        counts: (T,) columns of each.
        width: columns of all.
    """

    def __init__(self, counts: npt.NDArray[np.int64], width: int) -> None:
        self._many = np.maximum(counts, 1).astype(np.float32)[:, None]
        full = bool((counts == width).all())
        self._inside = None if full else (np.arange(width) < counts[:, None]).astype(np.float32)

    def standardise(self, rows: FloatArray) -> FloatArray:
        """Rows (..., T, width) float32 brought, where they lie, to mean 0 and spread 1 over their own columns; 0 beyond
        and where they are flat.
        """
        if self._inside is not None:
            rows *= self._inside
        rows -= rows.sum(axis=-1, keepdims=True) / self._many
        if self._inside is not None:
            rows *= self._inside
        spread = np.sqrt(np.einsum("...s,...s->...", rows, rows)[..., None] / self._many)
        rows *= np.where(spread > _FLAT, 1 / np.maximum(spread, _FLAT), 0)
        return rows

"""The exact index in plain numpy: the twin that every other kind is tested against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.errors import DataError
from mvr.index.index import Hits, IndexSettings, check_k, check_query, check_rows, check_system
from mvr.index.mixture import (
    CrossProducts,
    GramArray,
    best_first,
    divide_by_lengths,
    gram,
    mixed_lengths,
    mixed_query,
)


class NumpyIndex:
    """All rows in one float32 array; every search looks at all of them.

    `add` swaps whole arrays in one assignment, so a search in another thread sees the rows before or after.
    """

    def __init__(self, settings: IndexSettings) -> None:
        branches, dim = len(settings.branches), settings.dim
        self._settings = settings
        self._ids: list[str] = []
        self._known: set[str] = set()
        self._rows = (np.zeros((0, branches, dim), np.float32), np.zeros((0, branches, branches)))

    @property
    def settings(self) -> IndexSettings:
        """What it is of."""
        return self._settings

    @property
    def ids(self) -> list[str]:
        """N ids in row order."""
        return self._ids

    @property
    def vectors(self) -> npt.NDArray[Any]:
        """The stored (N, B, D) vectors."""
        return self._rows[0]

    def __len__(self) -> int:
        return len(self._rows[0])

    def add(self, ids: Sequence[str], vectors: FloatArray, *, system: str | None = None) -> None:
        """Add rows (n, B, D); see `Index.add`."""
        check_system(self._settings, system)
        rows = check_rows(vectors, self._settings)
        check_ids(ids, rows, self._known)
        self._ids = [*self._ids, *ids]
        self._known.update(ids)
        old_rows, old_grams = self._rows
        self._rows = (np.concatenate([old_rows, rows]), np.concatenate([old_grams, gram(rows)]))

    def search(
        self,
        query: FloatArray,
        weights: FloatArray,
        k: int,
        *,
        allowed: npt.NDArray[np.bool_] | None = None,
    ) -> Hits:
        """The k best rows; see `Index.search`."""
        unit = mixed_query(check_query(query, weights, self._settings), weights)
        rows, grams = self._rows
        weighted = (weights[:, None] * unit).ravel().astype(np.float32)
        products = rows.reshape(len(rows), len(weighted)) @ weighted
        return top(divide_by_lengths(products, mixed_lengths(grams, weights)), check_k(k), allowed)

    def cross(self, query: FloatArray) -> CrossProducts:
        """The query against every row; see `Index.cross`."""
        rows, grams = self._rows
        return cross_products(rows, grams, check_query(query, np.ones(len(query)), self._settings))


def cross_products(rows: npt.NDArray[Any], grams: GramArray, query: FloatArray) -> CrossProducts:
    """Every row (N, B, D) against a query (B, D)."""
    count, branches, dim = rows.shape
    products = (rows.reshape(count * branches, dim) @ query.T).reshape(count, branches, branches)
    return CrossProducts(products=products.swapaxes(1, 2), rows=grams, query=gram(query[None])[0])


def top(scores: FloatArray, k: int, allowed: npt.NDArray[np.bool_] | None = None) -> Hits:
    """The k best of all scores (N,), or of those where `allowed` (N,) is true."""
    if allowed is None:
        rows = best_first(scores, k)
        return Hits(rows=rows, scores=scores[rows])
    candidates = np.flatnonzero(allowed)
    chosen = candidates[best_first(scores[candidates], k)]
    return Hits(rows=chosen, scores=scores[chosen])


def check_ids(ids: Sequence[str], rows: npt.NDArray[Any], known: set[str]) -> None:
    """Refuse ids that are not one per row or that are there already."""
    if len(ids) != len(rows):
        raise DataError(f"{len(ids)} ids for {len(rows)} rows")
    fresh = set(ids)
    if len(fresh) < len(ids) or not fresh.isdisjoint(known):
        twice = next(iter(fresh & known), None) or next(i for i in ids if list(ids).count(i) > 1)
        raise DataError(f"the index holds the id {twice!r} already")

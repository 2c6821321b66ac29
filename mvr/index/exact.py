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

_BLOCK_ROWS = 512  # what a core's own cache holds
_SIGN_AND_BITS = np.int32(-0x70000001)  # all but the three copies of the sign that moving leaves behind


class NumpyIndex:
    """All rows in one array; every search looks at all of them.

    Rows lie in room that grows by doubling and are seen by one assignment, so a search in another thread sees the rows
    before or after. Option `rows`: how many to make room for at first.
    """

    kept_as: type[np.floating[Any]] = np.float32

    def __init__(self, settings: IndexSettings) -> None:
        branches, dim = len(settings.branches), settings.dim
        self._settings = settings
        self._ids: list[str] = []
        self._known: set[str] = set()
        room = int(settings.options.get("rows", 0))
        self._room = (np.empty((room, branches, dim), self.kept_as), np.empty((room, branches, branches)))
        self._rows = (self._room[0][:0], self._room[1][:0])

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

    @property
    def grams(self) -> GramArray:
        """(N, B, B) Gram matrices of the stored vectors."""
        return self._rows[1]

    def __len__(self) -> int:
        return len(self._rows[0])

    def add(self, ids: Sequence[str], vectors: FloatArray, *, system: str | None = None) -> None:
        """Add rows (n, B, D); see `Index.add`."""
        check_system(self._settings, system)
        rows = check_rows(vectors, self._settings)
        check_ids(ids, rows, self._known)
        self._keep(ids, rows.astype(self.kept_as, copy=False))

    def extend(self, ids: Sequence[str], vectors: npt.NDArray[Any]) -> None:
        """Put rows of another index of this kind behind the others; of ids that are there already, too, whose rows
        nobody looks at any more."""
        assert vectors.dtype == self.kept_as
        self._keep(ids, vectors)

    def attach(self, ids: Sequence[str], vectors: npt.NDArray[Any], grams: GramArray) -> None:
        """Take over rows that are stored already: (N, B, D) of this kind, perhaps mapped from a file, with
        their grams."""
        assert len(ids) == len(vectors) == len(grams) and vectors.dtype == self.kept_as
        self._ids, self._known = list(ids), set(ids)
        self._rows = self._room = (vectors, grams)

    def _keep(self, ids: Sequence[str], rows: npt.NDArray[Any]) -> None:
        """Put checked rows behind the others."""
        before = len(self)
        after = before + len(rows)
        if after > len(self._room[0]):
            room = max(after, 2 * before)
            grown = tuple(np.empty((room, *old.shape[1:]), old.dtype) for old in self._rows)
            for new, old in zip(grown, self._rows, strict=True):
                new[:before] = old
            self._room = (grown[0], grown[1])
        self._room[0][before:after], self._room[1][before:after] = rows, gram(rows)
        self._ids.extend(ids)
        self._known.update(ids)
        self._rows = (self._room[0][:after], self._room[1][:after])

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
        products = self._products(rows.reshape(len(rows), len(weighted)), weighted[:, None])[0]
        return top(divide_by_lengths(products, mixed_lengths(grams, weights)), check_k(k), allowed)

    def cross(self, query: FloatArray, first: int = 0) -> CrossProducts:
        """The query against every row, or those from `first` on; see `Index.cross`."""
        rows, grams = (part[first:] for part in self._rows)
        wide = check_query(query, np.ones(len(query)), self._settings)
        branches, dim = wide.shape
        columns = np.zeros(
            (branches, dim, branches, branches), np.float32
        )  # (row branch, D, query branch, row branch)
        for branch in range(branches):
            columns[branch, :, :, branch] = wide.T
        products = self._products(
            rows.reshape(len(rows), branches * dim), columns.reshape(branches * dim, branches**2)
        )
        return CrossProducts(
            products=products.reshape(branches, branches, len(rows)), rows=grams, query=gram(wide[None])[0]
        )

    def _products(self, rows: npt.NDArray[Any], columns: FloatArray) -> FloatArray:
        """(k, N) inner products of rows (N, W) with columns (W, k), in float32, block by block."""
        found = np.empty((columns.shape[1], len(rows)), np.float32)
        for at in range(0, len(rows), _BLOCK_ROWS):
            found[:, at : at + _BLOCK_ROWS] = (rows[at : at + _BLOCK_ROWS] @ columns).T
        return found


class HalfIndex(NumpyIndex):
    """Rows are kept as float16, half the memory, and every answer is exact for the rows as kept; arithmetic is float32.

    numpy turns float16 into float32 number by number. Here a block's bits are moved instead: sign and the fifteen bits
    below it, thirteen places up, are the float32 of 2^-112 times the number, and the query is 2^112 times as long.
    """

    kept_as = np.float16

    def _products(self, rows: npt.NDArray[Any], columns: FloatArray) -> FloatArray:
        found = np.empty((columns.shape[1], len(rows)), np.float32)
        long = columns * np.float32(2.0**112)
        bits = np.empty((_BLOCK_ROWS, len(columns)), np.int32)
        for at in range(0, len(rows), _BLOCK_ROWS):
            half = rows[at : at + _BLOCK_ROWS].view(np.int16)
            block = bits[: len(half)]
            np.left_shift(half, 13, out=block, dtype=np.int32)
            np.bitwise_and(block, _SIGN_AND_BITS, out=block)
            found[:, at : at + _BLOCK_ROWS] = (block.view(np.float32) @ long).T
        return found


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
        raise DataError(f"the index already holds the id {twice!r}")

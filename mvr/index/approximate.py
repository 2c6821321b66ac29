"""Indexes for more rows than exact search looks at in time: compressed codes find candidates, exact scores rank them.

faiss searches codes of the whole branch rows by inner product with [w_1 z; ...; w_B z]; the `effort` best candidates
are read from the stored vectors (float16, memory-mapped when large) and scored exactly at these weights. So every
score is exact, and what can be missed is measured: `mvr.index.recall` finds the effort that reaches a wanted recall
on given queries, and both numbers are saved with the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.errors import DataError
from mvr.index.exact import HalfIndex, top
from mvr.index.index import Hits, IndexSettings, check_k, check_query
from mvr.index.mixture import GramArray, divide_by_lengths, mixed_lengths, mixed_query

DEFAULT_EFFORT = 1000
_GATHER_ROWS = 20_000  # as many allowed rows, or fewer, are scored one and all


def factory(kind: str, width: int, rows: int) -> str:
    """faiss's recipe for a kind, for vectors `width` wide: 2-bit RaBitQ codes (Gao et al. 2025), a graph over float16,
    or about 4 sqrt(rows) inverted lists with product quantisation, four bits for every few dimensions."""
    lists = _lists(rows)
    parts = max(m for m in (1, 2, 4, 8, 16, 32, 64) if width % m == 0)
    return {"rabitq": "RaBitQfs2", "hnsw": "HNSW32,SQfp16", "ivfpq": f"IVF{lists},PQ{parts}x4fs"}[kind]


def training_rows(kind: str, rows: int) -> int:
    """How many of `rows` rows its codes should be trained on: 40 for every inverted list, a few for the others."""
    return min(rows, 40 * _lists(rows) if kind == "ivfpq" else 1000)


def _lists(rows: int) -> int:
    return max(1, min(65_536, int(4 * np.sqrt(rows)), rows // 40))


class ApproximateIndex(HalfIndex):
    """Rows as codes in memory and as float16 vectors, in memory or mapped from a file.

    Options (`IndexSettings.options`): `effort`, candidates scored exactly per search; `rows`, the number of rows to
    plan for (room, and the number of inverted lists). The first rows added train the codes.
    """

    def __init__(self, settings: IndexSettings) -> None:
        import faiss

        super().__init__(settings)
        width = len(settings.branches) * settings.dim
        self.effort = int(settings.options.get("effort", DEFAULT_EFFORT))
        recipe = factory(settings.kind, width, int(settings.options.get("rows", 1_000_000)))
        self._faiss: Any = faiss.index_factory(width, recipe, faiss.METRIC_INNER_PRODUCT)

    @property
    def codes(self) -> Any:
        """The faiss index."""
        return self._faiss

    def _keep(self, ids: Sequence[str], rows: npt.NDArray[Any]) -> None:
        """Codes of the rows as kept, so that several adds and one give the same codes."""
        if not len(rows):
            return
        wide = rows.astype(np.float32)
        self.train(wide)
        self._faiss.add(wide.reshape(len(wide), -1))
        super()._keep(ids, rows)

    def train(self, rows: FloatArray) -> None:
        """Fit the codes to a sample (n, B, D), once.

        Raises:
            DataError: too few rows for this kind.
        """
        if self._faiss.is_trained:
            return
        try:
            self._faiss.train(rows.reshape(len(rows), -1))
        except RuntimeError as error:
            raise DataError(
                f"{len(rows)} rows are too few to train an index of kind {self._settings.kind!r}; "
                "add more at once or use kind 'flat'"
            ) from error

    def attach(
        self, ids: Sequence[str], vectors: npt.NDArray[Any], grams: GramArray, codes: Any | None = None
    ) -> None:
        """Take over rows that are stored already: mapped vectors (N, B, D) float16, their grams, filled codes."""
        self._faiss = self._faiss if codes is None else codes
        assert self._faiss.ntotal == len(ids) == len(vectors) == len(grams)
        self._ids, self._known = list(ids), set(ids)
        self._rows = self._room = (vectors, grams)

    def search(
        self,
        query: FloatArray,
        weights: FloatArray,
        k: int,
        *,
        allowed: npt.NDArray[np.bool_] | None = None,
    ) -> Hits:
        """The k best rows among the candidates; see `Index.search`."""
        unit = mixed_query(check_query(query, weights, self._settings), weights)
        weighted = (weights[:, None] * unit).astype(np.float32).reshape(1, -1)
        fetch = max(self.effort, check_k(k))
        candidates = self._candidates(weighted, fetch, allowed)
        rows = np.asarray(self.vectors[candidates], np.float32).reshape(len(candidates), weighted.shape[1])
        scores = divide_by_lengths(rows @ weighted[0], mixed_lengths(self.grams[candidates], weights))
        found = top(scores, k)
        return Hits(rows=candidates[found.rows], scores=found.scores)

    def _candidates(
        self, weighted: FloatArray, fetch: int, allowed: npt.NDArray[np.bool_] | None
    ) -> npt.NDArray[np.int64]:
        """Row numbers to score, ascending."""
        if allowed is not None and np.count_nonzero(allowed) <= max(_GATHER_ROWS, fetch):
            return np.flatnonzero(allowed)
        if allowed is not None:  # a share of what is found will be thrown away
            fetch = int(fetch * len(allowed) / np.count_nonzero(allowed))
        fetch = min(fetch, len(self))
        if fetch == len(self):
            found = np.arange(fetch)
        else:
            found = self._faiss.search(weighted, fetch, params=self._parameters(fetch))[1][0]
        found = np.sort(found[found >= 0])  # ascending: a mapped file is read forwards
        kept: npt.NDArray[np.int64] = found if allowed is None else found[allowed[found]]
        return kept

    def _parameters(self, fetch: int) -> Any:
        import faiss

        # mypy reads faiss's generated stubs, which lack these two
        if self._settings.kind == "hnsw":
            return faiss.SearchParametersHNSW(efSearch=fetch)  # type: ignore[attr-defined]
        if self._settings.kind == "ivfpq":
            lists = min(self._faiss.nlist, max(1, fetch // 8))
            return faiss.SearchParametersIVF(nprobe=lists)  # type: ignore[call-arg]
        return None

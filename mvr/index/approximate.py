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
from mvr.index.exact import HalfIndex, top
from mvr.index.index import Hits, IndexSettings, check_k, check_query
from mvr.index.mixture import GramArray, divide_by_lengths, mixed_lengths, mixed_query

DEFAULT_EFFORT = 1000
_GATHER_ROWS = 20_000  # as many allowed rows, or fewer, are scored one and all
CODES = "RaBitQfs2"  # faiss's name for 2-bit RaBitQ codes (Gao et al. 2025): no graph, next to no training
TRAINING_ROWS = 1000  # that they are fitted to


class ApproximateIndex(HalfIndex):
    """Rows as codes in memory and as float16 vectors, in memory or mapped from a file.

    Options (`IndexSettings.options`): `effort`, candidates scored exactly per search; `rows`, the number of rows to
    make room for. The first rows added train the codes.
    """

    def __init__(self, settings: IndexSettings) -> None:
        import faiss

        super().__init__(settings)
        width = len(settings.branches) * settings.dim
        self.effort = int(settings.options.get("effort", DEFAULT_EFFORT))
        self._faiss: Any = faiss.index_factory(width, CODES, faiss.METRIC_INNER_PRODUCT)

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
        """Fit the codes to a sample (n, B, D), once."""
        if not self._faiss.is_trained:
            self._faiss.train(rows.reshape(len(rows), -1))

    def attach(
        self, ids: Sequence[str], vectors: npt.NDArray[Any], grams: GramArray, codes: Any | None = None
    ) -> None:
        """Take over rows that are stored already: mapped vectors (N, B, D) float16, their grams, filled codes."""
        self._faiss = self._faiss if codes is None else codes
        assert self._faiss.ntotal == len(ids)
        super().attach(ids, vectors, grams)

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
        found = np.arange(fetch) if fetch == len(self) else self._faiss.search(weighted, fetch)[1][0]
        found = np.sort(found[found >= 0])  # ascending: a mapped file is read forwards
        kept: npt.NDArray[np.int64] = found if allowed is None else found[allowed[found]]
        return kept

"""An exact index on faiss, the peer of ours in benchmarks: `IndexFlatIP` over branch rows, on a GPU if there is one.

faiss ranks by the inner product of [w_1 z; ...; w_B z] with the stored [t_1; ...; t_B], which is the score
times the length of the row's mixture. Lengths differ between rows, so the k best products are not the k best
scores. Every unseen row's product is at most the last one fetched, p, and its length at least the shortest
there is, m: its score is at most p / m (p >= 0). Once the k-th best score found beats that, the answer is
exact; until then more is fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.index.exact import NumpyIndex, top
from mvr.index.index import Hits, IndexSettings, check_k, check_query
from mvr.index.mixture import divide_by_lengths, mixed_lengths, mixed_query

_FIRST_FETCH = 64  # rows asked for at first, at least; four times as many with each further round
_GIVE_UP = 0.25  # a fetch of more than this share of all rows costs more than looking at them all


class FaissFlatIndex(NumpyIndex):
    """Same answers as `NumpyIndex`, found by faiss's inner-product kernels."""

    def __init__(self, settings: IndexSettings) -> None:
        import faiss

        super().__init__(settings)
        self._faiss = _on_gpu(faiss.IndexFlatIP(len(settings.branches) * settings.dim))

    def add(self, ids: Sequence[str], vectors: FloatArray, *, system: str | None = None) -> None:
        """Add rows (n, B, D); see `Index.add`."""
        before = len(self)
        super().add(ids, vectors, system=system)
        added = self.vectors[before:]
        self._faiss.add(added.reshape(len(added), -1))

    def search(
        self,
        query: FloatArray,
        weights: FloatArray,
        k: int,
        *,
        allowed: npt.NDArray[np.bool_] | None = None,
    ) -> Hits:
        """The k best rows; see `Index.search`."""
        unit = mixed_query(check_query(query, weights, self.settings), weights)
        if allowed is not None or not len(self):
            return super().search(query, weights, check_k(k), allowed=allowed)
        lengths = mixed_lengths(self._rows[1], weights)
        weighted = (weights[:, None] * unit).astype(np.float32).reshape(1, -1)
        fetch = max(_FIRST_FETCH, 2 * check_k(k))
        while fetch <= _GIVE_UP * len(self):
            (products,), (rows,) = self._faiss.search(weighted, fetch)
            last = float(products[-1])
            ascending = np.argsort(rows)  # faiss lists equal products from the highest row down
            products, rows = products[ascending], rows[ascending]
            scores = divide_by_lengths(products, lengths[rows])
            if _is_complete(last, scores, k, float(lengths.min())):
                found = top(scores, k)
                return Hits(rows=rows[found.rows], scores=found.scores)
            fetch *= 4
        return super().search(query, weights, k)


def _is_complete(last: float, scores: FloatArray, k: int, shortest: float) -> bool:
    """Whether no unseen row, whose product is `last` at most, can belong to the k best."""
    if last < 0 or shortest <= 0:
        return False
    return bool(np.partition(scores, len(scores) - k)[len(scores) - k] > last / shortest)


def _on_gpu(index: Any) -> Any:
    """The index on all GPUs (each a copy), or as it is where there is none."""
    import faiss

    return faiss.index_cpu_to_all_gpus(index) if faiss.get_num_gpus() else index

"""pgvector's own way, as a peer: HNSW graphs over both ends of the slider, which together serve every alpha.

A row's score is the cosine of its mixture, and the mixture moves with alpha, so no graph over whole rows follows it. Of
a million rows the ten best were, at six alphas, among the first 250 of one of the two ends (LOG.md). A search asks each
end that has weight for the rows nearest to the query's mixture and orders them by score, in one statement.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from mvr.datatypes import FloatArray, branch_weights
from mvr.errors import IndexUnreachable
from mvr.index.mixture import mixed_query
from mvr.index.recall import ALPHAS, WANTED_RECALL
from mvr.index.remote import Space, search
from mvr.index.remote.lines import score_of

LIMIT_S = 3600  # of both together
EFFORTS = (250, 500, 1000, 2000, 4000, 8000)  # rows asked for, of all graphs together
_LINKS, _LOOKED_AT = 16, 64  # pgvector's defaults
_MEMORY_MB = 3000  # while a graph of a million rows is built
_MOST_EF = 1000  # pgvector's limit; a wider search goes on from there
_ROWS = 40  # so that ten items are among them


class Graphs:
    """Two graphs over a filled table of two branches; `place` is a `PgvectorPlace`."""

    def __init__(self, place: Any, space: Space) -> None:
        self._place, self._space = place, space
        self._table = f"mvr_segments_{space.key}"

    def build(self) -> str:
        """Make what is not there; why not, where that takes longer than `LIMIT_S`."""
        until = time.monotonic() + LIMIT_S
        try:
            for end in (0, 1):
                with self._place.transaction() as connection:
                    left_ms = max(int(1000 * (until - time.monotonic())), 1)  # 0 would be no limit
                    connection.execute(f"SET LOCAL statement_timeout = {left_ms}")
                    connection.execute(f"SET LOCAL maintenance_work_mem = '{_MEMORY_MB}MB'")
                    connection.execute(
                        f"CREATE INDEX IF NOT EXISTS peer_graph_{end} ON {self._table} USING hnsw "
                        f"({self._vector(end)} halfvec_ip_ops) WITH (m = {_LINKS}, ef_construction = {_LOOKED_AT})"
                    )
        except IndexUnreachable as error:
            return str(error)
        return ""

    def calibrate(self, queries: FloatArray, k: int = 10) -> int:
        """The least effort that finds .99 of the k best items at the worst alpha, or the most."""
        asks = [(query, branch_weights(alpha, 2)) for alpha in ALPHAS for query in queries]
        finder, self._place.finder = self._place.finder, None
        truths = [
            {hit.position - 1 for hit in search(self._place, self._space, query[None], weights, k).items}
            for query, weights in asks
        ]
        self._place.finder = finder
        for effort in EFFORTS:
            found = [set(self.find(query, weights, effort, k)) for query, weights in asks]
            shares = [len(best & here) / k for best, here in zip(truths, found, strict=True)]
            if np.reshape(shares, (len(ALPHAS), -1)).mean(axis=1).min() >= WANTED_RECALL:
                break
        return effort

    def find(self, query: FloatArray, weights: FloatArray, effort: int, k: int) -> list[int]:
        """Numbers of the k best items among so many rows."""
        unit = mixed_query(query, weights)
        ends = [end for end in (0, 1) if weights[end]]
        share = -(-effort // len(ends))
        parts = " UNION ".join(
            f"(SELECT * FROM {self._table} ORDER BY {self._vector(end)} <#> %s LIMIT {share})" for end in ends
        )
        weighted = self._place.vector_value((weights[:, None] * unit).ravel())
        score = score_of("-(r.embedding <#> %s)", weights)
        with self._place.transaction() as connection:
            for setting in self._settings(share):
                connection.execute(f"SET LOCAL {setting}")
            lines = connection.execute(
                f"SELECT r.position FROM ({parts}) r ORDER BY {score} DESC, r.position LIMIT {_ROWS}",
                [*[self._place.vector_value(unit)] * len(ends), weighted],
            ).fetchall()
        return list(dict.fromkeys(int(line[0]) - 1 for line in lines))[:k]

    def _settings(self, share: int) -> list[str]:
        """By default a graph hands out 40 rows, and a wide search ends early, without a word."""
        return [
            f"hnsw.ef_search = {min(max(share, 40), _MOST_EF)}",
            "hnsw.iterative_scan = relaxed_order",
            f"hnsw.max_scan_tuples = {max(20_000, 40 * share)}",
            "work_mem = '64MB'",
            "enable_seqscan = off",
        ]

    def _vector(self, end: int) -> str:
        dim = self._space.dim
        return f"(subvector(embedding, {end * dim + 1}, {dim})::halfvec({dim}))"

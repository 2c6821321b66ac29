"""Two graphs for every alpha: pgvector's HNSW over the two ends of the slider.

A row's score is the cosine of its mixture, and the mixture moves with alpha, so no graph over whole rows follows it.
One graph holds the rows' first branch, the other the sum of their other branches, both of unit length. A search asks
each end that has weight for the rows nearest to the query's own mixture, and what they hand out is scored by the
mixture itself. Of a million rows the ten best were, at six alphas, among the first 250 of one of the two (LOG.md);
how far a graph must look to find those is measured when it is made. Links are few and looks are many: more links
would make a search shorter and the making much longer.
"""

from __future__ import annotations

import numpy as np

from mvr.datatypes import FloatArray
from mvr.index.remote.place import Space

LINKS, LOOKED_AT = 12, 48  # of a new row: its links (twice as many at the bottom), and rows compared for them
ROW_BYTES = 450  # of a row's links and header while a graph is built, beside its vector
_MOST_EF = 1000  # pgvector's own limit; a wider search goes on from there
_SEARCH_MEMORY_MB = (
    64  # of the rows that one search sees; by default a wide one would end early, without a word
)


def ends(space: Space) -> list[tuple[int, ...]]:
    """The branches of each graph: the first, and all others."""
    others = tuple(range(1, len(space.branches)))
    return [(0,), others] if others else [(0,)]


def graph_names(space: Space) -> list[str]:
    """What the graphs are called."""
    return [f"mvr_graph_{space.key}_{number}" for number in range(len(ends(space)))]


def create_statements(space: Space) -> list[str]:
    """Statements that make the graphs; one that is there is left."""
    return [
        f"CREATE INDEX IF NOT EXISTS {name} ON mvr_segments_{space.key} "
        f"USING hnsw ({_mixture(end, space.dim)} halfvec_ip_ops) "
        f"WITH (m = {LINKS}, ef_construction = {LOOKED_AT})"
        for name, end in zip(graph_names(space), ends(space), strict=True)
    ]


def settings(effort: int) -> list[str]:
    """What must be set for a search of `effort` rows: by default a graph hands out 40, and fewer behind deletions."""
    return [
        f"SET LOCAL hnsw.ef_search = {min(max(effort, 40), _MOST_EF)}",
        "SET LOCAL hnsw.iterative_scan = relaxed_order",
        f"SET LOCAL hnsw.max_scan_tuples = {max(20_000, 40 * effort)}",
        f"SET LOCAL work_mem = '{_SEARCH_MEMORY_MB}MB'",
        "SET LOCAL enable_seqscan = off",  # sorting a small table is another search than the one that was measured
    ]


def candidates_of(space: Space, weights: FloatArray, effort: int) -> tuple[str, int]:
    """A table of rows near the query's mixture, as many from each graph whose end has weight, some of them twice.

    Args:
        space: which rows.
        weights: (B,) of the branches.
        effort: rows in all: two graphs need not look as far as one.

    Returns:
        The table as an expression, and how many times the mixture, (D,), is a value in it.
    """
    asked = [end for end in ends(space) if np.any(weights[list(end)] != 0)]
    share = -(-effort // len(asked))
    parts = [
        # no other form is answered by a graph
        f"(SELECT * FROM mvr_segments_{space.key} ORDER BY {_mixture(end, space.dim)} <#> ? LIMIT {share})"
        for end in asked
    ]
    return f"({' UNION ALL '.join(parts)})", len(parts)


def _mixture(end: tuple[int, ...], dim: int) -> str:
    """An end's vector as an expression."""
    parts = [f"subvector(embedding, {branch * dim + 1}, {dim})" for branch in end]
    mixed = parts[0] if len(parts) == 1 else f"l2_normalize({' + '.join(parts)})"
    return f"({mixed}::halfvec({dim}))"

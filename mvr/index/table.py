"""The table of kinds."""

from __future__ import annotations

from typing import Any

from mvr.config.named import named
from mvr.errors import UsageError
from mvr.index.index import Index, IndexSettings

# kind -> "module:class"
KINDS = {
    "numpy": "mvr.index.exact:NumpyIndex",
    "half": "mvr.index.exact:HalfIndex",
    "rabitq": "mvr.index.approximate:ApproximateIndex",
}


def index_kinds() -> list[str]:
    """Kinds that `create_index` knows."""
    return sorted(KINDS)


def create_index(
    kind: str, dim: int, branches: tuple[str, ...], *, system: str = "", options: dict[str, Any] | None = None
) -> Index:
    """Create an empty index of a kind.

    Args:
        kind: see `index_kinds`; "numpy" is exact, "half" is exact for rows kept as float16.
        dim: D, width of one branch.
        branches: names of the branches, the first "ssl".
        system: identity of the system whose embeddings it will hold.
        options: `rows` to make room for, `effort` of an approximate kind.

    Raises:
        UsageError: an unknown kind.
    """
    if kind not in KINDS:
        raise UsageError(f"unknown index kind {kind!r}; choose from {', '.join(index_kinds())}")
    settings = IndexSettings(kind=kind, dim=dim, branches=branches, system=system, options=options or {})
    index: Index = named(KINDS[kind])(settings)
    return index

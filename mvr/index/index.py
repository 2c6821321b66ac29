"""What every index does, whatever its kind, and the checks they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, JsonDict
from mvr.errors import DataError, NotFinite, UsageError, WrongShape
from mvr.index.mixture import CrossProducts

UNIT_TOLERANCE = 2e-3  # float16 keeps a unit vector's length to about 5e-4


@dataclass(frozen=True, kw_only=True)
class IndexSettings:
    """What an index is of; saved beside it and compared on loading.

    Attributes:
        kind: "numpy", "half", or the approximate "rabitq".
        dim: D, width of one branch.
        branches: B names, the first "ssl".
        system: identity of the system whose embeddings it holds ("" where there is none).
        options: numbers that change the structure of an approximate kind.
    """

    kind: str
    dim: int
    branches: tuple[str, ...]
    system: str = ""
    options: JsonDict = field(default_factory=dict)

    def to_json(self) -> JsonDict:
        """JSON-able form."""
        return asdict(self) | {"branches": list(self.branches)}


@dataclass(frozen=True, kw_only=True)
class Hits:
    """The best rows of one search, best first; at most k, fewer when the index (or `allowed`) holds fewer.

    Attributes:
        rows: (k,) row numbers in the order of adding.
        scores: (k,) cosines of the mixtures, exact for the stored vectors whatever the kind of index.
    """

    rows: npt.NDArray[np.int64]
    scores: FloatArray


class Index(Protocol):
    """Holds (N, B, D) unit-length branch vectors under N ids; searched at any weights of the branches."""

    @property
    def settings(self) -> IndexSettings:
        """What it is of."""

    @property
    def ids(self) -> list[str]:
        """N ids in row order."""

    @property
    def vectors(self) -> npt.NDArray[Any]:
        """The stored (N, B, D) vectors."""

    def __len__(self) -> int: ...

    def add(self, ids: Sequence[str], vectors: FloatArray, *, system: str | None = None) -> None:
        """Add rows (n, B, D).

        Raises:
            NotFinite, WrongShape: vectors that do not fit.
            DataError: not of unit length, or an id that is there already.
            UsageError: `system` is given and another one's.
        """

    def search(
        self,
        query: FloatArray,
        weights: FloatArray,
        k: int,
        *,
        allowed: npt.NDArray[np.bool_] | None = None,
    ) -> Hits:
        """The k best rows for a query (B, D) at weights (B,), among the rows where `allowed` (N,) is true."""

    def cross(self, query: FloatArray, first: int = 0) -> CrossProducts:
        """The query (B, D) against every row, or those from `first` on, for re-ranking at any weights."""


def check_rows(vectors: npt.NDArray[Any], settings: IndexSettings, what: str = "the vectors") -> FloatArray:
    """(N, B, D) float32, refused when it does not fit the index."""
    wanted = (len(settings.branches), settings.dim)
    if vectors.ndim != 3 or vectors.shape[1:] != wanted:
        raise WrongShape(
            f"{what} have shape {vectors.shape}, the index holds (N, {wanted[0]}, {wanted[1]}): "
            f"branches {', '.join(settings.branches)}, width {settings.dim}"
        )
    rows = np.ascontiguousarray(vectors, np.float32)
    lengths = np.sqrt(np.einsum("nbd,nbd->nb", rows, rows))
    if not np.isfinite(lengths).all():
        raise NotFinite(f"{what}: NaN or infinity in row {int(np.argmin(np.isfinite(lengths).all(axis=1)))}")
    wrong = np.abs(lengths - 1) > UNIT_TOLERANCE
    if wrong.any():
        row, branch = (int(i) for i in np.argwhere(wrong)[0])
        raise DataError(
            f"{what}: row {row} has length {lengths[row, branch]:.4g} in branch "
            f"{settings.branches[branch]!r}; normalise it to 1 first"
        )
    return rows


def check_query(query: npt.NDArray[Any], weights: npt.NDArray[Any], settings: IndexSettings) -> FloatArray:
    """(B, D) float32 query, refused when it or the weights do not fit the index."""
    wanted = (len(settings.branches), settings.dim)
    if query.shape != wanted:
        raise WrongShape(f"the query has shape {query.shape}, the index needs {wanted}")
    if weights.shape != wanted[:1]:
        raise WrongShape(
            f"the weights have shape {weights.shape}, the index has {wanted[0]} branches: "
            f"{', '.join(settings.branches)}"
        )
    if not (np.isfinite(query).all() and np.isfinite(weights).all()):
        raise NotFinite("the query or its weights hold NaN or infinity")
    return np.ascontiguousarray(query, np.float32)


def check_system(settings: IndexSettings, system: str | None) -> None:
    """Refuse vectors that another system made."""
    if system is not None and system != settings.system:
        raise UsageError(
            f"these vectors come from system {system!r}, the index holds those of {settings.system!r}; "
            "embed the items with that system or build a new index"
        )


def check_k(k: int) -> int:
    """Refuse a k below 1."""
    if k < 1:
        raise UsageError(f"k must be at least 1, not {k}")
    return k

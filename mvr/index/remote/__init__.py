"""Indexes that lie in a database and serve several machines: one protocol, one search, one table of addresses."""

from __future__ import annotations

from pathlib import Path

from mvr.config.extras import has
from mvr.errors import UsageError
from mvr.index.recall import Measured
from mvr.index.remote.codes import KeptCodes
from mvr.index.remote.mixed import FoundMixture, MixedItem, Part, search_mixture
from mvr.index.remote.place import Holding, Place, Row, Space, StoredItem, Wanted
from mvr.index.remote.search import Found, FoundItem, measure_recall, search

__all__ = [
    "Found",
    "FoundItem",
    "FoundMixture",
    "Holding",
    "KeptCodes",
    "Measured",
    "MixedItem",
    "Part",
    "Place",
    "Row",
    "Space",
    "StoredItem",
    "Wanted",
    "check_address",
    "measure_recall",
    "open_place",
    "search",
    "search_mixture",
]


def check_address(url: str) -> None:
    """Refuse an address of no kind that there is, or that cannot be read, without asking it. Raises UsageError."""
    if url.startswith("duckdb:"):
        name = url.removeprefix("duckdb:")
        if not name or name.startswith(":") or "://" in name:  # in memory, or on the network
            raise UsageError(f"an index in DuckDB lies in a file: write duckdb:FILE, not {url!r}")
    elif not url.startswith(("postgresql://", "postgres://")):
        raise UsageError(
            f"unknown index address {url!r}; choose from postgresql://USER@HOST/DATABASE, duckdb:FILE"
        )
    elif has("psycopg"):
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict

        try:
            conninfo_to_dict(url)
        except ProgrammingError:  # it quotes what it cannot read, which may be a password
            raise UsageError(
                "the address of the index on PostgreSQL cannot be read; write postgresql://USER@HOST/DATABASE, with "
                "%40 for an @ in a password"
            ) from None


def open_place(url: str, *, read_only: bool = True, patience_s: int = 30) -> Place:
    """Open the index at an address: `postgresql://...` or `duckdb:FILE`.

    Args:
        url: the address.
        read_only: for searching.
        patience_s: how long a server may take for one statement.

    Raises:
        UsageError: another kind of address. IndexUnreachable: it does not answer, or there is no such file.
        ExtraMissing: the database's driver is not installed.
    """
    check_address(url)
    if not url.startswith("duckdb:"):
        from mvr.index.remote.pgvector import PgvectorPlace

        return PgvectorPlace(url, patience_s=patience_s)
    from mvr.index.remote.duckdb import DuckdbPlace

    return DuckdbPlace(Path(url.removeprefix("duckdb:")).expanduser(), read_only=read_only)

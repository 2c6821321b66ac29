"""Indexes that lie in a database and serve several machines: one protocol, one search, one table of addresses."""

from __future__ import annotations

from pathlib import Path

from mvr.errors import UsageError
from mvr.index.recall import Measured
from mvr.index.remote.place import Holding, Place, Row, Space, StoredItem, Wanted
from mvr.index.remote.search import Found, FoundItem, measure_recall, search

__all__ = [
    "Found",
    "FoundItem",
    "Holding",
    "Measured",
    "Place",
    "Row",
    "Space",
    "StoredItem",
    "Wanted",
    "measure_recall",
    "open_place",
    "search",
]


def open_place(url: str, *, read_only: bool = True) -> Place:
    """Open the index at an address: `postgresql://...` or `duckdb:FILE`.

    Raises:
        UsageError: another kind of address. IndexUnreachable: it does not answer, or there is no such file.
        ExtraMissing: the database's driver is not installed.
    """
    if url.startswith(("postgresql://", "postgres://")):
        from mvr.index.remote.pgvector import PgvectorPlace

        return PgvectorPlace(url)
    if url.startswith("duckdb:"):
        from mvr.index.remote.duckdb import DuckdbPlace

        return DuckdbPlace(Path(url.removeprefix("duckdb:")).expanduser(), read_only=read_only)
    raise UsageError(
        f"unknown index address {url!r}; choose from postgresql://USER@HOST/DATABASE, duckdb:FILE"
    )

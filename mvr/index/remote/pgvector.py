"""An index on PostgreSQL with the extension pgvector: the database that holds the votes can hold it, too.

Rows are `halfvec`. Without a graph every row is looked at, and lists are proven; `build_graph` makes an HNSW graph,
after which lists are quicker and only measured. What would be wrong without an error is seen to: `ef_search` follows
the number of candidates, filters and deleted rows are made up for by iterative scans, and VACUUM follows a removal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from mvr.config.extras import need
from mvr.datatypes import FloatArray
from mvr.errors import IndexUnreachable
from mvr.index.remote.place import Space
from mvr.index.remote.sql import SqlPlace

_MOST_EF = 1000  # pgvector's own limit of hnsw.ef_search
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000


class PgvectorPlace(SqlPlace):
    """Args: url: postgresql://..."""

    mark = "%s"
    lock = " FOR UPDATE"

    def __init__(self, url: str) -> None:
        need("psycopg", "an index on PostgreSQL", "servers")
        need("pgvector", "an index on PostgreSQL", "servers")
        import psycopg

        self._url = url
        self.lost = (psycopg.OperationalError, psycopg.errors.QueryCanceled)

    def vector_type(self, width: int) -> str:
        """float16."""
        return f"halfvec({width})"

    def product(self, width: int) -> str:
        """`<#>` is the negative inner product; only its plain ascending order uses a graph."""
        return "-(r.embedding <#> ?)"

    def order(self, space: Space, exact: bool) -> str:
        """Ties by position where every row is looked at; a further key would leave a graph unused."""
        return "r.embedding <#> ?" + (", i.position, r.number" if exact else "")

    def overlap(self, column: str) -> str:
        """Lists of words."""
        return f"{column} && ?::text[]"

    def vector_value(self, row: FloatArray) -> Any:
        """As pgvector's half vector."""
        from pgvector import HalfVector

        return HalfVector(row.astype(np.float16))

    def sent_query(self, weighted: FloatArray) -> FloatArray:
        """Half precision, as the rows; what that loses is in the slack."""
        return weighted.astype(np.float16).astype(np.float32)

    def read_vector(self, value: Any) -> FloatArray:
        """From a half vector."""
        row: FloatArray = np.asarray(value.to_numpy(), np.float32)
        return row

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """A transaction of its own connection, with time limits."""
        import psycopg
        from pgvector.psycopg import register_vector

        options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
        with psycopg.connect(self._url, connect_timeout=CONNECT_TIMEOUT_S, options=options) as connection:
            try:
                register_vector(connection)
            except psycopg.ProgrammingError:
                self._create_extension(connection)
                register_vector(connection)
            yield connection

    def _create_extension(self, connection: Any) -> None:
        import psycopg

        try:
            connection.rollback()
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            connection.commit()
        except psycopg.Error as error:
            raise IndexUnreachable(
                "this PostgreSQL has no extension pgvector; install it there (Debian: postgresql-NN-pgvector) and "
                "let its administrator run CREATE EXTENSION vector"
            ) from error

    def exact(self, connection: Any, space: Space) -> bool:
        """Until there is a graph."""
        query = "SELECT count(*) FROM pg_indexes WHERE indexname = %s"
        return not connection.execute(query, [f"mvr_graph_{space.key}"]).fetchone()[0]

    def prepare_search(self, connection: Any, space: Space, count: int) -> None:
        """A graph hands out `ef_search` rows at most, and fewer behind filters and deletions."""
        if not self.exact(connection, space):
            connection.execute(f"SET LOCAL hnsw.ef_search = {min(max(count, 40), _MOST_EF)}")
            connection.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")

    def build_graph(self, space: Space) -> None:
        """Make the HNSW graph of a space; minutes for a million rows."""
        with self.transaction() as connection:
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute(
                f"CREATE INDEX IF NOT EXISTS mvr_graph_{space.key} ON mvr_rows_{space.key} "
                "USING hnsw (embedding halfvec_ip_ops)"
            )

    def after_removal(self, space: Space) -> None:
        """Deleted rows hide live ones in a graph until VACUUM."""
        import psycopg

        with psycopg.connect(self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            connection.execute(f"VACUUM mvr_rows_{space.key}")

    def close(self) -> None:
        """Connections close with their transactions."""

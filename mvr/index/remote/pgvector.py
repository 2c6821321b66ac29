"""An index on PostgreSQL with the extension pgvector: the database that holds the votes can hold it, too.

Rows are `halfvec`, and every row is compared; `mvr.index.remote.codes` says which ones are worth it where that takes
too long. pgvector's own graphs are left aside: the mixture moves with alpha, which takes two of them, each half an hour
of building for a million rows, and on rows without clusters they are no quicker (LOG.md, `eval.index`).
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.config.extras import need
from mvr.datatypes import FloatArray
from mvr.errors import IndexUnreachable
from mvr.index.remote.lines import ItemLine, Line
from mvr.index.remote.place import Space
from mvr.index.remote.sql import SqlPlace

_STATEMENTS = 4  # of one transaction may take as long as each of them may
_TRUSTED_S = 1.0  # an idle connection is asked whether it still answers after this long
CONNECT_TIMEOUT_S = 5


class PgvectorPlace(SqlPlace):
    """Args: url: postgresql://...; patience_s: how long one statement may take."""

    mark = "%s"
    change_key = ", PRIMARY KEY (version, position)"
    lock = " FOR UPDATE"
    # the standard's view shows nothing of a table that one may not read
    columns_query = (
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('mvr_indexes') AND attnum > 0"
    )

    def __init__(self, url: str, *, patience_s: int = 30) -> None:
        need("psycopg", "an index on PostgreSQL", "servers")
        need("pgvector", "an index on PostgreSQL", "servers")
        import psycopg

        self._url, self._patience_s = url, patience_s
        self._idle: deque[tuple[float, Any]] = deque()  # (since, connection); its ends are thread-safe
        weakref.finalize(self, _close, self._idle)
        errors = psycopg.errors
        self.lost = (
            psycopg.OperationalError, errors.QueryCanceled, errors.UndefinedTable, errors.UndefinedColumn,
            errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction,
        )  # fmt: skip

    def vector_type(self, width: int) -> str:
        """float16."""
        return f"halfvec({width})"

    def product(self, width: int) -> str:
        """`<#>` is the negative inner product."""
        return "-(r.embedding <#> ?)"

    def exact_product(self, width: int) -> str:
        """In float32, which a query in half precision is not."""
        return f"-(r.embedding::vector({width}) <#> ?)"

    def exact_value(self, row: FloatArray) -> Any:
        """As pgvector's vector of float32."""
        from pgvector import Vector

        return Vector(row)

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

    def read_rows(
        self, connection: Any, statement: str, values: Sequence[Any]
    ) -> tuple[npt.NDArray[Any], ...]:
        """In binary: as text, reading the vectors takes longer than finding them."""
        lines = connection.execute(statement.replace("?", self.mark), list(values), binary=True).fetchall()
        vectors = [np.asarray(line[2].to_numpy(), np.float32) for line in lines]
        columns = [
            np.array([line[at] for line in lines], kind) for at, kind in ((0, int), (1, int), (3, float))
        ]
        return columns[0], columns[1], np.array(vectors, np.float32), columns[2]

    def insert_items(self, connection: Any, space: Space, lines: list[ItemLine]) -> None:
        """As a binary copy: statement by statement it takes ten times as long."""
        types = ["text", "int8", "text", "text", "text[]", "text[]", "text", "bool", "float8", "float8"]
        types += ["text"]
        self._copy(connection, f"mvr_items_{space.key}", types, lines)

    def insert_rows(self, connection: Any, space: Space, lines: list[Line]) -> None:
        """As a binary copy."""
        types = ["int8", "int4", "float8", "float8", "text", "halfvec"]
        types += ["float8"] * (len(lines[0]) - len(types))
        values = ((*line[:5], self.vector_value(line[5]), *line[6:]) for line in lines)
        self._copy(connection, f"mvr_segments_{space.key}", types, values)

    def _copy(self, connection: Any, table: str, types: list[str], lines: Iterable[tuple[Any, ...]]) -> None:
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types)
            for line in lines:
                copy.write_row(line)

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """A transaction; its connection is kept for the next one, unless something went wrong on it."""
        connection = self._borrow()
        try:
            with self._watched(connection), connection.transaction():
                yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append((time.monotonic(), connection))

    def _borrow(self) -> Any:
        """A kept connection that still answers, or a new one with time limits."""
        import psycopg

        while self._idle:
            since, connection = self._idle.pop()
            try:
                if time.monotonic() - since > _TRUSTED_S:
                    with self._watched(connection):
                        connection.execute("SELECT 1")
                return connection
            except psycopg.Error:  # the server was started again, or cut it off
                connection.close()
        options = f"-c statement_timeout={1000 * self._patience_s} -c jit=off"
        connection = psycopg.connect(
            self._url, connect_timeout=CONNECT_TIMEOUT_S, options=options, autocommit=True
        )
        with self._watched(connection):
            self._learn_vectors(connection)
        return connection

    @contextmanager
    def _watched(self, connection: Any) -> Iterator[None]:
        """Cut the line to a server that says nothing any more: what is not there keeps no time limit of its own."""
        line = socket.socket(fileno=os.dup(connection.fileno()))
        guard = threading.Timer(_STATEMENTS * self._patience_s, _cut, [line])
        guard.daemon = True
        guard.start()
        try:
            yield
        finally:
            guard.cancel()
            guard.join()
            line.close()

    def _learn_vectors(self, connection: Any) -> None:
        import psycopg
        from pgvector.psycopg import register_vector

        try:
            register_vector(connection)
        except psycopg.ProgrammingError:
            self._create_extension(connection)
            register_vector(connection)

    def wait_for_makers(self, connection: Any) -> None:
        """`IF NOT EXISTS` alone does not: both see nothing, and the second one fails."""
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('mvr_indexes'))")

    def _create_extension(self, connection: Any) -> None:
        import psycopg

        try:
            with connection.transaction():
                self.wait_for_makers(connection)
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        except psycopg.Error as error:
            raise IndexUnreachable(
                "this PostgreSQL has no extension pgvector; install it there (Debian: postgresql-NN-pgvector) and "
                "let its administrator run CREATE EXTENSION vector"
            ) from error

    def close(self) -> None:
        """Close the kept connections."""
        _close(self._idle)


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it ended meanwhile
        line.shutdown(socket.SHUT_RDWR)


def _close(idle: deque[tuple[float, Any]]) -> None:
    while idle:
        idle.pop()[1].close()

"""An index in a DuckDB file, on this disk or on storage that several machines share: every row is looked at.

A file has one writer at a time; readers open it read-only. Inner products are float32 sums, 3e-7 off, which the slack
of a proof covers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mvr.config.extras import need
from mvr.datatypes import FloatArray
from mvr.errors import IndexUnreachable
from mvr.index.remote.place import Space
from mvr.index.remote.sql import Line, SqlPlace


class DuckdbPlace(SqlPlace):
    """Args: path: the file; made when missing. read_only: for searching."""

    number_list = "DOUBLE[]"
    text_list = "VARCHAR[]"
    member = "list_contains(?::VARCHAR[], i.id)"

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        need("duckdb", "an index in a DuckDB file", "servers")
        import duckdb

        self.lost = (duckdb.IOException, duckdb.ConnectionException)
        if read_only and not path.is_file():
            raise IndexUnreachable(
                f"there is no index at {path}; make one: mvr library push --index duckdb:{path}"
            )
        try:
            self._database = duckdb.connect(str(path), read_only=read_only)
        except duckdb.Error as error:
            raise IndexUnreachable(
                f"the index {path} cannot be opened ({str(error).strip().splitlines()[0]})"
            ) from error

    def vector_type(self, width: int) -> str:
        """DuckDB's arrays have no half precision; the numbers are those of float16."""
        return f"FLOAT[{width}]"

    def product(self, width: int) -> str:
        """The cast gives a list its length back."""
        return f"array_inner_product(r.embedding, ?::FLOAT[{width}])"

    def overlap(self, column: str) -> str:
        """Lists of words."""
        return f"list_has_any({column}, ?::VARCHAR[])"

    def vector_value(self, row: FloatArray) -> Any:
        """A list of numbers."""
        return row.tolist()

    def read_vector(self, value: Any) -> FloatArray:
        """From a tuple of numbers."""
        return np.asarray(value, np.float32)

    def insert_rows(self, connection: Any, space: Space, lines: list[Line]) -> None:
        """One insert from a table in memory: row by row it takes a hundred times as long."""
        import pyarrow as pa

        columns = list(zip(*lines, strict=True))
        flat = pa.array(np.concatenate(columns[5]).astype(np.float32))
        table = pa.table({
            "item": columns[0], "number": pa.array(columns[1], pa.int32()), "start_s": columns[2],
            "end_s": columns[3], "facts": columns[4],
            "embedding": pa.FixedSizeListArray.from_arrays(flat, space.width),
        })  # fmt: skip
        connection.register("mvr_written", table)
        connection.execute(f"INSERT INTO mvr_rows_{space.key} SELECT * FROM mvr_written")
        connection.unregister("mvr_written")

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """A transaction on a cursor of its own, so that threads do not meet."""
        with self._database.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def close(self) -> None:
        """Close the file, so that another process may write."""
        self._database.close()

"""An index in a DuckDB file, on this disk or on storage that several machines share: every row is looked at.

A file has one writer, or any number of readers, at a time. A reader goes on with a file that was put in the place of
the one it opened, so a new one may be filled beside it and renamed. Inner products are float32 sums, 3e-7 off, which
the slack of a proof covers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.config.extras import need
from mvr.datatypes import FloatArray
from mvr.errors import IndexUnreachable
from mvr.index.remote.lines import ItemLine, Line
from mvr.index.remote.place import Space
from mvr.index.remote.sql import SqlPlace
from mvr.lines import first_line


class DuckdbPlace(SqlPlace):
    """Args: path: the file; made when missing. read_only: for searching."""

    number_list = "DOUBLE[]"
    text_list = "VARCHAR[]"
    member = "i.id IN (SELECT unnest(?::VARCHAR[]))"  # joined, not compared one by one
    at = "r.position IN (SELECT unnest(?::BIGINT[]))"
    unique = row_key = change_key = (
        ""  # rows are written in order, so that minima and maxima of blocks find one: an index is memory
    )

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        need("duckdb", "an index in a DuckDB file", "servers")
        import duckdb

        self.lost = (duckdb.IOException, duckdb.ConnectionException, duckdb.CatalogException)
        if read_only and not path.is_file():
            raise IndexUnreachable(
                f"there is no index at {path}; make one: mvr library push --index duckdb:{path}"
            )
        self._path, self._read_only, self._lock = path, read_only, threading.Lock()
        self._using = 0  # transactions that have not ended
        self._database, self._opened = self._open()

    def _open(self) -> tuple[Any, int]:
        """The database, and the file that it lies in."""
        import duckdb

        try:
            database = duckdb.connect(str(self._path), read_only=self._read_only)
            # vectors hardly shrink, and are read whole
            database.execute("SET force_compression = 'uncompressed'")
            return database, self._path.stat().st_ino
        except duckdb.Error as error:
            if "lock" in str(error):
                raise IndexUnreachable(
                    f"the index {self._path} is open elsewhere, and DuckDB lets nobody write while others read; wait, "
                    "or push into a new file and rename it to this one"
                ) from error
            raise IndexUnreachable(
                f"the index {self._path} cannot be opened ({first_line(error)})"
            ) from error

    def _cursor(self) -> Any:
        """A cursor in the file that lies there now; in the one that was opened while there is none, or while somebody
        still reads that: DuckDB would open it once more."""
        with self._lock:
            if self._using == 0 and self._is_replaced():
                self._database.close()
                self._opened, self.known_columns = 0, frozenset()
                self._database, self._opened = self._open()
            cursor = self._database.cursor()
            self._using += 1
            return cursor

    def _is_replaced(self) -> bool:
        return self._read_only and self._path.is_file() and self._path.stat().st_ino != self._opened

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

    def read_rows(
        self, connection: Any, statement: str, values: Sequence[Any]
    ) -> tuple[npt.NDArray[Any], ...]:
        """Column by column: as Python numbers, vectors take longer than the search."""
        columns = connection.execute(statement, list(values)).fetchnumpy()
        positions, numbers, vectors, found = columns.values()
        return positions, numbers, np.array(list(vectors), np.float32), found

    def insert_items(self, connection: Any, space: Space, lines: list[ItemLine]) -> None:
        """One insert from a table in memory."""
        import pyarrow as pa

        columns = [list(column) for column in zip(*lines, strict=True)]
        words = pa.list_(pa.string())
        types = [pa.string(), pa.int64(), pa.string(), pa.string(), words, words, pa.string(), pa.bool_()]
        types += [pa.float64(), pa.float64(), pa.string()]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        self._insert(
            connection, f"mvr_items_{space.key}", pa.table(arrays, [f"c{n}" for n in range(len(arrays))])
        )

    def insert_rows(self, connection: Any, space: Space, lines: list[Line]) -> None:
        """One insert from a table in memory: row by row it takes a hundred times as long."""
        import pyarrow as pa

        columns = list(zip(*lines, strict=True))
        flat = pa.array(np.concatenate(columns[5]).astype(np.float32))
        table = pa.table({
            "position": columns[0], "number": pa.array(columns[1], pa.int32()), "start_s": columns[2],
            "end_s": columns[3], "facts": columns[4],
            "embedding": pa.FixedSizeListArray.from_arrays(flat, space.width),
            **{f"g{number}": column for number, column in enumerate(columns[6:])},
        })  # fmt: skip
        self._insert(connection, f"mvr_segments_{space.key}", table)

    def _insert(self, connection: Any, table: str, written: Any) -> None:
        connection.register("mvr_written", written)
        connection.execute(f"INSERT INTO {table} SELECT * FROM mvr_written")
        connection.unregister("mvr_written")

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """A transaction on a cursor of its own, so that threads do not meet."""
        cursor = self._cursor()
        try:
            cursor.execute("BEGIN")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")
        finally:
            cursor.close()
            with self._lock:
                self._using -= 1

    def close(self) -> None:
        """Close the file, so that another process may write."""
        self._database.close()

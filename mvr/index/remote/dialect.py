"""What databases that speak SQL say differently: types, marks, an inner product, how rows are written and read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.errors import IndexUnreachable
from mvr.index.remote.lines import ItemLine, Line
from mvr.index.remote.place import Space
from mvr.lines import first_line


class Dialect:
    """Base of places in a database. Subclasses say what is between the lines."""

    mark = "?"  # how a statement marks a value
    text_list = "text[]"
    number_list = "double precision[]"
    member = "i.id = ANY(?)"  # whether an item's id is in one value, a list
    at = "r.position = ANY(?)"  # whether a row's position is
    change_key = ""
    unique = " UNIQUE"
    row_key = ", PRIMARY KEY (position, number)"
    lock = ""
    rounding = 1e-6  # of the database's inner products: float32 sums
    columns_query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'mvr_indexes'"
    known_columns: frozenset[str] = frozenset()  # of the table of spaces, once they were asked for
    lost: tuple[type[Exception], ...] = ()  # the driver's errors that mean "not reachable"

    def vector_type(self, width: int) -> str:
        """Column type of a row's vector."""
        raise AssertionError

    def product(self, width: int) -> str:
        """The inner product of the column `embedding` with one value, as an expression."""
        raise AssertionError

    def exact_product(self, width: int) -> str:
        """The same with the whole query: a mixture's mean takes over what its rounding loses."""
        return self.product(width)

    def exact_value(self, row: FloatArray) -> Any:
        """The query of an `exact_product` (B * D,) as a value of a statement."""
        return self.vector_value(row)

    def overlap(self, column: str) -> str:
        """Whether a list column shares a word with one value, a list."""
        raise AssertionError

    def vector_value(self, row: FloatArray) -> Any:
        """A row (B * D,) as a value of a statement."""
        raise AssertionError

    def sent_query(self, weighted: FloatArray) -> FloatArray:
        """The query as the database will see it."""
        return weighted

    def read_rows(
        self, connection: Any, statement: str, values: Sequence[Any]
    ) -> tuple[npt.NDArray[Any], ...]:
        """Positions (n,), numbers (n,), vectors (n, B * D) and values (n,) that a statement finds."""
        raise AssertionError

    def insert_items(self, connection: Any, space: Space, lines: list[ItemLine]) -> None:
        """Write items that are not there."""
        raise AssertionError

    def insert_rows(self, connection: Any, space: Space, lines: list[Line]) -> None:
        """Write rows of items that have none."""
        raise AssertionError

    def connect(self) -> AbstractContextManager[Any]:
        """A transaction."""
        raise AssertionError

    def wait_for_makers(self, connection: Any) -> None:
        """Until nobody else makes tables: two that make the same one at once would fail."""

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A transaction whose failure is one sentence. Raises IndexUnreachable."""
        try:
            with self.connect() as connection:
                yield connection
        except self.lost as error:
            self.known_columns = frozenset()  # tables may have been dropped and made anew
            raise IndexUnreachable(
                f"the index does not answer ({first_line(error)}); nothing was lost"
            ) from error

    def run(self, connection: Any, statement: str, values: Sequence[Any] = ()) -> Any:
        """Execute a statement whose values are marked with `?`."""
        return connection.execute(statement.replace("?", self.mark), list(values))

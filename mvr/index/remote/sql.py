"""What places in SQL databases share: tables, filters, statements. A database's own words stand in its class.

Three kinds of tables: `mvr_spaces` (one line each), and for every space its items and its rows. An item's rows lie in
the same transaction as the item, so a reader sees all of an item or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from mvr.datatypes import FloatArray
from mvr.errors import IndexUnreachable, SettingsMismatch
from mvr.index.mixture import gram
from mvr.index.remote.place import (
    Candidates,
    Holding,
    Row,
    Space,
    StoredItem,
    Wanted,
    check_item,
    query_slack,
)

_NUMBERS = ("duration_s", "tempo_bpm")

Line = tuple[str, int, float, float, str, FloatArray]


class SqlPlace:
    """Base of places in a database. Subclasses say what is between the lines."""

    mark = "?"  # how a statement marks a value
    text_list = "text[]"
    number_list = "double precision[]"
    document = "text"
    member = "i.id = ANY(?)"  # whether an item's id is in one value, a list
    rounding = 1e-6  # of the database's inner products: float32 sums
    lost: tuple[type[Exception], ...] = ()  # the driver's errors that mean "not reachable"

    # --- a subclass gives these

    def vector_type(self, width: int) -> str:
        """Column type of a row's vector."""
        raise AssertionError

    def product(self, width: int) -> str:
        """The inner product of the column `embedding` with one value, as an expression."""
        raise AssertionError

    def overlap(self, column: str) -> str:
        """Whether a list column shares a word with one value, a list."""
        raise AssertionError

    def vector_value(self, row: FloatArray) -> Any:
        """A row (B * D,) as a value of a statement."""
        raise AssertionError

    def sent_query(self, weighted: FloatArray) -> FloatArray:
        """The query as the database will see it."""
        return weighted

    def read_vector(self, value: Any) -> FloatArray:
        """A row (B * D,) from a result."""
        raise AssertionError

    def connect(self) -> AbstractContextManager[Any]:
        """A transaction."""
        raise AssertionError

    def exact(self, connection: Any, space: Space) -> bool:
        """Whether candidates come from a scan of every row."""
        return True

    def prepare_search(self, connection: Any, space: Space, count: int) -> None:
        """What must be set before a search for `count` rows."""

    def order(self, space: Space, exact: bool) -> str:
        """The order of candidates."""
        return f"{self.product(space.width)} DESC, i.position, r.number"

    # --- shared

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A transaction whose failure is one sentence. Raises IndexUnreachable."""
        try:
            with self.connect() as connection:
                yield connection
        except self.lost as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise IndexUnreachable(f"the index does not answer ({reason}); nothing was lost") from error

    def run(self, connection: Any, statement: str, values: Sequence[Any] = ()) -> Any:
        """Execute a statement whose values are marked with `?`."""
        return connection.execute(statement.replace("?", self.mark), list(values))

    def _tables(self, connection: Any, space: Space) -> None:
        self.run(
            connection,
            f"CREATE TABLE IF NOT EXISTS mvr_spaces (space text PRIMARY KEY, branches text, dim integer, "
            f"announced bigint, least_gram {self.number_list})",
        )
        self.run(connection, f"CREATE SEQUENCE IF NOT EXISTS mvr_positions_{space.key}")
        self.run(
            connection,
            f"CREATE TABLE IF NOT EXISTS mvr_items_{space.key} (id text PRIMARY KEY, "
            f"position bigint UNIQUE DEFAULT nextval('mvr_positions_{space.key}'), content text, "
            f"document {self.document}, genre {self.text_list}, mood {self.text_list}, licence text, "
            "commercial boolean, duration_s double precision, tempo_bpm double precision)",
        )
        self.run(
            connection,
            f"CREATE TABLE IF NOT EXISTS mvr_rows_{space.key} (item text, number integer, start_s double precision, "
            f"end_s double precision, facts {self.document}, embedding {self.vector_type(space.width)}, "
            "PRIMARY KEY (item, number))",
        )

    def holding(self, space: Space) -> Holding | None:
        """See `Place.holding`."""
        with self.transaction() as connection:
            line = self._space(connection, space)
            if line is None:
                return None
            items = self.run(connection, f"SELECT count(*) FROM mvr_items_{space.key}").fetchone()[0]
            rows = self.run(connection, f"SELECT count(*) FROM mvr_rows_{space.key}").fetchone()[0]
            least = np.array(line[1], np.float64).reshape(len(space.branches), len(space.branches))
            return Holding(
                items=items,
                rows=rows,
                announced=line[0],
                least_gram=least,
                exact=self.exact(connection, space),
            )

    def _space(self, connection: Any, space: Space) -> tuple[int, list[float]] | None:
        if not self.has_table(connection, "mvr_spaces"):
            return None
        query = "SELECT announced, least_gram, branches, dim FROM mvr_spaces WHERE space = ?"
        line = self.run(connection, query, [space.key]).fetchone()
        if line is None:
            return None
        if (line[2], line[3]) != (",".join(space.branches), space.dim):
            raise SettingsMismatch(
                f"the index was made with branches {line[2]} of width {line[3]}, this system has "
                f"{','.join(space.branches)} of width {space.dim}; push the library again"
            )
        return int(line[0]), list(line[1])

    def has_table(self, connection: Any, name: str) -> bool:
        """Whether a table is there."""
        query = "SELECT count(*) FROM information_schema.tables WHERE table_name = ?"
        return bool(self.run(connection, query, [name]).fetchone()[0])

    def contents(self, space: Space) -> dict[str, str]:
        """See `Place.contents`."""
        with self.transaction() as connection:
            if self._space(connection, space) is None:
                return {}
            found = self.run(connection, f"SELECT id, content FROM mvr_items_{space.key}").fetchall()
            return {str(item): str(content) for item, content in found}

    def announce(self, space: Space, items: int) -> None:
        """See `Place.announce`."""
        with self.transaction() as connection:
            self._tables(connection, space)
            self._space(connection, space)  # refuses one of another shape
            least = np.ones(len(space.branches) ** 2)
            self.run(
                connection,
                "INSERT INTO mvr_spaces VALUES (?, ?, ?, ?, ?) ON CONFLICT (space) DO UPDATE "
                "SET announced = excluded.announced",
                [space.key, ",".join(space.branches), space.dim, items, least.tolist()],
            )

    def write(self, space: Space, items: Sequence[StoredItem]) -> None:
        """See `Place.write`."""
        checked = [(item, check_item(item, space)) for item in items]
        if not checked:
            return
        least = np.min([gram(vectors).min(axis=0) for _, vectors in checked], axis=0)
        with self.transaction() as connection:
            self.lower_least_gram(connection, space, least)
            for item, _ in checked:
                self._write_item(connection, space, item)
            self.insert_rows(
                connection, space, [line for item, rows in checked for line in _lines(item, rows)]
            )

    def lower_least_gram(self, connection: Any, space: Space, least: Any) -> None:
        """Take the smaller of the kept and the new minimum; the line stays locked until the transaction ends."""
        line = self.run(
            connection, f"SELECT least_gram FROM mvr_spaces WHERE space = ?{self.lock}", [space.key]
        ).fetchone()
        lower = np.minimum(np.array(line[0], np.float64), least.ravel())
        self.run(
            connection, "UPDATE mvr_spaces SET least_gram = ? WHERE space = ?", [lower.tolist(), space.key]
        )

    lock = ""

    def _write_item(self, connection: Any, space: Space, item: StoredItem) -> None:
        self.run(connection, f"DELETE FROM mvr_rows_{space.key} WHERE item = ?", [item.id])
        self.run(
            connection,
            f"INSERT INTO mvr_items_{space.key} (id, content, document, genre, mood, licence, commercial, duration_s, "
            "tempo_bpm) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET content = excluded.content, "
            "document = excluded.document, genre = excluded.genre, mood = excluded.mood, licence = excluded.licence, "
            "commercial = excluded.commercial, duration_s = excluded.duration_s, tempo_bpm = excluded.tempo_bpm",
            [
                item.id,
                item.content,
                json.dumps(item.document, allow_nan=False),
                [word.casefold() for word in item.genre],
                [word.casefold() for word in item.mood],
                item.licence.casefold().replace("_", "-").strip(),
                item.commercial,
                item.duration_s,
                item.tempo_bpm,
            ],
        )

    def insert_rows(self, connection: Any, space: Space, lines: list[Line]) -> None:
        """Write rows of items that have none."""
        statement = f"INSERT INTO mvr_rows_{space.key} VALUES (?, ?, ?, ?, ?, ?)".replace("?", self.mark)
        values = [(*line[:5], self.vector_value(line[5])) for line in lines]
        connection.cursor().executemany(statement, values)

    def remove(self, space: Space, ids: Sequence[str]) -> None:
        """See `Place.remove`."""
        with self.transaction() as connection:
            for item in ids:
                self.run(connection, f"DELETE FROM mvr_rows_{space.key} WHERE item = ?", [item])
                self.run(connection, f"DELETE FROM mvr_items_{space.key} WHERE id = ?", [item])
        self.after_removal(space)

    def after_removal(self, space: Space) -> None:
        """What must follow a removal, outside its transaction."""

    def candidates(self, space: Space, weighted: FloatArray, count: int, wanted: Wanted) -> Candidates:
        """See `Place.candidates`."""
        sent = self.sent_query(weighted)
        conditions, values = self._conditions(wanted)
        product = self.product(space.width)
        with self.transaction() as connection:
            self.prepare_search(connection, space, count)
            order = self.order(space, self.exact(connection, space))
            found = self.run(
                connection,
                f"SELECT i.position, r.number, r.embedding, {product} FROM mvr_rows_{space.key} r "
                f"JOIN mvr_items_{space.key} i ON i.id = r.item {conditions} ORDER BY {order} LIMIT {int(count)}",
                [self.vector_value(sent), *values, self.vector_value(sent)],
            ).fetchall()
        vectors = [self.read_vector(line[2]) for line in found]
        shape = (len(found), len(space.branches), space.dim)
        return Candidates(
            positions=np.array([line[0] for line in found], np.int64),
            numbers=np.array([line[1] for line in found], np.int64),
            vectors=np.array(vectors, np.float32).reshape(shape),
            products=np.array([line[3] for line in found], np.float64),
            slack=query_slack(weighted, sent, len(space.branches), self.rounding),
        )

    def _conditions(self, wanted: Wanted) -> tuple[str, list[Any]]:
        clauses: list[str] = []
        values: list[Any] = []
        for column, words in (("genre", wanted.genres), ("mood", wanted.moods)):
            if words:
                clauses.append(self.overlap(f"i.{column}"))
                values.append([word.casefold() for word in words])
        if wanted.licences:
            clauses.append("(" + " OR ".join("starts_with(i.licence, ?)" for _ in wanted.licences) + ")")
            values += wanted.licences
        if wanted.commercial:
            clauses.append("i.commercial")
        for bound, sign in ((wanted.least, ">="), (wanted.most, "<=")):
            for name, value in bound.items():
                assert name in _NUMBERS, name
                clauses.append(f"i.{name} {sign} ?")
                values.append(float(value))
        if wanted.ids is not None:
            clauses.append(self.member)
            values.append(sorted(wanted.ids))
        return ("WHERE " + " AND ".join(clauses) if clauses else ""), values

    def rows(self, space: Space, places: Sequence[tuple[int, int]]) -> list[Row]:
        """See `Place.rows`."""
        found = []
        with self.transaction() as connection:
            for position, number in places:
                line = self.run(
                    connection,
                    f"SELECT i.id, i.document, r.start_s, r.end_s, r.facts FROM mvr_rows_{space.key} r "
                    f"JOIN mvr_items_{space.key} i ON i.id = r.item WHERE i.position = ? AND r.number = ?",
                    [position, number],
                ).fetchone()
                if line is not None:  # taken out by somebody else since
                    found.append(
                        Row(
                            item=line[0],
                            document=json.loads(line[1]),
                            start_s=line[2],
                            end_s=line[3],
                            facts=json.loads(line[4]),
                        )
                    )
        return found


def _lines(item: StoredItem, vectors: FloatArray) -> Iterator[Line]:
    """An item's rows: item, number, start, end, facts as JSON, vector (B * D,)."""
    for number, (times, row) in enumerate(zip(item.times, vectors, strict=True)):
        facts = json.dumps(dict(item.facts[number]) if item.facts else {}, allow_nan=False)
        yield item.id, number, float(times[0]), float(times[1]), facts, row.ravel()

"""What places in SQL databases share: tables, filters, statements. A database's own words stand in its class.

Three kinds of tables: `mvr_indexes` (one line for each space, with how much it holds), and for every space its items
and its rows. An item's rows lie in the same transaction as the item, so a reader sees all of an item or nothing; a
search without filters touches the rows alone.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.errors import IndexUnreachable, SettingsMismatch, UsageError
from mvr.index.mixture import CANCELLED, gram
from mvr.index.recall import Measured
from mvr.index.remote.place import (
    Candidates,
    Holding,
    Row,
    Sought,
    Space,
    StoredItem,
    Wanted,
    check_item,
    query_slack,
)

_NUMBERS = ("duration_s", "tempo_bpm")

Line = tuple[Any, ...]  # position, number, start_s, end_s, facts, vector (B * D,), then `_pairs`
ItemLine = tuple[str, int, str, str, list[str], list[str], str, bool, float | None, float | None]


class SqlPlace:
    """Base of places in a database. Subclasses say what is between the lines."""

    mark = "?"  # how a statement marks a value
    text_list = "text[]"
    number_list = "double precision[]"
    member = "i.id = ANY(?)"  # whether an item's id is in one value, a list
    at = "r.position = ANY(?)"  # whether a row's position is
    unique = " UNIQUE"
    row_key = ", PRIMARY KEY (position, number)"
    lock = ""
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

    def exact(self, connection: Any, space: Space) -> bool:
        """Whether there is nothing but a scan of every row."""
        return True

    def build_graph(self, space: Space) -> None:
        """Raises UsageError: this kind has none."""
        raise UsageError("this kind of index has no graph; it compares every row, so its lists are exact")

    def graph_rows(self, space: Space, weights: FloatArray, effort: int) -> tuple[str, int]:
        """A table of the candidates of graphs, and how often the query's mixture is a value in it."""
        raise AssertionError

    def prepare_graphs(self, connection: Any, effort: int) -> None:
        """What must be set before each graph is asked for so many rows."""

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
            "CREATE TABLE IF NOT EXISTS mvr_indexes (space text PRIMARY KEY, branches text, dim integer, "
            f"announced bigint, items bigint, segments bigint, next_position bigint, least_gram {self.number_list}, "
            "measured text)",
        )
        self.run(
            connection,
            f"CREATE TABLE IF NOT EXISTS mvr_items_{space.key} (id text PRIMARY KEY, position bigint{self.unique}, "
            f"content text, document text, genre {self.text_list}, mood {self.text_list}, licence text, "
            "commercial boolean, duration_s double precision, tempo_bpm double precision)",
        )
        grams = ", ".join(f"{name} double precision" for name, _ in _pairs(len(space.branches)))
        self.run(
            connection,
            f"CREATE TABLE IF NOT EXISTS mvr_segments_{space.key} (position bigint, number integer, "
            f"start_s double precision, end_s double precision, facts text, "
            f"embedding {self.vector_type(space.width)}, {grams}{self.row_key})",
        )

    def holding(self, space: Space) -> Holding | None:
        """See `Place.holding`."""
        with self.transaction() as connection:
            line = self._space(connection, space)
            if line is None:
                return None
            announced, items, rows, least, measured = line
            return Holding(
                items=items,
                rows=rows,
                announced=announced,
                least_gram=np.array(least, np.float64).reshape(len(space.branches), len(space.branches)),
                exact=self.exact(connection, space),
                measured=None if measured is None else Measured(**json.loads(measured)),
            )

    def _space(self, connection: Any, space: Space) -> tuple[int, int, int, list[float], str | None] | None:
        if not self.has_table(connection, "mvr_indexes"):
            return None
        columns = "announced, items, segments, least_gram, measured, branches, dim"
        line = self.run(
            connection, f"SELECT {columns} FROM mvr_indexes WHERE space = ?", [space.key]
        ).fetchone()
        if line is None:
            return None
        if (line[5], line[6]) != (",".join(space.branches), space.dim):
            raise SettingsMismatch(
                f"the index was made with branches {line[5]} of width {line[6]}, this system has "
                f"{','.join(space.branches)} of width {space.dim}; push the library again"
            )
        return int(line[0]), int(line[1]), int(line[2]), list(line[3]), line[4]

    def has_table(self, connection: Any, name: str) -> bool:
        """Whether a table is there; asked until it is."""
        if not self._there:
            query = "SELECT count(*) FROM information_schema.tables WHERE table_name = ?"
            self._there = bool(self.run(connection, query, [name]).fetchone()[0])
        return self._there

    _there = False

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
                "INSERT INTO mvr_indexes VALUES (?, ?, ?, ?, 0, 0, 1, ?, NULL) ON CONFLICT (space) DO UPDATE "
                "SET announced = excluded.announced",
                [space.key, ",".join(space.branches), space.dim, items, least.tolist()],
            )

    def write(self, space: Space, items: Sequence[StoredItem]) -> None:
        """See `Place.write`."""
        checked = [(item, check_item(item, space)) for item in items]
        latest = {item.id: (item, vectors) for item, vectors in checked}
        if not latest:
            return
        least = np.min([gram(vectors).min(axis=0) for _, vectors in latest.values()], axis=0)
        with self.transaction() as connection:
            query = f"SELECT next_position, least_gram FROM mvr_indexes WHERE space = ?{self.lock}"
            line = self.run(connection, query, [space.key]).fetchone()  # locked until the transaction ends
            known = self._take_out(connection, space, list(latest))
            fresh = itertools.count(int(line[0]))
            placed = [(known.get(name, -1), *found) for name, found in latest.items()]
            placed = [(next(fresh) if at < 0 else at, item, vectors) for at, item, vectors in placed]
            lower = np.minimum(np.array(line[1], np.float64), least.ravel())
            rows = sum(len(vectors) for _, _, vectors in placed)
            self.run(
                connection,
                "UPDATE mvr_indexes SET items = items + ?, segments = segments + ?, next_position = ?, "
                "least_gram = ? WHERE space = ?",
                [len(placed), rows, next(fresh), lower.tolist(), space.key],
            )
            self.insert_items(connection, space, [_line(at, item) for at, item, _ in placed])
            self.insert_rows(connection, space, [line for each in placed for line in _lines(*each)])

    def _take_out(self, connection: Any, space: Space, ids: Sequence[str]) -> dict[str, int]:
        """Delete items with their rows; where those that were there lay."""
        found = self.run(
            connection,
            f"SELECT i.id, i.position FROM mvr_items_{space.key} i WHERE {self.member}",
            [list(ids)],
        ).fetchall()
        known = {str(name): int(position) for name, position in found}
        if known:
            at = list(known.values())
            rows = self.run(
                connection,
                f"SELECT count(*) FROM mvr_segments_{space.key} r WHERE {self.at}",
                [at],
            ).fetchone()[0]
            self.run(connection, f"DELETE FROM mvr_segments_{space.key} r WHERE {self.at}", [at])
            self.run(connection, f"DELETE FROM mvr_items_{space.key} i WHERE {self.member}", [list(known)])
            self.run(
                connection,
                "UPDATE mvr_indexes SET items = items - ?, segments = segments - ? WHERE space = ?",
                [len(known), rows, space.key],
            )
        return known

    def remove(self, space: Space, ids: Sequence[str]) -> None:
        """See `Place.remove`."""
        with self.transaction() as connection:
            query = f"SELECT space FROM mvr_indexes WHERE space = ?{self.lock}"
            self.run(connection, query, [space.key]).fetchone()
            self._take_out(connection, space, ids)
        self.after_removal(space)

    def after_removal(self, space: Space) -> None:
        """What must follow a removal, outside its transaction."""

    def keep_measured(self, space: Space, measured: Measured) -> None:
        """Write down how much an approximate index misses."""
        with self.transaction() as connection:
            values = [json.dumps(asdict(measured)), space.key]
            self.run(connection, "UPDATE mvr_indexes SET measured = ? WHERE space = ?", values)

    def candidates(self, space: Space, sought: Sought) -> Candidates:
        """See `Place.candidates`."""
        mixture, weighted = self.sent_query(sought.unit), sought.weighted
        sent = self.sent_query(weighted)
        conditions, values = self._conditions(sought.wanted)
        rows, times = f"mvr_segments_{space.key}", 0
        if sought.effort is not None:
            rows, times = self.graph_rows(space, sought.weights, sought.effort)
        items = f"JOIN mvr_items_{space.key} i ON i.position = r.position {conditions}" if conditions else ""
        score = _score(self.product(space.width), sought.weights)
        with self.transaction() as connection:
            if sought.effort is not None:
                self.prepare_graphs(connection, -(-sought.effort // times))
            found = self.read_rows(
                connection,
                f"SELECT r.position, r.number, r.embedding, {score} AS value FROM {rows} r {items} "
                f"ORDER BY value DESC, r.position, r.number LIMIT {int(sought.count)}",
                [self.vector_value(sent), *[self.vector_value(mixture)] * times, *values],
            )
        positions, numbers, vectors, found_values = found
        return Candidates(
            positions=positions.astype(np.int64),
            numbers=numbers.astype(np.int64),
            vectors=vectors.reshape(len(positions), len(space.branches), space.dim),
            values=found_values.astype(np.float64),
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
        """See `Place.rows`; what somebody else took out since is left out."""
        if not places:
            return []
        pairs = ", ".join("(?, ?)" for _ in places)
        with self.transaction() as connection:
            lines = self.run(
                connection,
                f"SELECT r.position, r.number, i.id, i.document, r.start_s, r.end_s, r.facts "
                f"FROM mvr_segments_{space.key} r JOIN mvr_items_{space.key} i ON i.position = r.position "
                f"WHERE (r.position, r.number) IN ({pairs})",
                [int(value) for pair in places for value in pair],
            ).fetchall()
        found = {
            (line[0], line[1]): Row(
                item=line[2],
                document=json.loads(line[3]),
                start_s=line[4],
                end_s=line[5],
                facts=json.loads(line[6]),
            )
            for line in lines
        }
        return [found[place] for place in places if place in found]


def _pairs(branches: int) -> list[tuple[str, tuple[int, int]]]:
    """The columns that hold inner products between a row's branches, each with its two branches."""
    return [(f"g{b}_{c}", (b, c)) for b in range(branches) for c in range(b, branches)]


def _score(product: str, weights: FloatArray) -> str:
    """A row's score as an expression: its inner product over the length of its mixture, 0 where that cancelled out."""
    wide = weights.astype(np.float64)
    factors = [(name, (1 if b == c else 2) * wide[b] * wide[c]) for name, (b, c) in _pairs(len(weights))]
    square = " + ".join(
        f"{factor!r} * r.{name}" for name, factor in ((n, float(f)) for n, f in factors) if factor
    )
    return f"CASE WHEN {square} > {CANCELLED**2!r} THEN ({product}) / sqrt({square}) ELSE 0 END"


def _line(position: int, item: StoredItem) -> ItemLine:
    """An item as a line of its table."""
    return (
        item.id,
        position,
        item.content,
        json.dumps(item.document, allow_nan=False),
        [word.casefold() for word in item.genre],
        [word.casefold() for word in item.mood],
        item.licence.casefold().replace("_", "-").strip(),
        item.commercial,
        item.duration_s,
        item.tempo_bpm,
    )


def _lines(position: int, item: StoredItem, vectors: FloatArray) -> Iterator[Line]:
    """An item's rows: position, number, start, end, facts as JSON, vector (B * D,), inner products."""
    for number, (times, row) in enumerate(zip(item.times, vectors, strict=True)):
        facts = json.dumps(dict(item.facts[number]) if item.facts else {}, allow_nan=False)
        matrix = gram(row[None])[0]
        grams = tuple(float(matrix[at]) for _, at in _pairs(len(row)))
        yield (position, number, float(times[0]), float(times[1]), facts, row.ravel(), *grams)

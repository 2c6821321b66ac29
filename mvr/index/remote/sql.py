"""What places in SQL databases share: rows written, filtered and found. A database's own words stand in its class.

Four kinds of tables: `mvr_indexes` (one line for each space, with how much it holds), and for every space its items,
its rows, and which items each version changed. An item's rows lie in the same transaction as the item, so a reader sees
all of an item or nothing; a search without filters touches the rows alone.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.index.mixture import gram
from mvr.index.remote.lines import item_line, row_lines, score_of
from mvr.index.remote.mixed import MixedCandidates, Part
from mvr.index.remote.mixed_statement import mixed_candidates, mixed_statement
from mvr.index.remote.place import (
    Candidates,
    Changes,
    Finder,
    Row,
    Sought,
    Space,
    StoredItem,
    StoredRows,
    Wanted,
    check_item,
    query_slack,
)
from mvr.index.remote.spaces import SqlSpaces

_NUMBERS = ("duration_s", "tempo_bpm")
_NO_VALUE = "0::double precision AS value"


class SqlPlace(SqlSpaces):
    """A place in a database; see `Place`."""

    finder: Finder | None = None

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
            placed = []
            for name, (item, vectors) in latest.items():
                at, origin = known[name] if name in known else (next(fresh), item.origin)
                placed.append((at, replace(item, origin=origin), vectors))
            lower = np.minimum(np.array(line[1], np.float64), least.ravel())
            rows = sum(len(vectors) for _, _, vectors in placed)
            self.run(
                connection,
                "UPDATE mvr_indexes SET items = items + ?, segments = segments + ?, next_position = ?, "
                "least_gram = ? WHERE space = ?",
                [len(placed), rows, next(fresh), lower.tolist(), space.key],
            )
            self.insert_items(connection, space, [item_line(at, item) for at, item, _ in placed])
            self.insert_rows(connection, space, [line for each in placed for line in row_lines(*each)])
            self._changed(connection, space, [at for at, _, _ in placed])

    def _changed(self, connection: Any, space: Space, positions: list[int]) -> None:
        """A new version, and what it changed; writers wait for each other, so versions are committed in order."""
        statement = "UPDATE mvr_indexes SET version = version + 1, stamp = ? WHERE space = ?"
        self.run(connection, statement, [secrets.randbelow(2**62) + 1, space.key])
        columns = "version, unnest(?::bigint[]), stamp"
        statement = f"INSERT INTO mvr_changes_{space.key} SELECT {columns} FROM mvr_indexes WHERE space = ?"
        self.run(connection, statement, [positions, space.key])

    def _take_out(self, connection: Any, space: Space, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Delete items with their rows; where those that were there lay, and who had pushed them."""
        found = self.run(
            connection,
            f"SELECT i.id, i.position, i.origin FROM mvr_items_{space.key} i WHERE {self.member}",
            [list(ids)],
        ).fetchall()
        known = {str(name): (int(position), str(origin)) for name, position, origin in found}
        if known:
            at = [position for position, _ in known.values()]
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
            if known := self._take_out(connection, space, ids):
                self._changed(connection, space, [position for position, _ in known.values()])

    def candidates(self, space: Space, sought: Sought) -> Candidates:
        """See `Place.candidates`."""
        weighted = sought.weighted
        sent = self.sent_query(weighted)
        conditions, values = self._conditions(sought.wanted)
        items = f"JOIN mvr_items_{space.key} i ON i.position = r.position {conditions}" if conditions else ""
        score = score_of(self.product(space.width), sought.weights)
        with self.transaction() as connection:
            found = self.read_rows(
                connection,
                f"SELECT r.position, r.number, r.embedding, {score} AS value FROM mvr_segments_{space.key} r {items} "
                f"ORDER BY value DESC, r.position, r.number LIMIT {int(sought.count)}",
                [self.vector_value(sent), *values],
            )
        rows = _stored(space, found)
        return Candidates(
            positions=rows.positions,
            numbers=rows.numbers,
            vectors=rows.vectors,
            values=found[3].astype(np.float64),
            slack=query_slack(weighted, sent, len(space.branches), self.rounding),
        )

    def mixed(self, parts: Sequence[Part], count: int, wanted: Wanted) -> MixedCandidates:
        """See `Place.mixed`."""
        conditions, values = self._conditions(wanted)
        products = [self.exact_product(part.space.width) for part in parts]
        asked = [self.exact_value(row) for part in parts for row in part.weighted]
        with self.transaction() as connection:
            lines = self.run(
                connection, mixed_statement(parts, products, conditions, count), [*asked, *values]
            ).fetchall()
        slacks = [part.slack(self.rounding) for part in parts]
        return mixed_candidates(lines, slacks)

    def stored(
        self, space: Space, positions: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]
    ) -> StoredRows:
        """See `Place.stored`."""
        with self.transaction() as connection:
            found = self.read_rows(
                connection,
                f"SELECT r.position, r.number, r.embedding, {_NO_VALUE} "
                "FROM (SELECT unnest(?::bigint[]) AS position, unnest(?::int[]) AS number) c "
                f"JOIN mvr_segments_{space.key} r ON r.position = c.position AND r.number = c.number",
                [positions.tolist(), numbers.tolist()],
            )
        return _stored(space, found)

    def changes(self, space: Space, since: int, until: int) -> Changes:
        """See `Place.changes`."""
        with self.transaction() as connection:
            self._columns(connection)
            columns, at = f"version, position, {self.stamp}", f"FROM mvr_changes_{space.key} WHERE version"
            query = f"SELECT {columns} {at} > ? AND version <= ? ORDER BY version"
            lines = self.run(connection, query, [since, until]).fetchall()
            first = self.run(connection, f"SELECT {self.stamp} {at} = ? LIMIT 1", [since]).fetchone()
            positions = np.unique(np.array([line[1] for line in lines], np.int64))
            rows = self._rows_of(connection, space, positions)
        before = 0 if first is None else int(first[0] or 0)
        version, _, stamp = lines[-1] if lines else (until, 0, before)
        return Changes(
            version=int(version), stamp=int(stamp or 0), before=before, positions=positions, rows=rows
        )

    def rows_of(self, space: Space, positions: npt.NDArray[np.int64]) -> StoredRows:
        """See `Place.rows_of`."""
        with self.transaction() as connection:
            return self._rows_of(connection, space, positions)

    def _rows_of(self, connection: Any, space: Space, positions: npt.NDArray[np.int64]) -> StoredRows:
        query = f"SELECT r.position, r.number, r.embedding, {_NO_VALUE} FROM mvr_segments_{space.key} r WHERE {self.at}"
        return _stored(space, self.read_rows(connection, query, [positions.tolist()]))

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

    def rows(self, space: Space, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Row]:
        """See `Place.rows`."""
        if not places:
            return {}
        pairs = ", ".join("(?, ?)" for _ in places)
        with self.transaction() as connection:
            lines = self.run(
                connection,
                f"SELECT r.position, r.number, i.id, i.document, r.start_s, r.end_s, r.facts "
                f"FROM mvr_segments_{space.key} r JOIN mvr_items_{space.key} i ON i.position = r.position "
                f"WHERE (r.position, r.number) IN ({pairs})",
                [int(value) for pair in places for value in pair],
            ).fetchall()
        return {
            (line[0], line[1]): Row(
                item=line[2],
                document=json.loads(line[3]),
                start_s=line[4],
                end_s=line[5],
                facts=json.loads(line[6]),
            )
            for line in lines
        }


def _stored(space: Space, found: tuple[npt.NDArray[Any], ...]) -> StoredRows:
    positions, numbers, vectors, _ = found
    return StoredRows(
        positions=positions.astype(np.int64),
        numbers=numbers.astype(np.int64),
        vectors=vectors.reshape(len(positions), len(space.branches), space.dim),
    )

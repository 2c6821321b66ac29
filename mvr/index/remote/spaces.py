"""The table of spaces in a SQL database: what is there of each, who has pushed it, and the tables of its own."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from typing import Any

import numpy as np

from mvr.errors import SettingsMismatch
from mvr.index.recall import Measured
from mvr.index.remote.dialect import Dialect
from mvr.index.remote.lines import gram_columns
from mvr.index.remote.place import Holding, Space


class SqlSpaces(Dialect):
    """The part of a place that knows what it holds; see `Place`."""

    def _tables(self, connection: Any, space: Space) -> None:
        self.run(
            connection,
            "CREATE TABLE IF NOT EXISTS mvr_indexes (space text PRIMARY KEY, branches text, dim integer, "
            f"announced text, items bigint, segments bigint, next_position bigint, version bigint, "
            f"least_gram {self.number_list}, measured text, identity text, stamp bigint)",
        )
        self._add_columns(connection)
        self.run(
            connection,
            f"CREATE TABLE IF NOT EXISTS mvr_changes_{space.key} "
            f"(version bigint, position bigint, stamp bigint{self.change_key})",
        )
        self.run(
            connection,
            f"CREATE TABLE IF NOT EXISTS mvr_items_{space.key} (id text PRIMARY KEY, position bigint{self.unique}, "
            f"content text, document text, genre {self.text_list}, mood {self.text_list}, licence text, "
            "commercial boolean, duration_s double precision, tempo_bpm double precision, origin text)",
        )
        grams = ", ".join(f"{name} double precision" for name, _ in gram_columns(len(space.branches)))
        self.run(
            connection,
            f"CREATE TABLE IF NOT EXISTS mvr_segments_{space.key} (position bigint, number integer, "
            f"start_s double precision, end_s double precision, facts text, "
            f"embedding {self.vector_type(space.width)}, {grams}{self.row_key})",
        )

    def _add_columns(self, connection: Any) -> None:
        """To tables that were made before spaces had an identity, and versions a stamp."""
        there = self._columns(connection)
        if "identity" not in there:
            self.run(connection, "ALTER TABLE mvr_indexes ADD COLUMN identity text")
        if "stamp" not in there:
            for (key,) in self.run(connection, "SELECT space FROM mvr_indexes").fetchall():
                self.run(connection, f"ALTER TABLE mvr_changes_{key} ADD COLUMN IF NOT EXISTS stamp bigint")
            self.run(connection, "ALTER TABLE mvr_indexes ADD COLUMN stamp bigint")
        self.known_columns = frozenset()

    @property
    def stamp(self) -> str:
        """The column of versions' stamps; without one all are alike."""
        return "stamp" if "stamp" in self.known_columns else "NULL"

    def holding(self, space: Space) -> Holding | None:
        """See `Place.holding`."""
        with self.transaction() as connection:
            return self._space(connection, space)

    def _space(self, connection: Any, space: Space) -> Holding | None:
        """What is there of a space. Raises SettingsMismatch: it has another shape."""
        there = self._columns(connection)
        if not there:
            return None
        columns = "branches, dim, announced, items, segments, version, least_gram, measured"
        columns += ", identity" if "identity" in there else ", NULL"
        columns += f", {self.stamp}"
        line = self.run(
            connection, f"SELECT {columns} FROM mvr_indexes WHERE space = ?", [space.key]
        ).fetchone()
        if line is None:
            return None
        branches, dim, announced, items, rows, version, least, measured, identity, stamp = line
        if (branches, dim) != (",".join(space.branches), space.dim):
            raise SettingsMismatch(
                f"the index was made with branches {branches} of width {dim}, this system has "
                f"{','.join(space.branches)} of width {space.dim}; push the library again"
            )
        return Holding(
            items=int(items),
            rows=int(rows),
            announced=sum(json.loads(announced).values()),
            least_gram=np.array(least, np.float64).reshape(len(space.branches), len(space.branches)),
            version=int(version),
            stamp=int(stamp or 0),
            identity=identity or "",
            measured=None if measured is None else Measured(**json.loads(measured)),
        )

    def _columns(self, connection: Any) -> frozenset[str]:
        """Of the table of spaces, none where there is no table; asked until all are there."""
        if not self.known_columns >= {"identity", "stamp"}:
            found = self.run(connection, self.columns_query).fetchall()
            self.known_columns = frozenset(str(line[0]) for line in found)
        return self.known_columns

    def contents(self, space: Space) -> dict[str, str]:
        """See `Place.contents`."""
        with self.transaction() as connection:
            if self._space(connection, space) is None:
                return {}
            found = self.run(connection, f"SELECT id, content FROM mvr_items_{space.key}").fetchall()
            return {str(item): str(content) for item, content in found}

    def owned(self, space: Space, origin: str) -> set[str]:
        """See `Place.owned`."""
        with self.transaction() as connection:
            if self._space(connection, space) is None:
                return set()
            query = f"SELECT id FROM mvr_items_{space.key} WHERE origin = ?"
            return {str(line[0]) for line in self.run(connection, query, [origin]).fetchall()}

    def announce(self, space: Space, items: int, origin: str = "") -> None:
        """See `Place.announce`."""
        with self.transaction() as connection:
            self.wait_for_makers(connection)
            self._tables(connection, space)
            self._space(connection, space)  # refuses one of another shape
            least = np.ones(len(space.branches) ** 2)
            self.run(
                connection,
                "INSERT INTO mvr_indexes (space, branches, dim, announced, items, segments, next_position, version, "
                "least_gram) VALUES (?, ?, ?, '{}', 0, 0, 1, 0, ?) ON CONFLICT DO NOTHING",
                [space.key, ",".join(space.branches), space.dim, least.tolist()],
            )
            self.run(
                connection,
                "UPDATE mvr_indexes SET identity = ? WHERE space = ? AND identity IS NULL",
                [uuid.uuid4().hex, space.key],
            )
            query = f"SELECT announced FROM mvr_indexes WHERE space = ?{self.lock}"
            announced = json.loads(self.run(connection, query, [space.key]).fetchone()[0]) | {origin: items}
            self.run(
                connection,
                "UPDATE mvr_indexes SET announced = ? WHERE space = ?",
                [json.dumps(announced), space.key],
            )

    def keep_measured(self, space: Space, measured: Measured) -> None:
        """See `Place.keep_measured`."""
        with self.transaction() as connection:
            values = [json.dumps(asdict(measured)), space.key]
            self.run(connection, "UPDATE mvr_indexes SET measured = ? WHERE space = ?", values)

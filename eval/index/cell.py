"""One kind at one size, in a process of its own: `python -m eval.index.cell KIND ROWS FOLDER`, JSON lines out."""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.index.databases import PlaceKind
from eval.index.kinds import IN_MEMORY, K, Kind, LocalKind, Stage, load, truth
from eval.index.rows import blocks, queries
from mvr.datatypes import FloatArray, JsonDict, branch_weights
from mvr.index.recall import ALPHAS

SEED = 2
KINDS: dict[str, type[LocalKind | PlaceKind]] = {
    "half": LocalKind, "rabitq": LocalKind, "duckdb": PlaceKind, "pgvector": PlaceKind,
}  # fmt: skip


def main(kind: str, rows: int, folder: Path) -> None:
    """Build and ask; one line for each stage."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = queries(5 if rows > IN_MEMORY else 20, SEED)
    wanted = truth(folder.parent / f"truth-{rows}.npy", blocks(rows), asked)
    index: Kind = KINDS[kind](folder, kind)
    for stage in index.stages(blocks(rows), rows):
        answers = {} if "not built" in stage.facts else ask(index, asked, wanted)
        print(json.dumps(line(stage, rows) | answers), flush=True)


def line(stage: Stage, rows: int) -> JsonDict:
    """What building took."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {
        "kind": stage.name, "rows": rows, "build_s_per_million": stage.build_s / rows * 1e6,
        "mb_per_million": stage.size_bytes / rows, "build_s": stage.build_s, "peak_mb": peak, "facts": stage.facts,
        "build_load": stage.build_load,
    }  # fmt: skip


def ask(index: Kind, asked: FloatArray, wanted: npt.NDArray[np.int64]) -> JsonDict:
    """Every query (Q, 2, D) at every alpha after one that does not count; median and 95th percentile of the seconds."""
    seconds, answers, before = [], set(), load()
    index.find(asked[0], branch_weights(ALPHAS[0], 2))
    recalls = {}
    for alpha, best in zip(ALPHAS, wanted, strict=True):
        weights, shares = branch_weights(alpha, 2), []
        for query, truths in zip(asked, best, strict=True):
            began = time.perf_counter()
            found, words = index.find(query, weights)
            seconds.append(time.perf_counter() - began)
            answers.add(words)
            shares.append(len(set(found) & set(truths.tolist())) / K)
        recalls[str(alpha)] = float(np.mean(shares))
    return {
        "p50_ms": 1e3 * float(np.percentile(seconds, 50)), "p95_ms": 1e3 * float(np.percentile(seconds, 95)),
        "recall": recalls, "answers": sorted(answers), "load": round((before + load()) / 2, 1),
        "searches": len(seconds), "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

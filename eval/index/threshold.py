"""From how many rows on an approximate index is worth it: exact against codes, a clip of three segments as it is asked.

    python -m eval.index.threshold                       # 300,000, 1,000,000 and 2,000,000 rows of `eval.index.rows`

Exact: each segment is compared with every row once (the first search), then a move of the slider is arithmetic on what
is kept. Codes: every move searches anew for each segment. Processor time of one thread, so that other work on the
machine counts little; a line is printed as soon as it is known.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from eval.index.rows import BRANCHES, DIM, blocks, queries
from mvr.datatypes import FloatArray, branch_weights
from mvr.index import create_index
from mvr.index.approximate import ApproximateIndex
from mvr.index.mixture import best_first, mixed_lengths
from mvr.index.recall import ALPHAS, calibrate

MOVES, K, ROUNDS, QUERIES = [round(0.1 * step, 1) for step in range(11)], 50, 3, 20


def main() -> None:
    """Print the table, line by line."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.index.threshold", description="Exact against codes."
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[300_000, 1_000_000, 2_000_000])
    parser.add_argument("--kinds", nargs="+", default=["half", "rabitq"])
    options = parser.parse_args()
    print(
        "| rows | kind | build and measure, CPU s | first search, CPU ms | each move, CPU ms | recall, worst alpha |"
    )
    print("|---|---|---|---|---|---|", flush=True)
    for rows in options.rows:
        for kind in options.kinds:
            print(line(kind, rows), flush=True)


def line(kind: str, rows: int) -> str:
    """One kind at one size."""
    index: Any = create_index(kind, DIM, BRANCHES, options={"rows": rows})
    build_s, at = 0.0, 0
    for block in blocks(rows):
        flat = block.reshape(-1, len(BRANCHES), DIM)
        build_s += taken(partial(index.add, [str(at + n) for n in range(len(flat))], flat))
        at += len(flat)
    recall = [1.0]
    if isinstance(index, ApproximateIndex):
        weights = [branch_weights(alpha, len(BRANCHES)) for alpha in ALPHAS]
        build_s += taken(lambda: recall.append(calibrate(index, queries(QUERIES, 1), weights)))
    steps = searched if isinstance(index, ApproximateIndex) else compared
    first, moves = np.min([steps(index, queries(3, 2 + n)) for n in range(ROUNDS)], axis=0)
    return f"| {rows:,} | {kind} | {build_s:.1f} | {1e3 * first:.0f} | {1e3 * moves:.1f} | {recall[-1]:.3f} |"


def compared(index: Any, asked: FloatArray) -> tuple[float, float]:
    """Seconds of the first search, and of each move after it."""
    crosses: list[Any] = []
    first = taken(lambda: crosses.extend(index.cross(query) for query in asked))

    def move(alpha: float) -> object:
        weights = branch_weights(alpha, len(BRANCHES))
        lengths = mixed_lengths(crosses[0].rows, weights)
        return best_first(np.maximum.reduce([cross.scores(weights, lengths) for cross in crosses]), K)

    moves = taken(lambda: [move(alpha) for alpha in MOVES]) / len(MOVES)
    return first + moves, moves


def searched(index: Any, asked: FloatArray) -> tuple[float, float]:
    """The same where every move is a search."""

    def move(alpha: float) -> object:
        return [index.search(query, branch_weights(alpha, len(BRANCHES)), K) for query in asked]

    first = taken(lambda: move(0.5))
    return first, taken(lambda: [move(alpha) for alpha in MOVES]) / len(MOVES)


def taken(work: Callable[[], object]) -> float:
    """Processor seconds."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()

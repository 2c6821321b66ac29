"""The chart of growing indexes keeps what was measured and says what was not."""

from __future__ import annotations

import argparse

import numpy as np
import pytest

from eval.index import kinds
from eval.index.__main__ import missing
from eval.index.databases import PlaceKind
from eval.index.report import draw, markdown
from eval.index.rows import blocks, queries
from mvr.datatypes import branch_weights
from mvr.index.recall import ALPHAS


def line(kind: str, rows: int, p50_ms: float = 2.0) -> dict:
    return {
        "kind": kind, "rows": rows, "p50_ms": p50_ms, "p95_ms": 2 * p50_ms, "recall": {"0.0": 1.0, "0.5": 0.99},
        "answers": ["exact"], "build_s_per_million": 20.0, "mb_per_million": 512.0, "load": 0.5, "build_load": 1.5,
        "build_s": 2.0, "facts": {},
    }  # fmt: skip


def test_only_what_was_not_measured_is_measured_unless_again_is_said():
    lines = [line("half", 10), line("pgvector, every row", 10), line("pgvector, codes", 10)]
    lines.append({key: value for key, value in line("pgvector, HNSW", 10).items() if key != "p50_ms"})
    asked = argparse.Namespace(rows=[10, 20], kinds=["half", "pgvector"], again=False)
    assert missing(lines, asked) == [("pgvector", 10), ("half", 20), ("pgvector", 20)]
    asked.again = True
    assert missing(lines, asked)[0] == ("half", 10) and len(missing(lines, asked)) == 4


def test_what_was_not_measured_or_not_built_is_marked(tmp_path):
    given_up = {
        "kind": "graphs",
        "rows": 20,
        "build_s": 1801.2,
        "facts": {"not built": "late"},
        "build_load": 9,
    }
    lines = [line("half", 10), line("graphs", 10, 40.0), given_up]
    text = markdown(lines)
    assert "| half | 10 | 2.0 | 4.0 | 0.990 | exact | 20 | 512 | 0.5 | 1.5 |" in text
    assert "| half | 20 | - | - | - | - | - | - | - | - |" in text
    assert "| graphs | 20 | - | - | - | not built in 1801 s | - | - | - | 9 |" in text
    columns = {row.count("|") for row in text.splitlines() if row.startswith("|")}
    assert len(columns) == 1
    draw(tmp_path / "growth.png", lines)
    assert (tmp_path / "growth.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize("most", [10_000, 100], ids=["in memory", "in a file"])
def test_a_local_index_finds_the_truth_in_memory_and_in_a_file(tmp_path, monkeypatch, most):
    monkeypatch.setattr(kinds, "IN_MEMORY", most)
    asked = queries(3, 2)
    wanted = kinds.truth(tmp_path / "truth.npy", blocks(900), asked)
    index = kinds.LocalKind(tmp_path, "half")
    (stage,) = index.stages(blocks(900), 900)
    assert stage.size_bytes == 900 * 2 * 128 * 2
    for alpha, best in zip(ALPHAS, wanted, strict=True):
        for query, truths in zip(asked, best, strict=True):
            found, words = index.find(query, branch_weights(alpha, 2))
            assert words == "exact" and np.array_equal(found, truths)


def finds_the_truth(index, folder) -> bool:
    """Nearly all of the best items at every alpha."""
    asked = queries(3, 2)
    wanted = kinds.truth(folder / "truth.npy", blocks(900), asked)
    shares = [
        len(set(index.find(query, branch_weights(alpha, 2))[0]) & set(truths.tolist())) / 10
        for alpha, best in zip(ALPHAS, wanted, strict=True)
        for query, truths in zip(asked, best, strict=True)
    ]
    return np.mean(shares) >= 0.98


def test_a_database_is_asked_in_every_way_and_again_without_being_filled_again(tmp_path):
    index, built = PlaceKind(tmp_path / "duckdb", "duckdb"), []
    for stage in index.stages(blocks(900), 900):
        built.append(stage)
        assert stage.size_bytes > 0 and finds_the_truth(index, tmp_path), stage.name
    assert [stage.name for stage in built] == ["DuckDB file, every row", "DuckDB file, codes"]
    assert built[1].facts["recall measured"] >= 0.99
    index.place.close()
    again = list(PlaceKind(tmp_path / "duckdb", "duckdb").stages(iter([]), 900))
    assert again[0].build_s == built[0].build_s and again[1].facts == built[1].facts

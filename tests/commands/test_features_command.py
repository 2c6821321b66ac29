"""`mvr features` as a user runs it: importing with labels, and from a built set to a trained head."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import Result

from mvr.embeddings.store import FeatureStore
from mvr.heads import load_head
from tests.commands.conftest import invoke

SMALL = {
    "head": {"hidden": 16, "dim": 8, "members": 1},
    "training": {"epochs": 2, "batch_rows": 4, "min_steps": 0},
}


@pytest.fixture
def matrices(tmp_path: Path) -> tuple[object, ...]:
    """Options of an import: six rows in two splits."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "v.npy", rng.normal(size=(6, 5)).astype(np.float32))
    np.save(tmp_path / "a.npy", rng.normal(size=(6, 3)).astype(np.float32))
    rows = [f"i{number},{'train' if number < 4 else 'test'},g{number}" for number in range(6)]
    (tmp_path / "m.csv").write_text("\n".join(["id,split,group", *rows]) + "\n")
    names = {"--video": "v.npy", "--audio": "a.npy", "--manifest": "m.csv"}
    return tuple(word for option, name in names.items() for word in (option, tmp_path / name))


def labels(path: Path) -> Path:
    """A table as `mvr dataset audioset` writes it, for three of the rows."""
    kind = pa.list_(pa.string())
    columns = {"id": pa.array(["i0", "i1", "i5"]), "ytid": pa.array(["x", "y", "z"])}
    columns |= {"genre": pa.array([["rock"], ["rock", "folk"], []], kind)}
    columns |= {name: pa.array([[], [], []], kind) for name in ("mood", "instrument")}
    pq.write_table(pa.table(columns), path)
    return path


def test_matrices_become_a_store_with_labels_matched_by_id(matrices, tmp_path: Path) -> None:
    out = tmp_path / "store"
    table = labels(tmp_path / "labels.parquet")
    result = invoke("features", "import", *matrices, "--out", out, "--labels", table, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["rows"] == 6 and document["splits"] == {"test": 2, "train": 4}
    store = FeatureStore.open(out)
    assert list(store.labels["genre"]) == [["rock"], ["rock", "folk"], [], [], [], []]
    np.testing.assert_array_equal(store.video, np.load(tmp_path / "v.npy"))


def test_mistakes_are_one_sentence_and_an_exit_status(matrices, tmp_path: Path, attempt) -> None:
    out = tmp_path / "store"
    table = tmp_path / "labels.parquet"
    table.write_text("no table")
    code, _, errors = attempt("features", "import", *matrices, "--out", out, "--labels", table)
    assert code == 1 and "cannot be read as labels of `mvr dataset audioset`" in errors
    pq.write_table(pa.table({"id": ["i0"]}), table)
    code, _, errors = attempt("features", "import", *matrices, "--out", out, "--labels", table)
    assert code == 1 and "is not a table of `mvr dataset audioset`: it has no column 'genre'" in errors
    matrix = np.load(tmp_path / "a.npy")
    matrix[2, 1] = np.nan
    np.save(tmp_path / "a.npy", matrix)
    code, _, errors = attempt("features", "import", *matrices, "--out", out)
    assert code == 1 and "NaN" in errors and not out.exists()
    assert attempt("features", "import", "--out", out)[0] == 2
    code, printed, errors = attempt("features", "extract", tmp_path, "--out", out, "--engine", "spark")
    assert code == 2 and "unknown engine 'spark'" in errors and printed == ""


def test_a_built_set_is_embedded_and_a_head_is_trained_on_it(
    built: tuple[Path, Result], tiny_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, head, config = tmp_path / "store", tmp_path / "head.safetensors", tmp_path / "small.json"
    config.write_text(json.dumps(SMALL))
    words = ("--system", "tiny", "--workers", 1, "--json")
    extracted = invoke("features", "extract", built[0], "--out", store, *words)
    assert extracted.exit_code == 0, extracted.output
    assert json.loads(extracted.stdout) == {"rows": 8, "added": 16, "failed": []}
    opened = FeatureStore.open(store)
    sets = {split: opened.splits.count(split) for split in set(opened.splits)}
    assert sets == json.loads((built[0] / "build.json").read_text())["splits"]
    assert {tuple(cell) for cell in opened.labels["genre"]} == {("rock",), ("folk", "live")}
    monkeypatch.delenv("MVR_ASSETS")  # presets are the project's own
    options = ("--features", store, "--out", head, "--labels", "genre", "--config", config, "--json")
    trained = invoke("train", "control-mvr", *options)
    assert trained.exit_code == 0, trained.output
    assert json.loads(trained.stdout)["branches"] == ["ssl", "genre"]
    assert load_head(head).branches == ("ssl", "genre")

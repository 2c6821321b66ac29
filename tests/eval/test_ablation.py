"""Ablations: cells resume, the merged numbers equal those of the cells, wrong grids are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from eval.ablation.__main__ import main
from eval.ablation.grid import Cell, cells, load_grid
from mvr.errors import UsageError

GRID = {
    "title": "Temperature",
    "about": "A test.",
    "stores": {"plain": {"train": "features"}},
    "heads": ["mvbind"],
    "axes": {"loss.temperature": [0.05, 0.5]},
    "base": {"head": {"hidden": 8, "dim": 4}, "training": {"epochs": 1, "batch_rows": 50, "device": "cpu"}},
    "seeds": [0, 1],
    "draws": 200,
    "split": "val",
}


@pytest.fixture(scope="module")
def finished(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ablation")
    (folder / "grid.yaml").write_text(yaml.safe_dump(GRID))
    command = [str(folder / "grid.yaml"), "--stores", str(store.parent), "--out", str(folder / "out")]
    assert main(command) == 0
    return folder / "out", command


def test_a_second_run_makes_only_what_is_missing(finished, capsys):
    out, command = finished
    table = (out / "table.json").read_bytes()
    files = sorted((out / "cells").glob("*.json"))
    assert len(files) == 4
    kept = files[1].read_bytes()
    files[1].unlink()
    assert main(command) == 0
    assert capsys.readouterr().err.count("cell ") == 1
    assert files[1].read_bytes() == kept
    assert (out / "table.json").read_bytes() == table


def test_the_merged_value_is_the_mean_over_seeds_and_queries(finished):
    out, _ = finished
    rows = json.loads((out / "table.json").read_text())["rows"]
    results = [json.loads(path.read_text()) for path in (out / "cells").glob("*.json")]
    for row in rows:
        own = [
            np.mean(one["columns"][row["metric"]])
            for result in results
            if result["cell"]["settings"]["loss.temperature"] == row["loss.temperature"]
            for one in result["rows"]
            if (one["task"], one["direction"]) == (row["task"], row["direction"])
        ]
        assert len(own) == row["seeds"] == 2
        assert row["value"] == pytest.approx(np.mean(own), abs=1e-6)
        assert row["seed_spread"] == pytest.approx(np.std(own, ddof=1), abs=1e-6)
        assert row["interval"][0] <= row["value"] <= row["interval"][1]


def test_the_table_names_every_axis_and_chance(finished):
    text = (finished[0] / "table.md").read_text()
    assert "loss.temperature" in text and "chance" in text and "0.05" in text and "split val" in text


def test_a_grid_spans_all_combinations():
    grid_values = {**GRID, "axes": {"loss.temperature": [0.1, 0.2], "head.dim": [4, 8, 16]}}
    from eval.ablation.grid import Grid

    spanned = list(cells(Grid.model_validate(grid_values)))
    assert len(spanned) == len({cell.model_dump_json() for cell in spanned}) == 12
    merged = Cell(store="s", head="h", settings={"head.dim": 9}, seed=0).overrides({"head": {"hidden": 3}})
    assert merged == {"head": {"hidden": 3, "dim": 9}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"axes": {"temperature": [1]}}, "axis 'temperature' must be a setting"),
        ({"axes": {"loss.temperature": []}}, "must be a setting with values"),
        ({"heads": []}, "at least one store, head and seed"),
        ({"stors": {}}, "stors"),
    ],
)
def test_wrong_grids_are_refused(tmp_path, change, message):
    (tmp_path / "grid.yaml").write_text(yaml.safe_dump({**GRID, **change}))
    with pytest.raises(UsageError, match=message):
        load_grid(tmp_path / "grid.yaml")
    assert main([str(tmp_path / "none.yaml"), "--out", str(tmp_path)]) == 2


def test_every_shipped_grid_validates_and_names_known_settings():
    from pathlib import Path

    from mvr.training.settings import load_recipe

    grids = sorted((Path(__file__).parents[2] / "eval" / "ablation" / "grids").glob("*.yaml"))
    assert grids
    for path in grids:
        grid = load_grid(path)
        for cell in cells(grid):
            load_recipe(cell.head, cell.overrides(grid.base))

"""Train and measure one cell; what came out is a file named after everything that it depends on."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from eval.ablation.grid import Cell, Grid
from eval.provenance import store_hashes
from eval.retrieval.evaluation import default_tasks, test_set
from eval.retrieval.systems import Candidate, check_width, embed
from mvr.config.settings import settings_hash
from mvr.datatypes import JsonDict
from mvr.embeddings.store import FeatureStore
from mvr.metrics.retrieval.measure import measure
from mvr.metrics.retrieval.plan import Plan, TestSet
from mvr.metrics.retrieval.values import Measured


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The opened stores of one entry of a grid, and the hashes of their files."""

    train: FeatureStore
    test: FeatureStore
    hashes: JsonDict

    @classmethod
    def open(cls, train: Path, test: Path) -> Stores:
        """Open both; DataError where one is none."""
        hashes = {"train": store_hashes(train), "test": store_hashes(test)}
        return cls(train=FeatureStore.open(train), test=FeatureStore.open(test), hashes=hashes)


def cell_file(cell: Cell, grid: Grid, stores: Stores, folder: Path) -> Path:
    """Where the cell's result is kept: the name is a hash of the cell, the stores' files and how it is measured."""
    depends = {
        "cell": cell.model_dump(),
        "recipe": cell.overrides(grid.base),
        "labels": list(grid.labels),
        "stores": stores.hashes,
        "measured": {"split": grid.split, "alphas": list(grid.alphas), "ks": list(grid.ks)},
    }
    return folder / f"{settings_hash(json.loads(json.dumps(depends)))}.json"


def run_cell(cell: Cell, grid: Grid, stores: Stores, out: Path) -> None:
    """Train, measure, and write the result in one step: a killed run leaves nothing half done."""
    result = measure_cell(cell, grid, stores)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    partial.write_text(json.dumps(result, sort_keys=True, allow_nan=False), encoding="utf-8")
    partial.replace(out)


def measure_cell(cell: Cell, grid: Grid, stores: Stores) -> JsonDict:
    """Per-query values of a freshly trained head, rounded to nine decimals."""
    from mvr.training.run import train_head
    from mvr.training.settings import load_recipe

    recipe = load_recipe(cell.head, cell.overrides(grid.base))
    labels = grid.labels if recipe.kind == "control-mvr" else ()
    with tempfile.TemporaryDirectory() as folder:
        report = train_head(stores.train, recipe, Path(folder) / "head.safetensors", labels, seed=cell.seed)
    rows = stores.test.rows(grid.split)
    tests = test_set(stores.test, rows)
    candidate = Candidate(name=cell.head, head=report.head, source={})
    check_width(candidate, stores.test)
    plan = Plan(tasks=default_tasks(stores.test, rows), alphas=grid.alphas, ks=grid.ks)
    measured = measure(embed(candidate, stores.test, rows), tests, plan)
    return {"cell": cell.model_dump(), "rows": [_row(row, tests) for row in measured]}


def _row(row: Measured, tests: TestSet) -> JsonDict:
    return {
        **row.key.to_json(),
        "groups": [tests.groups[query] for query in row.queries],
        "columns": {name: [round(float(v), 9) for v in values] for name, values in row.columns.items()},
        "median_rank": row.values["median_rank"],
        "chance": row.values["chance"],
    }

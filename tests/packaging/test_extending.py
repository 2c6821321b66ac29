"""docs/extending.md, followed step by step: its snippets run as printed, and what they make keeps the contracts."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from mvr.__main__ import app
from mvr.backbones import backbone
from mvr.datatypes import Modality, Segment, branch_weights
from mvr.heads import table as heads
from mvr.index import create_index
from mvr.index import table as indexes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What the snippets leave behind; the tables are put back afterwards."""
    from typer.testing import CliRunner

    def mvr(*arguments):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert done.exit_code == 0, done.output

    extension = types.ModuleType("extension")
    names = {
        "np": np,
        "extension": extension,
        "mvr": mvr,
        "folder": tmp_path_factory.mktemp("extending"),
        "track": sorted((ROOT / "assets" / "demo" / "tracks").iterdir())[0],
        "segments": [Segment(start_s=0.0, end_s=4.0), Segment(start_s=2.0, end_s=6.0)],
    }
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(snippets) == 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "extension", extension)
        for table in (backbone.KINDS, heads.KINDS, indexes.KINDS):
            for name in ("loudest", "rotation", "halves"):
                patch.delitem(table, name, raising=False)
        before = [dict(table) for table in (backbone.KINDS, heads.KINDS, indexes.KINDS)]
        for snippet in snippets:
            exec(compile(snippet, "docs/extending.md", "exec"), names)
        yield names
        for table, entries in zip((backbone.KINDS, heads.KINDS, indexes.KINDS), before, strict=True):
            table.clear()
            table.update(entries)


def test_the_backbone_is_known_by_name_and_a_batch_is_its_rows(made):
    assert "loudest" in backbone.backbone_names(Modality.AUDIO)
    batch = made["backbone"].preprocess(made["track"], made["segments"])
    alone = np.concatenate([made["backbone"].encode(row[None]) for row in batch])
    np.testing.assert_allclose(made["features"], alone, atol=1e-6)
    assert made["features"].shape == (2, 4) and (made["features"] < 0).all()


def test_the_head_comes_back_from_its_file(made):
    wanted = made["features"][:, ::-1] / np.linalg.norm(made["features"], axis=1, keepdims=True)
    np.testing.assert_allclose(made["embedded"].vectors[:, 0], wanted, atol=1e-6)


def test_the_dataset_is_a_store_with_splits_and_labels(made):
    store = made["store"]
    assert len(store) == 30 and store.splits.count("test") == 10
    assert store.labels["genre"][1] == ["jazz", "calm"] and store.video.shape == (30, 6)


def test_the_index_answers_as_the_exact_one(made):
    rows = np.random.default_rng(2).normal(size=(40, 1, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    rows[30] = rows[3]  # a tie across the halves
    exact = create_index("numpy", dim=8, branches=("ssl",))
    for index in (made["index"], exact):
        index.add([f"r{n}" for n in range(40)], rows)
    weights = branch_weights(0.0, 1)
    for k in (1, 5, 40):
        found, wanted = (index.search(rows[3], weights, k) for index in (made["index"], exact))
        assert found.rows.tolist() == wanted.rows.tolist()

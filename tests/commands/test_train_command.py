"""`mvr train` as a user runs it: one JSON document, exit statuses, config and labels."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mvr.__main__ import main
from mvr.embeddings.status import system_status
from mvr.embeddings.store import write_store
from mvr.heads import load_head

SMALL = {
    "head": {"hidden": 16, "dim": 8, "members": 1},
    "training": {"epochs": 2, "batch_rows": 16, "min_steps": 0},
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    labels = [["rock", "live"][: i % 3] for i in range(60)]
    manifest = pa.table(
        {"id": [f"i{i}" for i in range(60)], "genre": pa.array(labels, pa.list_(pa.string()))}
    )
    video, audio = generator.normal(size=(60, 12)), generator.normal(size=(60, 9))
    return write_store(tmp_path / "store", video=video, audio=audio, manifest=manifest).path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL))
    return path


def run(monkeypatch, capsys, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["mvr", *map(str, arguments)])
    try:
        main()
        code = 0
    except SystemExit as left:
        code = int(left.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_a_head_is_trained_and_described_in_one_json_document(store, config, tmp_path, monkeypatch, capsys):
    out = tmp_path / "head.safetensors"
    arguments = (
        "--features",
        store,
        "--out",
        out,
        "--labels",
        "genre",
        "--config",
        config,
        "--seed",
        7,
        "--json",
    )
    code, printed, _ = run(monkeypatch, capsys, "train", "control-mvr", *arguments)
    report = json.loads(printed)
    assert code == 0 and report["kind"] == "control-mvr" and report["branches"] == ["ssl", "genre"]
    assert report["recipe"]["training"]["seed"] == 7 and report["recipe"]["training"]["epochs"] == 2
    assert report["data"]["val_made_from_train"] is True and "median_rank" in report["val"]["ssl"]
    assert load_head(out).branches == ("ssl", "genre")


@pytest.mark.parametrize("preset", ["cca", "random", "vm-net"])
def test_baselines_train_by_the_same_command(preset, store, config, tmp_path, monkeypatch, capsys):
    small = ("--config", config) if preset == "vm-net" else ()
    out = tmp_path / "head.safetensors"
    code, printed, _ = run(monkeypatch, capsys, "train", preset, "--features", store, "--out", out, *small)
    assert code == 0 and str(out) in printed and "median_rank" in printed and out.is_file()


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"kind": "mvbnd"}, 2, "unknown kind of head or preset 'mvbnd'; choose from cca"),
        ({"--labels": "mood"}, 2, "no label column 'mood'; it has genre"),
        ({"--features": "nothing"}, 1, "not a feature store"),
        ({"--config": "nothing.json"}, 2, "cannot be read"),
        ({"--seed": "-1"}, 2, "--seed"),
    ],
)
def test_mistakes_are_one_sentence_and_an_exit_status(
    change, code, message, store, tmp_path, monkeypatch, capsys
):
    kind = change.pop("kind", "control-mvr")
    options = {"--features": store, "--out": tmp_path / "head.safetensors", **change}
    flat = [word for pair in options.items() for word in pair]
    left, printed, errors = run(monkeypatch, capsys, "train", kind, *flat)
    assert left == code and printed == "" and message in errors and "Traceback" not in errors
    assert not (tmp_path / "head.safetensors").exists()


def test_the_line_that_a_system_without_its_head_says_can_be_typed(
    store, config, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("MVR_HOME", str(tmp_path / "fresh"))
    lacks = system_status("cca").lacks
    words = shlex.split(lacks.partition("`")[2].rpartition("`")[0].replace("STORE", str(store)))
    assert run(monkeypatch, capsys, *words[1:])[0] == 0
    assert system_status("cca").ready
    code, _, err = run(
        monkeypatch, capsys, "train", "cca", "--features", store, "--out", tmp_path / "gone" / "h.safetensors"
    )
    assert code == 2 and "gone does not exist; make it first" in err

"""The committed results: those whose features and heads ship are reprinted byte for byte, all are well formed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.numbers import RESULTS
from eval.protocols import folds, hubs, mixing
from eval.protocols.__main__ import main
from eval.protocols.protocol import load_protocol, protocol_names
from eval.provenance import ROOT, store_hashes
from eval.retrieval.report import REPRODUCIBLE


def shipped() -> list[str]:
    """Protocols that need nothing but the checkout and have committed results."""
    protocols = [load_protocol(name) for name in protocol_names()]
    return [
        p.name
        for p in protocols
        if p.store.path and not p.heads and (RESULTS / p.name / "results.json").exists()
    ]


@pytest.mark.slow  # a quarter of a minute of resampling
def test_committed_results_whose_features_ship_are_reprinted(tmp_path):
    assert "demo" in shipped()
    for name in shipped():
        assert main(["run", name, "--out", str(tmp_path / name)]) == 0
        for file in (path for path in REPRODUCIBLE if (RESULTS / name / path).exists()):
            assert (tmp_path / name / file).read_bytes() == (RESULTS / name / file).read_bytes(), (
                f"{name}/{file}"
            )


def reports() -> list[Path]:
    """Committed retrieval reports."""
    return [
        RESULTS / name / "results.json"
        for name in protocol_names()
        if (RESULTS / name / "results.json").exists()
    ]


@pytest.mark.parametrize("path", reports(), ids=lambda path: path.parent.name)
def test_committed_results_say_where_they_come_from(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    assert {row["system"] for row in document["rows"]} >= {"cca", "random"}
    assert set(document["features"]["sha256"]) == {"meta.json", "manifest.parquet", "video.npy", "audio.npy"}
    assert document["settings"]["draws"] >= 10_000 and "seed" in document["settings"]
    run = json.loads((path.parent / "run.json").read_text(encoding="utf-8"))
    assert run["revision"] and len(run["code_sha256"]) == 64
    for row in document["rows"]:
        assert 0 <= row["mrr"] <= 1 and 1 <= row["median_rank"] <= row["pool"] + 1


@pytest.mark.parametrize(
    ("folder", "module"),
    [("yt8m-folds", folds), ("emomv", folds), ("yt8m-topics", mixing), ("yt8m-public", hubs)],
)
def test_further_tests_are_rendered_from_their_json(folder, module):
    stem = RESULTS / folder / module.__name__.rpartition(".")[2]
    document = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
    assert module.as_markdown(document) == stem.with_suffix(".md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("folder", "protocol"), [("yt8m-folds", "yt8m-public"), ("emomv", "emomv")])
def test_the_committed_folds_are_those_of_the_protocol(folder, protocol):
    spec = load_protocol(protocol).folds
    assert spec is not None
    document = json.loads((RESULTS / folder / "folds.json").read_text(encoding="utf-8"))
    assert document["about"] == " ".join(spec.about.split()) and document["pool"] == spec.pool
    assert len(document["folds"]) == spec.count and document["queries"] == sum(
        f["test"] for f in document["folds"]
    )
    tested = {(entry["first"], entry["second"]) for entry in document["comparisons"]}
    assert tested == set(spec.comparisons) and len(document["comparisons"]) == 2 * len(tested)


def test_shipped_features_are_the_ones_that_were_measured():
    for name in shipped():
        document = json.loads((RESULTS / name / "results.json").read_text(encoding="utf-8"))
        assert document["features"]["sha256"] == store_hashes(ROOT / str(load_protocol(name).store.path))

"""Training of the bridge: CCA against scikit-learn's view of it, planted links found, one command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from mvr.__main__ import app
from mvr.backbones.audio_tags import output_names
from mvr.backbones.tag_table import KINDS, TAG_KINDS, TAG_OUTPUTS
from mvr.embeddings.store import FeatureStore, write_store
from mvr.errors import DataError, WrongShape
from mvr.heads import load_head
from mvr.training.bridge import BridgeRecipe, Reference, fit_link, members_of, train_bridge

CONCEPTS = [f"thing {n}" for n in range(12)]
TAGS = list(TAG_OUTPUTS)[:8]


def planted(rows: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Concepts, tags and labels where thing n asks for tag n modulo 8."""
    rng = np.random.default_rng(seed)
    labels = rng.random((rows, len(CONCEPTS))) < 0.15
    concepts = labels + 0.3 * rng.normal(size=labels.shape)
    tags = 0.5 * rng.normal(size=(rows, len(TAGS)))
    for thing in range(len(CONCEPTS)):
        tags[:, thing % 8] += labels[:, thing]
    return concepts, tags, labels


def reference(seed: int = 0) -> Reference:
    rng = np.random.default_rng(seed)
    return Reference(
        concepts=rng.normal(0, 0.5, (20, len(CONCEPTS))).astype(np.float32),
        logits=rng.normal(-2, 2, (30, 100)).astype(np.float32),
        concept_names=tuple(CONCEPTS),
        outputs=output_names(),
    )


def store_of(folder: Path) -> FeatureStore:
    concepts, tags, labels = planted()
    names = [[CONCEPTS[c] for c in np.flatnonzero(row)] for row in labels]
    manifest = pa.table(
        {"id": [str(n) for n in range(len(names))], "concept": pa.array(names, pa.list_(pa.string()))}
    )
    meta = {
        "video": {"backbone": "c", "settings": {"columns": CONCEPTS}},
        "audio": {"backbone": "t", "settings": {"columns": TAGS}},
        "source": "planted",
    }
    return write_store(
        folder, video=concepts.astype(np.float32), audio=tags.astype(np.float32), manifest=manifest, meta=meta
    )


def test_a_planted_link_is_found():
    link = fit_link(*planted(), BridgeRecipe(directions=7))
    for thing in range(len(CONCEPTS)):
        assert int(link.mixture[thing].argmax()) == thing % 8
    assert link.correlations[0] > 0.3 and (np.diff(link.correlations) <= 1e-9).all()


def test_directions_are_uncorrelated_under_the_ridge():
    concepts, tags, labels = planted()
    recipe = BridgeRecipe(directions=5)
    link = fit_link(concepts, tags, labels, recipe)
    x = (concepts - concepts.mean(0)) / concepts.std(0)
    x -= x.mean(axis=1, keepdims=True)
    covariance = np.cov(x.T, bias=True) + recipe.video_ridge * np.eye(x.shape[1])
    np.testing.assert_allclose(link.video.T @ covariance @ link.video, np.eye(5), atol=0.02)


def test_the_row_mean_is_blind_whether_it_was_taken_off_or_not():
    link = fit_link(*planted(), BridgeRecipe(directions=5))
    np.testing.assert_allclose(link.video.sum(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(link.audio.sum(axis=0), 0, atol=1e-9)


def test_a_rare_concept_is_shrunk_towards_nothing():
    concepts, tags, labels = planted()
    labels[:, 0] = False
    rows = np.flatnonzero(labels[:, 8])[:10]
    labels[:, 1] = False
    labels[rows, 1] = True
    link = fit_link(concepts, tags, labels, BridgeRecipe(directions=5, shrink_rows=30))
    assert not link.mixture[0].any()
    bare = fit_link(concepts, tags, labels, BridgeRecipe(directions=5, shrink_rows=0)).mixture[1]
    np.testing.assert_allclose(link.mixture[1], bare * 10 / 40, atol=1e-12)


def test_rows_that_do_not_fit_and_too_few_are_refused():
    concepts, tags, labels = planted(60)
    with pytest.raises(WrongShape, match="do not fit"):
        fit_link(concepts[:50], tags, labels)
    with pytest.raises(DataError, match="too few for 40 directions"):
        fit_link(concepts[:40], tags[:40], labels[:40])


def test_members_are_means_of_outputs_by_their_spread_and_sign():
    found = reference()
    members = members_of(found, ["loud", "jazz"])
    place = {name: at for at, name in enumerate(found.outputs)}
    spread = found.logits.std(axis=0)
    assert members[place["mtt:loud"], 0] == pytest.approx(1 / (2 * spread[place["mtt:loud"]]))
    assert members[place["mtt:quiet"], 0] == pytest.approx(-1 / (2 * spread[place["mtt:quiet"]]))
    assert members[place["msd:jazz"], 1] == pytest.approx(1 / spread[place["msd:jazz"]])
    assert np.count_nonzero(members) == 3


def test_every_tag_has_outputs_and_a_kind():
    names = set(output_names())
    assert len(TAG_OUTPUTS) == 45 and set(TAG_KINDS.values()) == set(KINDS)
    assert all(output.removeprefix("-") in names for outputs in TAG_OUTPUTS.values() for output in outputs)


def test_the_average_reference_clip_asks_for_nothing(tmp_path: Path):
    found = reference()
    train_bridge(
        store_of(tmp_path / "store"), found, tmp_path / "head.safetensors", BridgeRecipe(directions=5)
    )
    tables = load_head(tmp_path / "head.safetensors").tables
    np.testing.assert_allclose(tables.wanted(found.concepts).mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(tables.seen(found.concepts).mean(axis=0), 0, atol=1e-4)


def test_the_command_trains_and_says_on_what(tmp_path: Path):
    store_of(tmp_path / "store")
    reference().save(tmp_path / "reference.safetensors")
    out = tmp_path / "head.safetensors"
    arguments = ["train", "bridge", "--features", str(tmp_path / "store"), "--out", str(out), "--json"]
    refused = CliRunner().invoke(app, arguments)
    assert refused.exit_code != 0 and "needs --reference" in str(refused.exception)
    concepts, _, _ = planted()
    assert concepts.shape[1] < 40  # so all 8 directions are kept
    done = CliRunner().invoke(app, [*arguments, "--reference", str(tmp_path / "reference.safetensors")])
    assert done.exit_code == 0, done.output
    report = json.loads(done.output)
    assert (
        report["rows"] == 600
        and report["source"] == "planted"
        and report["reference"] == {"clips": 20, "sounds": 30}
    )
    assert load_head(out).tables.tags == tuple(TAGS)


def test_a_reference_of_other_concepts_or_no_reference_is_refused(tmp_path: Path):
    store = store_of(tmp_path / "store")
    other = Reference(**{**vars(reference()), "concept_names": tuple(reversed(CONCEPTS))})
    with pytest.raises(DataError, match="in the same order"):
        train_bridge(store, other, tmp_path / "head.safetensors")
    with pytest.raises(DataError, match="made by the backbones"):
        Reference.read(tmp_path / "store")
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(DataError, match="not a reference"):
        Reference.read(tmp_path / "x")

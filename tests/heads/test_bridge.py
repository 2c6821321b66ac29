"""The heads `bridge` and `profiles`: their arithmetic by a slow loop, one file for both, the shipped one."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from mvr.errors import WeightsCorrupt, WrongShape
from mvr.heads import load_head, save_head
from mvr.heads.bridge import TENSORS, BridgeHead, BridgeTables, ProfilesHead

SHIPPED = Path(__file__).parents[2] / "assets" / "heads" / "bridge-mini.safetensors"


@pytest.fixture
def tables() -> BridgeTables:
    rng = np.random.default_rng(0)
    shapes = {
        **dict.fromkeys(("concept_mean", "concept_std"), (5,)),
        **dict.fromkeys(("tag_mean", "tag_std", "mixture_base"), (3,)),
        "video": (5, 2),
        "audio": (3, 2),
        "members": (7, 3),
        "mixture": (5, 3),
        "whiten": (3, 3),
    }
    arrays = {name: rng.uniform(0.5, 2, shape).astype(np.float32) for name, shape in shapes.items()}
    return BridgeTables(concepts=tuple("abcde"), tags=tuple("xyz"), **arrays)


def test_what_a_clip_asks_for_is_the_mean_profile_of_what_is_seen(tables: BridgeTables):
    features = np.random.default_rng(1).normal(size=5).astype(np.float32)
    z = [(features[c] - tables.concept_mean[c]) / tables.concept_std[c] for c in range(5)]
    weights = [math.exp(min(6, max(-3, value))) for value in z]
    for tag in range(3):
        mean = sum(w * tables.mixture[c, tag] for c, w in enumerate(weights)) / sum(weights)
        assert tables.wanted(features[None])[0, tag] == pytest.approx(
            mean - tables.mixture_base[tag], abs=1e-5
        )


def test_one_detector_gone_mad_counts_no_more_than_six_deviations(tables: BridgeTables):
    features = np.tile(tables.concept_mean, (2, 1))
    features[:, 2] += tables.concept_std[2] * np.array([6, 600])
    np.testing.assert_allclose(*np.split(tables.wanted(features), 2), atol=1e-6)


def test_tags_are_grouped_standardised_and_centred(tables: BridgeTables):
    logits = np.random.default_rng(2).normal(size=(4, 7)).astype(np.float32)
    heard = tables.heard(logits)
    np.testing.assert_allclose(heard.sum(axis=1), 0, atol=1e-4)
    plain = (logits @ tables.members - tables.tag_mean) / tables.tag_std
    np.testing.assert_allclose(heard - heard[:, :1], plain - plain[:, :1], atol=1e-4)


def test_both_kinds_read_one_file(tables: BridgeTables, tmp_path: Path):
    save_head(BridgeHead(tables), tmp_path / "both.safetensors")
    bridge, profiles = (load_head(tmp_path / "both.safetensors", kind) for kind in (None, "profiles"))
    assert (type(bridge), bridge.dim) == (BridgeHead, 2)
    assert (type(profiles), profiles.dim) == (ProfilesHead, 3)
    np.testing.assert_array_equal(profiles.tables.mixture, tables.mixture)


def test_another_kind_is_not_forced_on_a_file(tables: BridgeTables, tmp_path: Path):
    save_head(BridgeHead(tables), tmp_path / "both.safetensors")
    assert load_head(tmp_path / "both.safetensors", "cca").kind == "bridge"


def test_tables_that_do_not_fit_are_refused(tables: BridgeTables):
    with pytest.raises(WrongShape, match=r"tensor whiten .* expected \(3, 3\)"):
        replace(tables, whiten=np.ones((3, 2), np.float32))


def test_a_file_that_lacks_a_tensor_is_refused(tables: BridgeTables, tmp_path: Path):
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "both.safetensors"
    save_head(BridgeHead(tables), path)
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    tensors.pop("audio")
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(WeightsCorrupt, match="audio"):
        load_head(path)


def test_the_shipped_file_keeps_the_recipes_names():
    with safe_open(SHIPPED, "numpy") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    assert set(shapes) == set(TENSORS)
    assert shapes["video"] == (79, 40) and shapes["audio"] == (45, 40) and shapes["members"] == (100, 45)


@pytest.mark.parametrize(
    ("concept", "tag"),
    [
        ("drum kit", "drums"),
        ("electric guitar", "guitar"),
        ("violin", "strings"),
        ("piano", "piano"),
        ("basketball", "hip hop"),
        ("underwater", "ambient"),
        ("dj", "house"),
    ],
)
def test_the_shipped_head_says_what_goes_with_what(concept: str, tag: str):
    tables = load_head(SHIPPED).tables
    features = tables.concept_mean.copy()
    features[tables.concepts.index(concept)] += 6 * tables.concept_std[tables.concepts.index(concept)]
    assert tables.tags[int(tables.wanted(features[None])[0].argmax())] == tag

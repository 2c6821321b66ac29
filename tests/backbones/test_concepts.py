"""`concepts`: the network against timm's own model, scores against a slow loop, crops and frames."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from eval.bridge.twins import torch_concepts
from mvr.backbones import create_backbone
from mvr.backbones.concepts import ConceptsVideo, build_network, concept_scores, squares
from mvr.backbones.network_file import read_network
from mvr.datatypes import Modality, Segment
from mvr.errors import UsageError, WeightsCorrupt, WeightsMissing


def test_the_network_is_timms_within_1e_4():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 224, 224))
    pictures = ((pixels - 127) / 128).astype(np.float32)
    wanted = torch_concepts()(pictures)
    np.testing.assert_allclose(build_network(read_network("concepts")).run(pictures), wanted, atol=1e-4)


def test_scores_are_the_soft_maximum_of_standardised_logits():
    logits = np.random.default_rng(1).normal(3, 2, (3, 20)).astype(np.float32)
    classes = [np.array([4]), np.array([0, 7, 19])]
    scores = concept_scores(logits, classes)
    for row, values in enumerate(logits.astype(float)):
        unit = [(value - values.mean()) / values.std() for value in values]
        for column, numbers in enumerate(classes):
            mean = sum(math.exp(2 * unit[n]) for n in numbers) / len(numbers)
            assert scores[row, column] == pytest.approx(math.log(mean) / 2, abs=1e-5)


def test_a_concept_of_one_class_does_not_depend_on_the_models_confidence():
    logits = np.random.default_rng(2).normal(size=(1, 30)).astype(np.float32)
    classes = [np.array([n]) for n in range(3)]
    np.testing.assert_allclose(
        concept_scores(logits, classes), concept_scores(5 * logits + 1, classes), atol=1e-5
    )


def test_the_centre_crop_leaves_the_sides_out_and_the_whole_keeps_them():
    image = np.zeros((1, 224, 448, 3), np.uint8)
    image[:, :, 112:336] = 255
    crops = squares(image, ("centre", "whole"))[0]
    assert crops[0].min() == 255
    assert crops[1].mean() == pytest.approx(127.5, abs=2)


def test_frames_are_one_a_second_and_at_most_sixteen(moving_video: Path):
    backbone = ConceptsVideo()
    assert backbone.preprocess(moving_video, [Segment(start_s=0, end_s=3.2)]).shape[1] == 4
    assert backbone.preprocess(moving_video, [Segment(start_s=0, end_s=60)]).shape[1] == 16


def test_there_are_79_concepts_with_names():
    backbone = create_backbone("concepts", Modality.VIDEO)
    assert isinstance(backbone, ConceptsVideo)
    assert backbone.dim == len(set(backbone.concepts)) == 79
    assert {"electric guitar", "underwater", "wedding"} <= set(backbone.concepts)


def test_unknown_crops_are_refused():
    with pytest.raises(UsageError, match="'corner'"):
        ConceptsVideo(crops=["corner"])


def test_a_missing_and_a_damaged_network_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MVR_ASSETS", str(tmp_path))
    with pytest.raises(WeightsMissing, match=r"eval\.weights concepts"):
        read_network("concepts")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "concepts.safetensors").write_bytes(b"no tensors")
    with pytest.raises(WeightsCorrupt, match="not a network of this project"):
        read_network("concepts")
    save_file(
        {"a": np.ones(2, np.float32)}, tmp_path / "weights" / "concepts.safetensors", metadata={"mvr": "{}"}
    )
    with pytest.raises(WeightsCorrupt, match="not a network of this version"):
        read_network("concepts")

"""One contract, every backbone: what stores, indexes and heads rely on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mvr.backbones import Backbone, TextBackbone, backbone_names, create_backbone
from mvr.datatypes import Modality, Segment
from mvr.errors import MediaError, UsageError

ALL = [(modality, name) for modality in Modality for name in backbone_names(modality)]
SEGMENTS = [Segment(start_s=0.0, end_s=3.0), Segment(start_s=0.5, end_s=3.5), Segment(start_s=1.0, end_s=4.0)]


@pytest.fixture(params=ALL, ids=lambda pair: f"{pair[1]}-{pair[0]}", scope="module")
def backbone(request: pytest.FixtureRequest, options: dict[str, dict[str, Any]]) -> Backbone:
    modality, name = request.param
    return create_backbone(name, modality, **options[name])


@pytest.fixture
def media(backbone: Backbone, moving_video: Path, music_file: Path) -> Path:
    return moving_video if backbone.modality is Modality.VIDEO else music_file


def test_the_contract_covers_every_backbone_and_both_modalities():
    names = {
        "audio-tags",
        "clap",
        "clip",
        "concepts",
        "descriptors",
        "imagebind",
        "mert",
        "peav",
        "soundscape",
    }
    assert {name for _, name in ALL} == names
    assert {modality for modality, _ in ALL} == set(Modality)


def test_features_are_finite_float32_of_the_announced_width(backbone: Backbone, media: Path):
    features = backbone.encode(backbone.preprocess(media, SEGMENTS))
    assert features.shape == (3, backbone.dim)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_a_batch_is_its_items_one_by_one(backbone: Backbone, media: Path):
    batch = backbone.preprocess(media, SEGMENTS)
    alone = np.concatenate([backbone.encode(row[None]) for row in batch])
    np.testing.assert_allclose(backbone.encode(batch), alone, rtol=1e-4, atol=1e-4)


def test_the_same_file_gives_the_same_features(backbone: Backbone, media: Path):
    first = backbone.encode(backbone.preprocess(media, SEGMENTS))
    second = backbone.encode(backbone.preprocess(media, SEGMENTS))
    np.testing.assert_array_equal(first, second)


def test_a_second_instance_gives_the_same_features_and_settings(
    backbone: Backbone, media: Path, options: dict[str, dict[str, Any]]
):
    other = create_backbone(backbone.name, backbone.modality, **options[backbone.name])
    batch = backbone.preprocess(media, SEGMENTS[:1])
    np.testing.assert_array_equal(backbone.encode(batch), other.encode(batch))
    assert backbone.settings == other.settings


def test_encoding_leaves_its_input_alone(backbone: Backbone, media: Path):
    batch = backbone.preprocess(media, SEGMENTS[:2])
    before = batch.copy()
    backbone.encode(batch)
    np.testing.assert_array_equal(batch, before)


def test_different_media_give_different_features(
    backbone: Backbone, media: Path, still_video: Path, silent_file: Path
):
    other = still_video if backbone.modality is Modality.VIDEO else silent_file
    one, two = (backbone.encode(backbone.preprocess(path, SEGMENTS[:1])) for path in (media, other))
    assert np.abs(one - two).max() > 1e-3


def test_silence_and_a_still_picture_give_finite_features(
    backbone: Backbone, still_video: Path, silent_file: Path
):
    path = still_video if backbone.modality is Modality.VIDEO else silent_file
    features = backbone.encode(backbone.preprocess(path, SEGMENTS[:1]))
    assert np.isfinite(features).all()


def test_settings_are_json_and_survive_the_round_trip(backbone: Backbone):
    assert json.loads(json.dumps(backbone.settings)) == backbone.settings


def test_the_instance_says_what_it_is(backbone: Backbone):
    assert backbone.name in backbone_names(backbone.modality)
    assert backbone.dim > 0


def test_a_file_that_is_no_media_is_refused(backbone: Backbone, tmp_path: Path):
    path = tmp_path / "notes.mp4"
    path.write_text("no media at all\n" * 100)
    with pytest.raises(MediaError, match=r"notes\.mp4"):
        backbone.preprocess(path, SEGMENTS[:1])


def test_a_file_without_the_wanted_stream_is_refused(
    backbone: Backbone, moving_video: Path, music_file: Path, tmp_path: Path
):
    wrong = music_file if backbone.modality is Modality.VIDEO else moving_video
    path = Path(shutil.copy(wrong, tmp_path / f"wrong{wrong.suffix}"))
    with pytest.raises(MediaError, match="wrong"):
        backbone.preprocess(path, SEGMENTS[:1])


def test_an_unknown_option_is_refused(backbone: Backbone, options: dict[str, dict[str, Any]]):
    with pytest.raises(UsageError, match="'sharpness'"):
        create_backbone(backbone.name, backbone.modality, **options[backbone.name], sharpness=3)


def test_text_features_lie_beside_the_item_features(backbone: Backbone):
    if backbone.name in ("imagebind", "clip", "clap", "peav"):
        assert isinstance(backbone, TextBackbone)
        features = backbone.encode_text(["calm piano at dusk", "a fast car chase"])
        assert features.shape == (2, backbone.dim) and features.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
        assert np.abs(features[0] - features[1]).max() > 1e-3
    else:
        assert not isinstance(backbone, TextBackbone)


def test_an_unknown_backbone_lists_the_known_ones():
    with pytest.raises(UsageError, match="'clop'; choose from clip, concepts, descriptors, imagebind"):
        create_backbone("clop", Modality.VIDEO)


def test_read_only_rows_are_encoded_too(backbone: Backbone, media: Path):
    batch = backbone.preprocess(media, SEGMENTS[:1])
    frozen = batch.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(backbone.encode(frozen), backbone.encode(batch))

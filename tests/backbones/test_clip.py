"""CLIP: frames at a rate, preprocessing against open_clip's own, mean over time, checkpoints that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from mvr.backbones.clip import ClipVideo
from mvr.backbones.weights import WeightsFile, WeightsSource
from mvr.datatypes import Segment
from mvr.errors import LicenceNotAccepted, UsageError, WeightsCorrupt, WeightsMissing
from mvr.media.frames import sample_frames


@pytest.fixture(scope="module")
def tiny(options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return options["clip"]


@pytest.fixture(scope="module")
def model(tiny: dict[str, Any]) -> Any:
    model = open_clip.create_model("clip-tiny")
    model.load_state_dict(torch.load(tiny["weights"], weights_only=True))
    return model.eval()


def test_features_equal_open_clips_own_pipeline(tiny: dict[str, Any], model: Any, moving_video: Path):
    backbone = ClipVideo(**tiny, frame_rate_hz=1.0)
    found = backbone.encode(backbone.preprocess(moving_video, [Segment(start_s=0.0, end_s=4.0)]))[0]
    transform = open_clip.image_transform(64, is_train=False)
    images = sample_frames(moving_video, times_s=[0.5, 1.5, 2.5, 3.5]).images
    pixels = torch.stack([transform(Image.fromarray(image)) for image in images])
    with torch.no_grad():
        wanted = model.encode_image(pixels, normalize=True).mean(dim=0).numpy()
    # PIL and torch differ by at most one grey level per pixel.
    assert np.dot(found, wanted) / np.linalg.norm(found) / np.linalg.norm(wanted) > 0.9999
    np.testing.assert_allclose(found, wanted, atol=0.01)


def test_text_equals_open_clips_own(tiny: dict[str, Any], model: Any):
    texts = ["calm piano at dusk", ""]
    with torch.no_grad():
        wanted = model.encode_text(open_clip.get_tokenizer("clip-tiny")(texts), normalize=True).numpy()
    np.testing.assert_allclose(ClipVideo(**tiny).encode_text(texts), wanted, atol=1e-6)


@pytest.mark.parametrize(("rate_hz", "frames"), [(1.0, 4), (2.5, 10), (0.01, 1), (100.0, 16)])
def test_the_rate_sets_the_number_of_frames_up_to_a_limit(
    rate_hz: float, frames: int, tiny: dict[str, Any], moving_video: Path
):
    backbone = ClipVideo(**tiny, frame_rate_hz=rate_hz, max_frames=16)
    batch = backbone.preprocess(moving_video, [Segment(start_s=0.0, end_s=4.0)])
    assert batch.shape == (1, frames, 64, 64, 3) and batch.dtype == np.uint8


def test_loading_leaves_the_global_seed_alone(tiny: dict[str, Any]):
    torch.manual_seed(11)
    wanted = torch.rand(1)
    torch.manual_seed(11)
    ClipVideo(**tiny)
    assert torch.rand(1) == wanted


def test_a_checkpoint_of_another_architecture_is_refused(tiny: dict[str, Any], tmp_path: Path):
    path = tmp_path / "other.pt"
    torch.save({"visual.proj": torch.zeros(3, 3)}, path)
    with pytest.raises(WeightsCorrupt, match="no checkpoint of clip-tiny"):
        ClipVideo(**{**tiny, "weights": str(path)})


def test_missing_files_are_named(tiny: dict[str, Any], tmp_path: Path):
    with pytest.raises(WeightsMissing, match=r"gone\.pt is not there"):
        ClipVideo(**{**tiny, "weights": str(tmp_path / "gone.pt")})
    with pytest.raises(UsageError, match=r"gone\.json is not there"):
        ClipVideo(**{**tiny, "architecture": str(tmp_path / "gone.json")})


def test_unknown_architectures_and_tags_are_refused(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UsageError, match="no architecture 'ViT-Z-99'"):
        ClipVideo(architecture="ViT-Z-99")
    with pytest.raises(UsageError, match="no weights 'homemade'"):
        ClipVideo(pretrained="homemade")


def test_published_weights_offline_say_what_to_put_where():
    with pytest.raises(WeightsMissing, match=r"open_clip_model\.safetensors .*put it at"):
        ClipVideo()


def test_a_licence_that_is_not_known_has_to_be_accepted():
    with pytest.raises(LicenceNotAccepted, match="metaclip_400m"):
        ClipVideo(pretrained="metaclip_400m")


@pytest.mark.parametrize("wrong", [{"frame_rate_hz": 0.0}, {"max_frames": 0}])
def test_no_frames_are_refused(wrong: dict[str, float], tiny: dict[str, Any]):
    with pytest.raises(UsageError, match="must be positive"):
        ClipVideo(**tiny, **wrong)


def test_published_weights_from_a_local_hub_are_the_same_model(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch, moving_video: Path
):
    """The whole way of a download, with a file put where the message says."""
    source = WeightsSource(
        name="clip:clip-tiny/own",
        title="Tiny",
        licence="MIT",
        licence_url="https://example.org",
        noncommercial=False,
        repo="own/tiny",
        files=(WeightsFile(name="open_clip_model.safetensors"),),
    )
    monkeypatch.setattr("mvr.backbones.clip.clip_source", lambda *_: source)
    source.folder.mkdir(parents=True)
    save_file(torch.load(tiny["weights"], weights_only=True), source.folder / "open_clip_model.safetensors")
    published = ClipVideo(architecture=tiny["architecture"], pretrained="own", device="cpu")
    batch = published.preprocess(moving_video, [Segment(start_s=0.0, end_s=2.0)])
    np.testing.assert_array_equal(published.encode(batch), ClipVideo(**tiny).encode(batch))
    with pytest.raises(WeightsCorrupt, match="wanted 0000"):
        ClipVideo(architecture=tiny["architecture"], pretrained="own", sha256="0" * 64)

"""CLIP: frames at a rate, preprocessing against open_clip's own, mean over time, checkpoints that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from mvr.backbones.clip import ClipVideo, _pixels
from mvr.backbones.weights import WeightsFile, WeightsSource, clip_source
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
    with pytest.raises(WeightsCorrupt, match="not a checkpoint of clip-tiny"):
        ClipVideo(**{**tiny, "weights": str(path)})


def test_missing_files_are_named(tiny: dict[str, Any], tmp_path: Path):
    with pytest.raises(WeightsMissing, match=r"gone\.pt does not exist"):
        ClipVideo(**{**tiny, "weights": str(tmp_path / "gone.pt")})
    with pytest.raises(UsageError, match=r"no model file .*gone\.json"):
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
    with pytest.raises(WeightsCorrupt, match="expected 0000"):
        ClipVideo(architecture=tiny["architecture"], pretrained="own", sha256="0" * 64)


PE_CORE = {
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
    "interpolation": "bilinear",
    "resize_mode": "squash",
}


@pytest.fixture(scope="module")
def perception(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """PE-Core's smallest picture tower with seeded random weights, under a name of its own."""
    folder = tmp_path_factory.mktemp("pe-core")
    vision = {
        "image_size": 384,
        "timm_model_name": "vit_pe_core_tiny_patch16_384",
        "timm_model_pretrained": False,
    }
    text = {"context_length": 32, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
    config = {
        "embed_dim": 512,
        "vision_cfg": {**vision, "timm_pool": "map", "timm_proj": None},
        "text_cfg": text,
        "custom_text": True,
    }
    (folder / "pe-core-tiny.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder / "pe-core-tiny.json")
    with torch.random.fork_rng():
        torch.manual_seed(4)
        torch.save(open_clip.create_model("pe-core-tiny").state_dict(), folder / "pe.pt")
    return {
        "architecture": str(folder / "pe-core-tiny.json"),
        "weights": str(folder / "pe.pt"),
        "device": "cpu",
    }


def test_pictures_are_made_as_open_clip_says_of_the_weights(
    perception: dict[str, Any], monkeypatch: pytest.MonkeyPatch, moving_video: Path
):
    monkeypatch.setattr(open_clip, "get_pretrained_cfg", lambda *_: PE_CORE)
    backbone = ClipVideo(**perception, pretrained="meta")
    rows = backbone.preprocess(moving_video, [Segment(start_s=0.0, end_s=2.0)])
    assert rows.shape == (1, 2, 384, 384, 3) and backbone.dim == 512
    transform = open_clip.image_transform(384, is_train=False, **PE_CORE)
    images = sample_frames(moving_video, times_s=[0.5, 1.5]).images
    pixels = torch.stack([transform(Image.fromarray(image)) for image in images])
    made = rows[0].transpose(0, 3, 1, 2) / 255 * 2 - 1
    assert np.abs(made - pixels.numpy()).max() <= 2.01 / 127.5
    model = open_clip.create_model("pe-core-tiny", pretrained=perception["weights"]).eval()
    with torch.no_grad():
        wanted = model.encode_image(torch.from_numpy(made).float(), normalize=True).mean(dim=0).numpy()
    np.testing.assert_allclose(backbone.encode(rows)[0], wanted, atol=1e-5)
    assert backbone.settings["pixels"]["resize_mode"] == "squash"
    assert json.loads(json.dumps(backbone.settings)) == backbone.settings
    assert np.isfinite(backbone.encode_text(["calm piano"])).all()


def test_weights_of_ones_own_get_the_pictures_that_all_tags_of_their_architecture_share(
    perception: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(open_clip, "list_pretrained_tags_by_model", lambda _: ["one", "two"])
    monkeypatch.setattr(
        open_clip, "get_pretrained_cfg", lambda _, tag: PE_CORE if tag in ("one", "two") else {}
    )
    assert ClipVideo(**perception).settings["pixels"]["interpolation"] == "bilinear"
    other = {**PE_CORE, "interpolation": "bicubic"}
    monkeypatch.setattr(
        open_clip, "get_pretrained_cfg", lambda _, tag: {"one": PE_CORE, "two": other}.get(tag, {})
    )
    assert "pixels" not in ClipVideo(**perception).settings  # they differ: CLIP's own way
    assert ClipVideo(**perception, pretrained="two").settings["pixels"]["interpolation"] == "bicubic"


def test_clips_own_way_leaves_the_settings_of_earlier_stores_alone(tiny: dict[str, Any]):
    assert "pixels" not in ClipVideo(**tiny).settings


def test_every_published_tag_has_pictures_that_can_be_made():
    for architecture, tag in open_clip.list_pretrained():
        said = open_clip.get_pretrained_cfg(architecture, tag)
        made = _pixels(said)
        wanted = open_clip.transform.merge_preprocess_dict(open_clip.transform.PreprocessCfg(), said)
        assert all(getattr(made, name) == wanted[name] for name in ("resize_mode", "interpolation"))
        assert (list(made.mean), list(made.std)) == (list(wanted["mean"]), list(wanted["std"]))


@pytest.mark.parametrize(
    ("architecture", "tag", "licence", "commercial"),
    [
        ("PE-Core-S-16-384", "meta", "Apache-2.0", "yes"),
        ("PE-Core-B-16", "meta", "Apache-2.0", "yes"),
        ("ViT-B-16-SigLIP2", "webli", "Apache-2.0", "yes"),
        ("ViT-B-32", "laion2b_e16", "MIT", "yes"),
        ("ViT-B-32-quickgelu", "metaclip_400m", "see the model's page", "unknown"),
        ("MobileCLIP-S1", "datacompdr", "see the model's page", "unknown"),
    ],
)
def test_licences_of_tags_are_told_or_have_to_be_read(
    architecture: str, tag: str, licence: str, commercial: str
):
    source = clip_source(architecture, tag)
    assert (source.licence, source.commercial) == (licence, commercial)
    assert source.noncommercial == (commercial != "yes")

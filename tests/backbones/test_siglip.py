"""SigLIP 2 through open_clip on tiny random weights: published names, pictures, words by the tokenizer beside them."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from mvr.backbones.clip import ClipVideo
from mvr.backbones.weights import WeightsFile, WeightsSource, clip_source
from mvr.datatypes import Segment
from mvr.errors import WeightsMissing
from mvr.media.frames import sample_frames
from tests.backbones.conftest import write_byte_tokenizer

PUBLISHED = "ViT-B-16-SigLIP2"
WORDS = ["a photo of a dog", "Calm,  PIANO!"]


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as on the hub, of ViT-B-16-SigLIP2 made narrow and shallow; its tokenizer knows bytes."""
    folder = tmp_path_factory.mktemp("siglip") / "siglip2-tiny"
    folder.mkdir()
    config = copy.deepcopy(open_clip.get_model_config(PUBLISHED))
    config |= {"embed_dim": 64}
    config["text_cfg"] |= {"width": 64, "heads": 2, "layers": 1, "vocab_size": 300, "context_length": 16}
    config["vision_cfg"]["timm_model_name"] = "vit_base_patch16_siglip_224"
    (folder / "siglip2-tiny.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder / "siglip2-tiny.json")
    write_byte_tokenizer(folder, ("<pad>", "<eos>", "<bos>", "<unk>"), "$A <eos>")
    with torch.random.fork_rng(), narrow_pictures():
        torch.manual_seed(6)
        state = open_clip.create_model("siglip2-tiny").state_dict()
    save_file(
        {name: value.contiguous() for name, value in state.items()}, folder / "open_clip_model.safetensors"
    )
    return folder


@contextlib.contextmanager
def narrow_pictures() -> Iterator[None]:
    """timm's picture tower with one block of width 64, while in use."""
    whole, small = timm.create_model, {"embed_dim": 64, "depth": 1, "num_heads": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timm, "create_model", lambda name, **given: whole(name, **{**given, **small}))
        yield


@pytest.fixture(scope="module")
def backbone(siglip: Path) -> ClipVideo:
    with narrow_pictures():
        return ClipVideo(**options(siglip))


def options(folder: Path) -> dict[str, Any]:
    return {
        "architecture": str(folder / "siglip2-tiny.json"),
        "weights": str(folder / "open_clip_model.safetensors"),
        "device": "cpu",
    }


def test_the_tiny_weights_have_the_tensors_of_the_published_model(siglip: Path):
    def shapes(names: Any) -> set[str]:
        return {re.sub(r"blocks\.\d+", "blocks.N", name) for name in names}

    with torch.device("meta"):
        published = open_clip.create_model(PUBLISHED, device="meta")
    tiny = torch_names(siglip / "open_clip_model.safetensors")
    assert shapes(published.state_dict()) == shapes(tiny)


def torch_names(path: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return list(file.keys())


def test_features_equal_open_clips_own_pipeline(
    backbone: ClipVideo, siglip: Path, moving_video: Path, monkeypatch: pytest.MonkeyPatch
):
    said = open_clip.get_pretrained_cfg(PUBLISHED, "webli")
    monkeypatch.setattr(open_clip, "get_pretrained_cfg", lambda *_: said)
    with narrow_pictures():
        mine = ClipVideo(**options(siglip), pretrained="webli")
        model = open_clip.create_model("siglip2-tiny", pretrained=options(siglip)["weights"]).eval()
    assert mine.settings["pixels"]["resize_mode"] == "squash"
    rows = mine.preprocess(moving_video, [Segment(start_s=0.0, end_s=2.0)])
    transform = open_clip.image_transform(
        224, is_train=False, **{key: said[key] for key in ("mean", "std", "interpolation", "resize_mode")}
    )
    images = sample_frames(moving_video, times_s=[0.5, 1.5]).images
    pixels = torch.stack([transform(Image.fromarray(image)) for image in images])
    made = torch.from_numpy(rows[0].transpose(0, 3, 1, 2).astype(np.float32) / 255 * 2 - 1)
    assert (made - pixels).abs().max() <= 2.01 / 127.5  # PIL and torch differ by one grey level
    from transformers import SiglipImageProcessor

    processor = SiglipImageProcessor(size={"height": 224, "width": 224}, resample=3)
    theirs = processor(images=list(images), return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(made, theirs, atol=1e-5, rtol=0)
    with torch.no_grad():
        wanted = model.encode_image(made, normalize=True).mean(dim=0).numpy()
    np.testing.assert_allclose(mine.encode(rows)[0], wanted, atol=1e-5)
    twice = mine.preprocess(moving_video, [Segment(start_s=0.0, end_s=2.0), Segment(start_s=1.0, end_s=3.0)])
    alone = np.concatenate([mine.encode(row[None]) for row in twice])
    np.testing.assert_allclose(mine.encode(twice), alone, atol=1e-5)


def test_words_are_read_by_the_tokenizer_beside_the_weights(backbone: ClipVideo, siglip: Path):
    codes = json.loads((siglip / "tokenizer.json").read_text())["model"]["vocab"]
    with narrow_pictures():
        model = open_clip.create_model("siglip2-tiny", pretrained=options(siglip)["weights"]).eval()
    for text, found in zip(WORDS, backbone.encode_text(WORDS), strict=True):
        plain = " ".join(re.sub(r"[^\w\s]", "", text).lower().split())  # what SigLIP calls canonical
        ids = [*[codes["Ġ" if letter == " " else letter] for letter in plain][:15], 1]
        with torch.no_grad():
            padded = torch.tensor([ids + [0] * (16 - len(ids))])
            wanted = model.encode_text(padded, normalize=True)[0].numpy()
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_without_a_tokenizer_pictures_work_and_words_say_what_lacks(siglip: Path, tmp_path: Path):
    lacking = Path(shutil.copytree(siglip, tmp_path / "lacking"))
    (lacking / "tokenizer.json").unlink()
    with narrow_pictures():
        backbone = ClipVideo(**options(lacking))
    with pytest.raises(
        WeightsMissing, match=r"put tokenizer\.json and tokenizer_config\.json of timm/ViT-B-16-Sig"
    ):
        backbone.encode_text(["dog"])


def test_the_published_set_holds_the_tokenizer():
    names = [file.name for file in clip_source(PUBLISHED, "webli").files]
    assert names == ["open_clip_model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert [file.name for file in clip_source("PE-Core-B-16", "meta").files] == [
        "open_clip_model.safetensors"
    ]


def test_the_files_of_a_download_are_the_same_model(
    siglip: Path, backbone: ClipVideo, monkeypatch: pytest.MonkeyPatch
):
    names = ["open_clip_model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    source = WeightsSource(
        name="clip:siglip2-tiny/own",
        title="Tiny",
        licence="Apache-2.0",
        licence_url="https://example.org",
        noncommercial=False,
        repo="own/tiny",
        files=tuple(WeightsFile(name=name) for name in names),
    )
    monkeypatch.setattr("mvr.backbones.clip.clip_source", lambda *_: source)
    source.folder.mkdir(parents=True)
    for name in names:
        shutil.copy(siglip / name, source.folder / name)
    with narrow_pictures():
        published = ClipVideo(architecture=options(siglip)["architecture"], pretrained="own", device="cpu")
    np.testing.assert_array_equal(published.encode_text(WORDS), backbone.encode_text(WORDS))

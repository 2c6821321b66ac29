"""The towers against the published code's outputs, and against the key -> shape table of the published file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from mvr.backbones.imagebind import ImageBindModel
from mvr.errors import UsageError, WrongShape

SHAPES = Path(__file__).parents[2] / "golden" / "imagebind_huge_shapes.json"
TOWER_OF = {"video": "vision", "image": "vision", "audio": "audio", "text": "text"}


@pytest.fixture(scope="module")
def model(small: dict[str, torch.Tensor], small_config: dict[str, int]) -> ImageBindModel:
    model = ImageBindModel(**small_config).eval()
    weights = {k.removeprefix("weight/"): v for k, v in small.items() if k.startswith("weight/")}
    model.load_state_dict(weights)
    return model


def encode(model: ImageBindModel, tower: str, values: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model(**{tower: values})[tower]


def test_the_default_sizes_have_every_key_and_shape_of_the_published_file():
    published = json.loads(SHAPES.read_text())
    wanted = {k: v for k, v in published.items() if k.split(".")[1] in ("vision", "audio", "text")}
    with torch.device("meta"):
        model = ImageBindModel()
    assert {k: list(v.shape) for k, v in model.state_dict().items()} == wanted
    assert len(wanted) == 864


@pytest.mark.parametrize("name", ["video", "image", "audio", "text"])
def test_outputs_equal_the_published_code(name: str, model: ImageBindModel, small: dict[str, torch.Tensor]):
    found, wanted = encode(model, TOWER_OF[name], small[f"in/{name}"]), small[f"out/{name}"]
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6 * float(wanted.abs().max()))


def test_all_towers_at_once_are_the_towers_one_by_one(model: ImageBindModel, small: dict[str, torch.Tensor]):
    with torch.no_grad():
        together = model(vision=small["in/video"], audio=small["in/audio"], text=small["in/text"])
    assert set(together) == {"vision", "audio", "text"}
    torch.testing.assert_close(together["audio"], encode(model, "audio", small["in/audio"]))


def test_a_still_picture_is_two_equal_frames(model: ImageBindModel, small: dict[str, torch.Tensor]):
    image = small["in/image"]
    twice = image.unsqueeze(2).repeat(1, 1, 2, 1, 1)
    torch.testing.assert_close(encode(model, "vision", image), encode(model, "vision", twice))


def test_several_segments_are_averaged_after_scaling(model: ImageBindModel, small: dict[str, torch.Tensor]):
    clips = small["in/audio"]  # (1, 3, 1, 128, 204)
    alone = torch.stack([encode(model, "audio", clips[:, k]) for k in range(3)])
    torch.testing.assert_close(alone.norm(dim=-1), torch.full((3, 1), 20.0))
    torch.testing.assert_close(encode(model, "audio", clips), alone.mean(dim=0))


def test_text_after_the_end_of_text_does_not_matter(model: ImageBindModel, small: dict[str, torch.Tensor]):
    ids = small["in/text"].clone()
    end = int(ids[0].argmax())
    ids[0, end + 1 :] = 7
    torch.testing.assert_close(encode(model, "text", ids)[0], encode(model, "text", small["in/text"])[0])


def test_only_the_wanted_towers_exist(small_config: dict[str, int]):
    keys = ImageBindModel(towers=("audio",), **small_config).state_dict()
    assert {key.split(".")[1] for key in keys} == {"audio"}


def test_a_tower_that_was_not_built_is_refused(small_config: dict[str, int]):
    model = ImageBindModel(towers=("audio",), **small_config)
    with pytest.raises(UsageError, match="holds audio, not 'vision'"):
        model(vision=torch.zeros(1, 3, 224, 224))


def test_unknown_sizes_and_towers_are_refused():
    with pytest.raises(UsageError, match="unknown setting 'depth_embed_dim'"):
        ImageBindModel(depth_embed_dim=384)
    with pytest.raises(UsageError, match="not depth"):
        ImageBindModel(towers=("depth",))


def test_inputs_with_other_axes_are_refused(model: ImageBindModel):
    with pytest.raises(WrongShape, match="audio input has 3 axes"):
        model(audio=torch.zeros(1, 128, 204))

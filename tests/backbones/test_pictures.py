"""Resizing against PIL, crops against their definition."""

from __future__ import annotations

import math

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import functional as TF
from transformers import CLIPImageProcessorPil

from mvr.backbones.pictures import PixelSettings, centre_squares, crops_along, normalise
from mvr.errors import UsageError


def picture(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(height * 1000 + width)
    coarse = Image.fromarray(rng.integers(0, 255, (7, 9, 3), dtype=np.uint8))
    return np.array(coarse.resize((width, height), Image.Resampling.BICUBIC))


@settings(max_examples=25, deadline=None)
@given(st.integers(20, 300), st.integers(20, 300))
def test_squares_are_pils_bicubic_centre_crop_within_a_grey_level(height: int, width: int):
    image = picture(height, width)
    found = centre_squares(image[None], 64)[0]
    scaled = TF.resize(Image.fromarray(image), 64, TF.InterpolationMode.BICUBIC)
    wanted = np.asarray(TF.center_crop(scaled, 64))
    assert found.shape == (64, 64, 3)
    assert np.abs(found.astype(int) - wanted.astype(int)).max() <= 2
    assert np.abs(found.astype(int) - wanted.astype(int)).mean() < 0.3


@pytest.mark.parametrize(("height", "width"), [(90, 160), (160, 90), (64, 64), (10, 6), (720, 1280)])
def test_crops_are_left_centre_right_or_top_centre_bottom(height: int, width: int):
    image = picture(height, width)
    short = min(height, width)
    size = [math.floor(64 * side / short) if side != short else 64 for side in (height, width)]
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    scaled = torch.nn.functional.interpolate(pixels, size, mode="bilinear", align_corners=False)[0]
    spare = max(size) - 64
    for crop, offset in zip(crops_along(image, 64, 3), [0, math.ceil(spare / 2), spare], strict=True):
        top, left = (0, offset) if width >= height else (offset, 0)
        torch.testing.assert_close(crop, scaled[:, top : top + 64, left : left + 64])
    torch.testing.assert_close(crops_along(image, 64, 1)[0], crops_along(image, 64, 3)[1])


def test_normalising_undoes_mean_and_deviation():
    pixels = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    shape = (3, 1, 1)
    back = normalise(pixels, (0.5, 0.4, 0.3), (0.1, 0.2, 0.3)) * torch.tensor([0.1, 0.2, 0.3]).view(shape)
    torch.testing.assert_close(back + torch.tensor([0.5, 0.4, 0.3]).view(shape), pixels)


@pytest.mark.parametrize(("height", "width"), [(480, 848), (544, 1280), (848, 480), (360, 640)])
@pytest.mark.parametrize("mode", ["shortest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_squares_are_open_clips_own(height: int, width: int, mode: str, interpolation: str):
    image = picture(height, width)
    found = PixelSettings(resize_mode=mode, interpolation=interpolation).squares(image[None], 224)[0]
    transform = open_clip.image_transform(
        224, is_train=False, mean=(0, 0, 0), std=(1, 1, 1), resize_mode=mode, interpolation=interpolation
    )
    wanted = transform(Image.fromarray(image)).permute(1, 2, 0).numpy() * 255
    assert np.abs(found - wanted).max() <= 2.01 and np.abs(found - wanted).mean() < 0.3


@pytest.mark.parametrize(("height", "width"), [(480, 848), (544, 1280)])
def test_the_crop_begins_where_open_clips_does_and_transformers_one_pixel_earlier(height: int, width: int):
    """An odd number of spare pixels: each column has its own grey, so the first one tells."""
    scaled = width * 224 // height
    assert (scaled - 224) % 2 == 1
    ramp = np.broadcast_to(
        np.linspace(0, 255, scaled).round().astype(np.uint8)[None, :, None], (224, scaled, 3)
    )
    found = centre_squares(ramp[None], 224)[0, 0, :, 0]
    theirs = CLIPImageProcessorPil(do_rescale=False, do_normalize=False)(
        Image.fromarray(ramp), return_tensors="np"
    )
    first = round((scaled - 224) / 2)
    np.testing.assert_array_equal(found, ramp[0, first : first + 224, 0])
    np.testing.assert_array_equal(theirs["pixel_values"][0, 0, 0], ramp[0, first - 1 : first + 223, 0])


def test_other_ways_to_make_pictures_are_refused():
    with pytest.raises(UsageError, match="'longest', 'bicubic' are not supported"):
        PixelSettings(resize_mode="longest")

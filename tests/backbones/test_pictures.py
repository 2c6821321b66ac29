"""Resizing against PIL, crops against their definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import functional as TF

from mvr.backbones.pictures import centre_squares, crops_along, normalise


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

"""From decoded frames to model input: resizing, crops and normalisation, each as its model was trained.

CLIP-type models: shorter side to N px, bicubic with antialias on uint8 (within one grey level of PIL's), centre
crop. ImageBind's video: shorter side to 224 px, plain bilinear on float, longer side floored, crops along it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def normalise(
    pictures: Tensor, mean: tuple[float, ...] = CLIP_MEAN, std: tuple[float, ...] = CLIP_STD
) -> Tensor:
    """(..., 3, H, W) in [0, 1] -> zero mean and unit variance per channel of the training pictures."""
    shape = (3, 1, 1)
    return (pictures - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)


def centre_squares(images: npt.NDArray[np.uint8], side_px: int) -> npt.NDArray[np.uint8]:
    """(N, H, W, 3) uint8 -> (N, side, side, 3) uint8: bicubic, antialiased, centre crop."""
    pictures = torch.from_numpy(np.require(images, requirements="W")).permute(0, 3, 1, 2)
    height, width = pictures.shape[-2:]
    short = min(height, width)
    size = (height * side_px // short, width * side_px // short)
    scaled = F.interpolate(pictures, size, mode="bicubic", antialias=True, align_corners=False)
    top, left = round((size[0] - side_px) / 2), round((size[1] - side_px) / 2)
    cut = scaled[:, :, top : top + side_px, left : left + side_px]
    squares: npt.NDArray[np.uint8] = cut.permute(0, 2, 3, 1).contiguous().numpy()
    return squares


def crops_along(image: npt.NDArray[Any], side_px: int, crops: int) -> Tensor:
    """(H, W, 3) uint8 -> (crops, 3, side, side) float32 in [0, 1] along the longer side, bilinear.

    One crop is the centre; three are left, centre, right (or top, centre, bottom when taller than wide). The
    offset of the centre is ceil((long - side) / 2).
    """
    picture = (
        torch.from_numpy(np.require(image, requirements="W")).permute(2, 0, 1).unsqueeze(0).float() / 255
    )
    height, width = picture.shape[-2:]
    wide = width >= height
    long_px = max(height, width) * side_px // min(height, width)
    size = (side_px, long_px) if wide else (long_px, side_px)
    scaled = F.interpolate(picture, size, mode="bilinear", align_corners=False)[0]
    centre = math.ceil((long_px - side_px) / 2)
    offsets = [centre] if crops == 1 else [0, centre, long_px - side_px]
    return torch.stack([scaled.narrow(2 if wide else 1, offset, side_px) for offset in offsets])

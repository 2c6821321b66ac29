"""From decoded frames to model input: resizing, crops and normalisation, each as its model was trained.

CLIP-type models: shorter side to N px, bicubic with antialias on uint8 (within one grey level of PIL's), centre
crop, or the whole picture squashed to N x N px, as open_clip says of their weights (`PixelSettings`). The crop begins
where open_clip's does, at round(spare / 2): transformers' begins at spare // 2, one pixel earlier for 848 x 480 and
1280 x 544. ImageBind's video: shorter side to 224 px, plain bilinear on float, longer side floored, crops along it.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from mvr.datatypes import JsonDict
from mvr.errors import UsageError

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, kw_only=True)
class PixelSettings:
    """How a model's training pictures were made; the names and defaults are open_clip's.

    Attributes:
        mean, std: of the channels, 0 to 1.
        resize_mode: "shortest" (centre square of the picture) or "squash" (the whole of it, proportions lost).
        interpolation: "bicubic" or "bilinear".
    """

    mean: tuple[float, ...] = CLIP_MEAN
    std: tuple[float, ...] = CLIP_STD
    resize_mode: str = "shortest"
    interpolation: str = "bicubic"

    def __post_init__(self) -> None:
        if self.resize_mode not in ("shortest", "squash") or self.interpolation not in (
            "bicubic",
            "bilinear",
        ):
            raise UsageError(
                f"pictures resized by {self.resize_mode!r}, {self.interpolation!r} are not supported; choose weights "
                "with shortest or squash, bicubic or bilinear"
            )

    def as_json(self) -> JsonDict:
        """For the settings of a backbone."""
        return {**dataclasses.asdict(self), "mean": list(self.mean), "std": list(self.std)}

    def squares(self, images: npt.NDArray[np.uint8], side_px: int) -> npt.NDArray[np.uint8]:
        """(N, H, W, 3) uint8 -> (N, side, side, 3) uint8."""
        make = squashed if self.resize_mode == "squash" else centre_squares
        return make(images, side_px, self.interpolation)


def normalise(
    pictures: Tensor, mean: tuple[float, ...] = CLIP_MEAN, std: tuple[float, ...] = CLIP_STD
) -> Tensor:
    """(..., 3, H, W) in [0, 1] -> zero mean and unit variance per channel of the training pictures."""
    shape = (3, 1, 1)
    return (pictures - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)


def centre_squares(
    images: npt.NDArray[np.uint8], side_px: int, interpolation: str = "bicubic"
) -> npt.NDArray[np.uint8]:
    """(N, H, W, 3) uint8 -> (N, side, side, 3) uint8: antialiased, centre crop."""
    height, width = images.shape[1:3]
    short = min(height, width)
    size = (height * side_px // short, width * side_px // short)
    scaled = _scaled(images, size, interpolation)
    top, left = round((size[0] - side_px) / 2), round((size[1] - side_px) / 2)
    return np.ascontiguousarray(scaled[:, top : top + side_px, left : left + side_px])


def squashed(
    images: npt.NDArray[np.uint8], side_px: int, interpolation: str = "bicubic"
) -> npt.NDArray[np.uint8]:
    """(N, H, W, 3) uint8 -> (N, side, side, 3) uint8: antialiased, the whole picture."""
    return np.ascontiguousarray(_scaled(images, (side_px, side_px), interpolation))


def _scaled(
    images: npt.NDArray[np.uint8], size: tuple[int, int], interpolation: str
) -> npt.NDArray[np.uint8]:
    pictures = torch.from_numpy(np.require(images, requirements="W")).permute(0, 3, 1, 2)
    scaled = F.interpolate(pictures, size, mode=interpolation, antialias=True, align_corners=False)
    found: npt.NDArray[np.uint8] = scaled.permute(0, 2, 3, 1).numpy()
    return found


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

"""musicnn from its PyPI wheel to `audio-tags.safetensors`: both published checkpoints, batch norms folded, float16.

A batch norm before a dense layer goes into the layer. One after a convolution and its ReLU stays as `scale` and
`shift`: what follows pads with zeros, which must not be shifted. Filters whose scale is negative are negated, so that
the maximum over frequency can be taken before ReLU and batch norm: it is then monotone either way.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.weights.checkpoint import read_checkpoint
from eval.weights.wheel import Wheel
from mvr.datatypes import FloatArray, JsonDict
from mvr.errors import WeightsCorrupt

_INFO = "musicnn-0.1.0.dist-info"
_FOLDERS = {"mtt": "musicnn/MTT_musicnn", "msd": "musicnn/MSD_musicnn"}
_PARTS = (".index", ".data-00000-of-00001")
WHEEL = Wheel(
    name="musicnn",
    version="0.1.0",
    sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
    members=(*(f"{folder}/{part}" for folder in _FOLDERS.values() for part in _PARTS), f"{_INFO}/LICENSE.md"),
)
NOTICE = f"{_INFO}/LICENSE.md"
_BATCH_NORM_EPSILON = 1e-3
_FRONT, _MIDDLE = range(5), range(5, 8)  # convolutions that a maximum over frequency follows, and the others
Tensors = dict[str, FloatArray]


def convert(folder: Path) -> tuple[dict[str, npt.NDArray[np.float16]], JsonDict]:
    """Tensors and facts of the file, from the unpacked wheel."""
    tensors: dict[str, npt.NDArray[np.float16]] = {}
    for name, place in _FOLDERS.items():
        checkpoint = read_checkpoint(*(folder / place / part for part in _PARTS))
        try:
            folded = fold(checkpoint)
        except KeyError as error:
            raise WeightsCorrupt(f"{place} is no musicnn checkpoint: it lacks {error}") from error
        tensors |= {f"{name}.{key}": value.astype(np.float16) for key, value in folded.items()}
    return tensors, {
        "network": "musicnn (MTT_musicnn and MSD_musicnn)",
        "licence": "ISC",
        "source": f"PyPI {WHEEL.name} {WHEEL.version}",
        "wheel_sha256": WHEEL.sha256,
    }


def fold(checkpoint: Tensors) -> Tensors:
    """One checkpoint's tensors in the layout that `mvr.backbones.audio_tags` runs."""
    scale, shift = _affine(checkpoint, 0)
    tensors = {"input.scale": scale, "input.shift": shift}
    for number in (*_FRONT, *_MIDDLE):
        kernel, bias = (checkpoint[f"{_numbered('conv2d', number)}/{part}"] for part in ("kernel", "bias"))
        scale, shift = _affine(checkpoint, number + 1)
        if number in _FRONT:
            sign = np.where(scale < 0, -1, 1).astype(np.float32)
            kernel, bias = kernel * sign, bias * sign
        prefix = f"convolution{number}"
        tensors[f"{prefix}.weight"] = kernel.transpose(
            3, 2, 0, 1
        )  # (height, width, in, out) -> torch's order
        tensors |= {f"{prefix}.bias": bias, f"{prefix}.scale": scale, f"{prefix}.shift": shift}
    for number, name in ((9, "hidden"), (10, "output")):
        layer = _numbered("dense", number - 9)
        kernel, bias = checkpoint[f"{layer}/kernel"], checkpoint[f"{layer}/bias"]
        scale, shift = _affine(checkpoint, number)
        tensors[f"{name}.weight"] = scale[:, None] * kernel
        tensors[f"{name}.bias"] = bias + shift @ kernel
    return tensors


def _affine(checkpoint: Tensors, number: int) -> tuple[FloatArray, FloatArray]:
    """Scale and shift of a batch norm at inference."""
    prefix = _numbered("batch_normalization", number)
    gamma, beta, mean, variance = (
        checkpoint[f"{prefix}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
    return scale, beta - mean * scale


def _numbered(name: str, number: int) -> str:
    return name if number == 0 else f"{name}_{number}"

"""Loading a checkpoint in the published layout: only the wanted towers, memory-mapped, weights only."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mvr.backbones.imagebind.model import ImageBindModel
from mvr.backbones.precision import Precision, prepare
from mvr.errors import WeightsCorrupt, WeightsMissing
from mvr.lines import first_line


def load_imagebind(
    path: Path,
    *,
    towers: Iterable[str] = ("vision", "audio"),
    precision: Precision = Precision.FLOAT32,
    device: torch.device | None = None,
    **config: Any,
) -> ImageBindModel:
    """The towers of a checkpoint, frozen, in eval mode.

    The file is mapped, not read: tensors of other modalities are never touched, and in float32 on the processor
    the mapped pages are the weights.

    Args:
        path: `imagebind_huge.pth`, or a safetensors file with the same keys.
        towers: some of vision, audio, text.
        precision: number format of the model.
        device: where it runs; the processor by default.
        config: sizes, where they are not those of `imagebind_huge`.

    Raises:
        WeightsMissing: no such file.
        WeightsCorrupt: damaged, or another layout; names the first key that does not fit.
    """
    with torch.device("meta"):
        model = ImageBindModel(towers=towers, **config)
    state = _wanted(_read(path), model.state_dict(), path)
    target = device or torch.device("cpu")
    moved = {key: tensor.to(device=target, dtype=precision.dtype) for key, tensor in state.items()}
    model.load_state_dict(moved, assign=True)
    frozen: nn.Module = prepare(model, precision, target)
    assert isinstance(frozen, ImageBindModel)
    return frozen


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise WeightsMissing(f"the weights file {path} does not exist")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except Exception as error:  # torch, zipfile, pickle and safetensors each have their own errors
        if isinstance(error, MemoryError):
            raise
        raise WeightsCorrupt(f"{path} is not a readable checkpoint ({first_line(error)})") from error
    if not isinstance(state, dict):
        raise WeightsCorrupt(f"{path} holds a {type(state).__name__}, not a table of tensors")
    return state


def _wanted(found: dict[str, Tensor], wanted: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors that the model has, checked one by one."""
    for key, tensor in wanted.items():
        if key not in found:
            raise WeightsCorrupt(
                f"{path} has no {key!r}; it is not a checkpoint of ImageBind with these towers"
            )
        if found[key].shape != tensor.shape:
            raise WeightsCorrupt(
                f"{path}: {key!r} is {tuple(found[key].shape)}, expected {tuple(tensor.shape)}; give the sizes of "
                "the checkpoint as `config`"
            )
    return {key: found[key] for key in wanted}

"""The two networks of `bridge-mini` in torch, from the same files: the tests' oracle, and the rival in cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mvr.backbones.network_file import read_network
from mvr.datatypes import FloatArray

if TYPE_CHECKING:
    from torch import Tensor


def torch_concepts() -> Callable[[FloatArray], FloatArray]:
    """timm's `tf_efficientnet_lite0` with the folded weights: each batch norm becomes the bias alone.

    Pictures (N, 3, 224, 224) -> logits (N, 1000).
    """
    import timm
    import torch

    model: Any
    model, tensors = timm.create_model("tf_efficientnet_lite0"), read_network("concepts").tensors
    slots: list[Any] = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.BatchNorm2d)]
    assert len(slots) == 98
    for number in range(49):
        convolution, norm = slots[2 * number : 2 * number + 2]
        convolution.weight.data = torch.from_numpy(tensors[f"convolution{number:02}.weight"])
        torch.nn.init.ones_(norm.weight)
        norm.bias.data = torch.from_numpy(tensors[f"convolution{number:02}.bias"])
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
    model.classifier.weight.data = torch.from_numpy(tensors["classifier.weight"])
    model.classifier.bias.data = torch.from_numpy(tensors["classifier.bias"])
    model.eval()

    def run(pictures: FloatArray) -> FloatArray:
        with torch.inference_mode():
            logits: FloatArray = model(torch.from_numpy(pictures)).numpy()
        return logits

    return run


def torch_musicnn(patches: FloatArray, name: str) -> FloatArray:
    """Pons & Serra's network step by step, as published: ReLU, batch norm, then the maximum over frequency.

    Log mel patches (N, 187, 96) -> logits (N, 50) of the checkpoint called `name`.
    """
    import torch
    from torch.nn import functional

    file = read_network("audio-tags")
    t = {
        key.removeprefix(f"{name}."): torch.from_numpy(value)
        for key, value in file.tensors.items()
        if key.startswith(name)
    }

    def affine(x: Tensor, prefix: str) -> Tensor:
        shape = (1, -1, *[1] * (x.ndim - 2))
        return x * t[f"{prefix}.scale"].view(shape) + t[f"{prefix}.shift"].view(shape)

    x = (torch.from_numpy(patches) * t["input.scale"] + t["input.shift"])[:, None]
    front = []
    for number in range(5):
        prefix = f"convolution{number}"
        kernel, bias = t[f"{prefix}.weight"], t[f"{prefix}.bias"]
        sign = torch.where(t[f"{prefix}.scale"] < 0, -1.0, 1.0)  # undo the negation of the stored filters
        height = kernel.shape[2]
        padded = functional.pad(x, (0, 0, (height - 1) // 2, height // 2))
        maps = functional.conv2d(padded, kernel * sign.view(-1, 1, 1, 1), bias * sign)
        front.append(affine(functional.relu(maps), prefix).amax(dim=3))
    features = torch.cat(front, dim=1)
    layers = [features]
    for number in (5, 6, 7):
        prefix = f"convolution{number}"
        kernel = t[f"{prefix}.weight"][:, 0].transpose(1, 2)
        y = functional.relu(functional.conv1d(layers[-1], kernel, t[f"{prefix}.bias"], padding=3))
        y = affine(y, prefix)
        layers.append(y if number == 5 else y + layers[-1])
    maps = torch.cat(layers, dim=1)
    pooled = torch.stack([maps.amax(dim=2), maps.mean(dim=2)], dim=2).flatten(1)
    hidden = functional.relu(pooled @ t["hidden.weight"] + t["hidden.bias"])
    logits: FloatArray = (hidden @ t["output.weight"] + t["output.bias"]).numpy()
    return logits

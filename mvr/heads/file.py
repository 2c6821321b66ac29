"""A head on disk: one safetensors file, weights as tensors, kind and settings as JSON in its metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mvr.config.settings import canonical_json
from mvr.datatypes import JsonDict
from mvr.errors import MvrError, NotFinite, WeightsCorrupt, WeightsMissing
from mvr.heads.head import Head
from mvr.heads.table import create_head

FORMAT = "mvr-head-1"


def save_head(head: Head, path: str | Path, metadata: Mapping[str, object] | None = None) -> None:
    """Write a head in one step: a killed writer leaves the old file or none.

    Args:
        head: any head.
        path: file to write, usually `*.safetensors`.
        metadata: JSON-able facts kept beside kind and settings: how it was trained, on what, which git
            revision.

    Raises:
        NotFinite: a weight is NaN or infinite.
    """
    tensors = _tensors(head)
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise NotFinite(f"the head's weights {name} hold NaN or infinity; it is not saved")
    facts = {"format": FORMAT, "kind": head.kind, "settings": head.settings, "metadata": dict(metadata or {})}
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    save_file(tensors, partial, metadata={"mvr": canonical_json(facts)})
    partial.replace(path)


def load_head(path: str | Path) -> Head:
    """Read a head; weights only, nothing in the file is run.

    Raises:
        WeightsMissing: no such file.
        WeightsCorrupt: not a head file, damaged, or weights that do not fit its own settings.
    """
    path = Path(path)
    facts = read_head_facts(path)
    try:
        head = create_head(facts["kind"], **facts["settings"])
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if isinstance(head, nn.Module):
            head.load_state_dict(tensors, strict=True)
            head.eval()
    except (MvrError, SafetensorError, RuntimeError, KeyError, TypeError) as error:
        raise WeightsCorrupt(f"{path} is no usable head: {error}") from error
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise WeightsCorrupt(f"{path} is no usable head: its weights hold NaN or infinity")
    return head


def read_head_facts(path: str | Path) -> JsonDict:
    """Kind, settings and metadata of a head file, without reading its weights.

    Raises:
        WeightsMissing, WeightsCorrupt: see `load_head`.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsMissing(f"there is no head at {path}; train one with `mvr train` or give another path")
    try:
        with safe_open(path, framework="pt") as file:
            facts: JsonDict = json.loads((file.metadata() or {})["mvr"])
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise WeightsCorrupt(f"{path} is no head that `mvr train` wrote: {error}") from error
    if facts.get("format") != FORMAT:
        raise WeightsCorrupt(f"{path} has head format {facts.get('format')!r}, this version reads {FORMAT!r}")
    return facts


def _tensors(head: Head) -> dict[str, Tensor]:
    if not isinstance(head, nn.Module):
        return {}
    return {name: tensor.detach().cpu().contiguous() for name, tensor in head.state_dict().items()}

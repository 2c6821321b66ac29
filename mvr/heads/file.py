"""A head on disk: one safetensors file, weights as tensors, kind and settings as JSON in its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from mvr.config.outputs import written_whole
from mvr.config.settings import canonical_json
from mvr.datatypes import FloatArray, JsonDict
from mvr.errors import ExtraMissing, MvrError, NotFinite, WeightsCorrupt, WeightsMissing
from mvr.heads.frozen import FrozenHead
from mvr.heads.head import Head
from mvr.heads.table import create_head, head_kind

FORMAT = "mvr-head-1"


def save_head(head: Head, path: str | Path, metadata: Mapping[str, object] | None = None) -> None:
    """Write a head in one step: a killed writer leaves the old file or none.

    Args:
        head: any head.
        path: file to write, usually `*.safetensors`.
        metadata: JSON-able facts kept beside kind and settings: how it was trained, on what, by which code.

    Raises:
        NotFinite: a weight is NaN or infinite.
    """
    tensors = _tensors(head)
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise NotFinite(f"the head's weights {name} hold NaN or infinity; it is not saved")
    facts = {"format": FORMAT, "kind": head.kind, "settings": head.settings, "metadata": dict(metadata or {})}
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        save_file(tensors, part, metadata={"mvr": canonical_json(facts)})


def load_head(path: str | Path, kind: str | None = None) -> Head:
    """Read a head to encode with; weights only, nothing in the file is run, and torch is not needed.

    Args:
        path: the file.
        kind: for a file that two kinds share (bridge, profiles), in place of the kind it names.

    Raises:
        WeightsMissing: no such file.
        WeightsCorrupt: not a head file, damaged, or weights that do not fit its own settings.
        ExtraMissing: a head that only torch can run (parts pooled by a transformer).
    """
    facts = read_head_facts(path)
    tensors = _read_tensors(Path(path))
    try:
        head = _restore(_kind_of(facts["kind"], kind), facts["settings"], tensors)
        _try_out(head)
    except ExtraMissing:
        raise
    except (MvrError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise WeightsCorrupt(f"{path} is not a usable head: {error}") from error
    return head


def _kind_of(stored: str, wanted: str | None) -> str:
    """The kind to read a file as: the one wanted, where both kinds read the same weights."""
    file_of = head_kind(stored).file_of
    return wanted if wanted is not None and file_of and head_kind(wanted).file_of == file_of else stored


def _restore(kind: str, settings: JsonDict, tensors: dict[str, FloatArray]) -> Head:
    """A head of these weights; networks run in numpy, where numpy can."""
    if not head_kind(kind).networks:
        head = create_head(kind, **settings)
        if head_kind(kind).weights:
            head.load(tensors)  # type: ignore[attr-defined]
        return head
    if any(name.startswith("pool.") and not name.endswith(".logits") for name in tensors):
        return _in_torch(kind, settings, tensors)
    return FrozenHead(kind, settings, tensors)


def _in_torch(kind: str, settings: JsonDict, tensors: dict[str, FloatArray]) -> Head:
    head: Any = create_head(kind, **settings)
    import torch

    head.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()}, strict=True)
    head.eval()
    found: Head = head
    return found


def _read_tensors(path: Path) -> dict[str, FloatArray]:
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise WeightsCorrupt(f"{path} is not a usable head: {error}") from error
    if not all(bool(np.isfinite(tensor).all()) for tensor in tensors.values()):
        raise WeightsCorrupt(f"{path} is not a usable head: its weights hold NaN or infinity")
    return tensors


def _try_out(head: Head) -> None:
    """One row through each side: weights that do not fit each other are found now and not in a search."""
    for width, encode in ((head.video_dim, head.encode_video), (head.audio_dim, head.encode_audio)):
        shape = encode(np.ones((1, width or 1), np.float32)).vectors.shape
        if shape != (1, len(head.branches), head.dim):
            raise ValueError(f"it gives embeddings of shape {shape[1:]}, its settings say {head.dim} wide")
    if isinstance(head, FrozenHead) and head.unused():
        raise ValueError(f"its settings do not provide for the weights {', '.join(sorted(head.unused()))}")


def read_head_facts(path: str | Path) -> JsonDict:
    """Kind, settings and metadata of a head file, without reading its weights.

    Raises:
        WeightsMissing, WeightsCorrupt: see `load_head`.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsMissing(f"there is no head at {path}; train one with `mvr train` or give another path")
    try:
        with safe_open(path, framework="numpy") as file:
            facts: JsonDict = json.loads((file.metadata() or {})["mvr"])
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise WeightsCorrupt(f"{path} is not a head that `mvr train` wrote: {error}") from error
    if facts.get("format") != FORMAT:
        raise WeightsCorrupt(f"{path} has head format {facts.get('format')!r}, this version reads {FORMAT!r}")
    return facts


def _tensors(head: Head) -> dict[str, FloatArray]:
    """Weights by name: torch networks have a state, our own heads `tensors()`."""
    if hasattr(head, "state_dict"):
        state = head.state_dict()
        return {name: np.ascontiguousarray(tensor.detach().cpu().numpy()) for name, tensor in state.items()}
    if head_kind(head.kind).weights:
        return {name: np.ascontiguousarray(tensor) for name, tensor in head.tensors().items()}  # type: ignore[attr-defined]
    return {}

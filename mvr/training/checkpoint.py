"""Checkpoints: everything the loop needs to go on as if it had never stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from mvr.config.outputs import written_whole
from mvr.config.settings import compare_settings
from mvr.datatypes import JsonDict
from mvr.errors import WeightsCorrupt


def save_checkpoint(path: Path, state: dict[str, Any], identity: JsonDict) -> None:
    """Write in one step; `identity` are the settings and the data it belongs to."""
    with written_whole(path) as part:
        torch.save({"identity": identity, **state}, part)


def load_checkpoint(path: Path, identity: JsonDict, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint of the same settings and data; tensors only, nothing in it is run.

    Raises:
        WeightsCorrupt: damaged.
        SettingsMismatch: made with other settings or on other data.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        stored = state.pop("identity")
    except Exception as error:  # torch.load raises many types for damaged files
        raise WeightsCorrupt(
            f"the checkpoint {path} cannot be read: {error}; remove it to start again"
        ) from error
    compare_settings(stored, identity, f"the checkpoint {path}")
    return state

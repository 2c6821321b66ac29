"""Training of heads on a feature store: settings, presets, data, objectives, the loop, checkpoints and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mvr.training.run import TrainReport, train_head
    from mvr.training.settings import Recipe, load_recipe, preset_names

__all__ = ["Recipe", "TrainReport", "load_recipe", "preset_names", "train_head"]


def __getattr__(name: str) -> Any:
    """Load torch only when a head is trained."""
    if name in ("train_head", "TrainReport"):
        from mvr.training import run

        return getattr(run, name)
    if name in ("Recipe", "load_recipe", "preset_names"):
        from mvr.training import settings

        return getattr(settings, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

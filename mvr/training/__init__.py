"""Training of heads on a feature store: settings, presets, data, objectives, the loop, checkpoints and logs."""

from __future__ import annotations

from mvr.training.report import TrainReport
from mvr.training.run import train_head
from mvr.training.settings import Recipe, load_recipe, preset_names

__all__ = ["Recipe", "TrainReport", "load_recipe", "preset_names", "train_head"]

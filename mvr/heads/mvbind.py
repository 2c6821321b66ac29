"""MVBind's head: one projection network per modality (Teng et al. 2024, arXiv:2405.09286).

The paper trains by self-supervised contrastive learning on ImageBind features; depth, widths, dropout and
temperature are not known from it, so they are settings (see `HeadSettings` and the preset `mvbind`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mvr.config.settings import settings_from
from mvr.datatypes import Modality
from mvr.heads.networks import StackedLinear, hidden_layer
from mvr.heads.settings import HeadSettings
from mvr.heads.trainable import TrainableHead


class MVBindHead(TrainableHead):
    """Video and music each through `layers` linear layers into one space; one branch, "ssl"."""

    kind = "mvbind"
    branches: tuple[str, ...] = ("ssl",)

    @classmethod
    def create(cls, **config: Any) -> MVBindHead:
        """From keyword settings; an unknown one is an error."""
        return cls(settings_from(HeadSettings, config))

    def __init__(self, settings: HeadSettings) -> None:
        super().__init__(settings)
        self.networks = nn.ModuleDict({str(m): _network(settings, settings.inputs(m)) for m in Modality})

    def project(self, modality: Modality, rows: Tensor) -> Tensor:
        """(N, inputs) -> (1, M, N, D)."""
        out: Tensor = self.networks[str(modality)](rows)
        return torch.unsqueeze(out, 0)


def _network(settings: HeadSettings, inputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(settings.layers - 1):
        layers.append(hidden_layer(inputs, settings.hidden, settings))
        inputs = settings.hidden
    return nn.Sequential(*layers, StackedLinear(settings.members, inputs, settings.dim))

"""Control-MVR's head: trainable q and p per modality and branch (Stewart et al. 2025, arXiv:2412.05831).

    z^M = (1 - alpha) p_ssl^M(q_ssl^M) + alpha p_sup^M(q_sup^M)

Where the losses sit: the formula mixes the outputs of p, and alpha = 0 must be the purely self-supervised
space and alpha = 1 the purely supervised one. So InfoNCE is taken on the output of p_ssl and the supervised
contrastive loss on the output of p_sup, the two ends of two networks that share no weights: each branch can
then be checked, stopped and trained alone, and any number of taxonomies can be added, each its own branch.
Branch outputs are unit length before they are mixed (the paper's order of mixing and normalising is not
known; see `mvr.datatypes.mix_branches`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mvr.config.settings import settings_from
from mvr.datatypes import JsonDict, Modality
from mvr.errors import UsageError
from mvr.heads.networks import StackedLinear, hidden_layer
from mvr.heads.settings import HeadSettings
from mvr.heads.trainable import TrainableHead


class ControlMVRHead(TrainableHead):
    """Branches "ssl" and one per taxonomy; each has its own q (hidden) and p (projection) per modality."""

    kind = "control-mvr"

    @classmethod
    def create(cls, *, taxonomies: Sequence[str] = (), **config: Any) -> ControlMVRHead:
        """From keyword settings; an unknown one is an error."""
        return cls(settings_from(HeadSettings, config), taxonomies)

    def __init__(self, settings: HeadSettings, taxonomies: Sequence[str]) -> None:
        super().__init__(settings)
        names = list(taxonomies)
        if (
            not names
            or len(set(names)) != len(names)
            or "ssl" in names
            or any("." in n or not n for n in names)
        ):
            raise UsageError(
                f"control-mvr needs one or more different label columns, none with a dot in its name, not {names}"
            )
        self.branches = ("ssl", *names)
        self.q = nn.ModuleDict(
            {f"{b}/{m}": _q(settings, settings.inputs(m)) for b in self.branches for m in Modality}
        )
        self.p = nn.ModuleDict({f"{b}/{m}": _p(settings) for b in self.branches for m in Modality})

    @property
    def settings(self) -> JsonDict:
        """Everything needed to create it again without its weights."""
        return {**dataclasses.asdict(self.head_settings), "taxonomies": list(self.branches[1:])}

    def project(self, modality: Modality, rows: Tensor) -> Tensor:
        """(N, inputs) -> (B, M, N, D): p(q(rows)) of every branch."""
        outputs = []
        for branch in self.branches:
            place = f"{branch}/{modality}"
            outputs.append(self.p[place](self.q[place](rows)))
        return torch.stack(outputs)


def _q(settings: HeadSettings, inputs: int) -> nn.Sequential:
    """The branch's own representation of a frozen feature: the hidden layers."""
    layers = [hidden_layer(inputs, settings.hidden, settings)]
    for _ in range(settings.layers - 2):
        layers.append(hidden_layer(settings.hidden, settings.hidden, settings))
    return nn.Sequential(*layers)


def _p(settings: HeadSettings) -> StackedLinear:
    """The projection into the joint space of the branch."""
    return StackedLinear(settings.members, settings.hidden, settings.dim)

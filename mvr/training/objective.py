"""The loss of a batch: which loss on which branch, averaged over the members of an ensemble."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mvr.losses import emo_clim_loss, info_nce, vm_net_loss
from mvr.losses.ranking import VmNetWeights
from mvr.training.settings import LossSettings

MAX_LOGIT_SCALE = 100.0  # a learned temperature never falls below 0.01 (CLIP, Radford et al. 2021)


@dataclass(frozen=True, kw_only=True)
class BatchFacts:
    """What a loss needs besides embeddings, for the B rows of the whole batch.

    Attributes:
        groups: (N,) group numbers.
        labels: taxonomy -> (N, C) bool.
        prepared: (N, Dv) video and (N, Da) audio rows as the head saw them.
    """

    groups: Tensor
    labels: dict[str, Tensor]
    prepared: tuple[Tensor, Tensor]


class Objective(nn.Module):
    """Sum of the branches' losses: the first branch by `objective`, the others supervised by their taxonomy."""

    def __init__(self, settings: LossSettings, branches: tuple[str, ...]) -> None:
        super().__init__()
        self.loss_settings = settings
        self.branches = branches
        start = [settings.temperature] + [settings.sup_temperature] * (len(branches) - 1)
        logs = torch.tensor([math.log(1 / temperature) for temperature in start])
        self.log_scales = nn.Parameter(logs, requires_grad=settings.learn_temperature)

    def logit_scale(self, branch: int) -> Tensor:
        """1 / temperature of a branch."""
        return self.log_scales[branch].exp().clamp(max=MAX_LOGIT_SCALE)

    def forward(self, video: Tensor, audio: Tensor, facts: BatchFacts) -> dict[str, Tensor]:
        """Losses by branch, weighted; (B, M, N, D) embeddings of the whole batch."""
        losses = {}
        for b, branch in enumerate(self.branches):
            terms = [self._one(b, video[b, m], audio[b, m], facts) for m in range(video.shape[1])]
            weight = self.loss_settings.sup_weight if b else self.loss_settings.ssl_weight
            losses[branch] = weight * torch.stack(terms).mean()
        return losses

    def _one(self, b: int, video: Tensor, audio: Tensor, facts: BatchFacts) -> Tensor:
        settings = self.loss_settings
        if b > 0 or settings.objective == "emo-clim":
            taxonomy = self.branches[b] if b else next(iter(facts.labels))
            return emo_clim_loss(
                video,
                audio,
                facts.labels[taxonomy],
                self.logit_scale(b),
                intra_weight=settings.intra_weight,
            )
        if settings.objective == "vm-net":
            return vm_net_loss((video, audio), facts.prepared, vm_net_weights(settings), facts.groups)
        return info_nce(
            video,
            audio,
            self.logit_scale(b),
            groups=facts.groups,
            label_smoothing=settings.label_smoothing,
        )


def vm_net_weights(settings: LossSettings) -> VmNetWeights:
    """The part of the settings that VM-NET's loss reads."""
    return VmNetWeights(
        margin=settings.margin,
        video_to_audio=settings.order_weight,
        audio_to_video=1.0,
        video_structure=settings.structure_weight,
        audio_structure=settings.structure_weight,
        hardest=settings.hardest,
    )

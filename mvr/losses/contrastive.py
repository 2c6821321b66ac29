"""Symmetric InfoNCE (van den Oord et al. 2018, eq. 4; symmetric as in CLIP, Radford et al. 2021).

Conventions: rows are unit length, pair i is (video[i], audio[i]), `logit_scale` is 1 / temperature, the loss
is in nats and averaged over rows and both directions. `groups` names the music (or the source video) of each
row: another row of the same group is no negative, it is left out of the denominator.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mvr.losses.checks import check_batch


def info_nce(
    video: Tensor,
    audio: Tensor,
    logit_scale: Tensor | float,
    *,
    groups: Tensor | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Symmetric InfoNCE of B pairs; log B when all pairs look alike.

    Args:
        video: (B, D) unit-length embeddings.
        audio: (B, D) unit-length embeddings, row i is the pair of `video[i]`.
        logit_scale: 1 / temperature, a number or a learned scalar.
        groups: (B,) integers; rows of one group are no negatives of each other.
        label_smoothing: share of the target spread evenly over the row's candidates.

    Returns:
        Scalar loss in nats.

    Raises:
        WrongShape, NotFinite: see `check_batch`.
    """
    check_batch(video, audio, paired=True)
    logits = logit_scale * (video @ audio.T)
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    allowed = own if groups is None else own | (groups[:, None] != groups[None, :])
    if groups is not None:
        logits = logits.masked_fill(~allowed, -torch.inf)
    if label_smoothing == 0.0:
        target = torch.arange(len(logits), device=logits.device)
        return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2
    if groups is None:
        allowed = torch.ones_like(own)
    return (_smoothed(logits, allowed, label_smoothing) + _smoothed(logits.T, allowed.T, label_smoothing)) / 2


def _smoothed(logits: Tensor, allowed: Tensor, smoothing: float) -> Tensor:
    """Cross entropy whose target gives `smoothing` evenly to the allowed candidates."""
    log_share = functional.log_softmax(logits, dim=1)
    even = log_share.masked_fill(~allowed, 0.0).sum(dim=1) / allowed.sum(dim=1)
    return -((1 - smoothing) * log_share.diagonal() + smoothing * even).mean()

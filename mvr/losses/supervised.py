"""Supervised contrastive loss across and within modalities (Emo-CLIM, Stewart et al. 2024).

    L(M1 -> M2) = mean_i -1/|P(i)| sum_{p in P(i)} log( exp(z_i.z_p / tau) / sum_k exp(z_i.z_k / tau) )

P(i) are the rows of the other modality that share a label with i. With several labels per row, one shared
label makes a positive. A row without a label has no positives and is no candidate either: it joins
self-supervised losses only. Rows with |P(i)| = 0 are left out of the mean; a batch without any positive
costs 0 and has zero gradient. Within one modality a row is not its own positive nor its own candidate.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mvr.errors import WrongShape
from mvr.losses.checks import check_batch


def shared_labels(labels: Tensor, others: Tensor | None = None) -> Tensor:
    """Which rows share at least one label.

    Args:
        labels: (B, C) multi-hot labels, bool or number; a row of zeros has no label.
        others: (B', C) labels of the other side; `labels` itself where None.

    Returns:
        (B, B') bool.
    """
    others = labels if others is None else others
    return (labels.float() @ others.float().T) > 0


def supervised_contrastive(
    anchors: Tensor, candidates: Tensor, positives: Tensor, logit_scale: Tensor | float, *, same: bool = False
) -> Tensor:
    """One direction of the loss above.

    Args:
        anchors: (B, D) unit-length embeddings z_i.
        candidates: (B', D) unit-length embeddings z_k of the other modality, or of the same.
        positives: (B, B') bool, P(i); a column without any positive is no candidate (its row has no label).
        logit_scale: 1 / tau.
        same: anchors and candidates are the same rows; the diagonal is left out.

    Returns:
        Scalar loss in nats; log of the number of candidates when all embeddings are alike.

    Raises:
        WrongShape: `positives` is not (B, B').
        NotFinite: the embeddings hold NaN or infinity.
    """
    check_batch(anchors, candidates, paired=same)
    if positives.shape != (len(anchors), len(candidates)):
        wanted = (len(anchors), len(candidates))
        raise WrongShape(f"positives must be {wanted}, not {tuple(positives.shape)}")
    positives = positives.bool()
    # A labelled row shares its labels with itself, so a column of zeros is a row without any label.
    labelled = positives.any(dim=0)
    allowed = labelled[None, :].expand_as(positives)
    if same:
        own = torch.eye(len(anchors), dtype=torch.bool, device=positives.device)
        positives, allowed = positives & ~own, allowed & ~own
    counted = positives.any(dim=1)
    if not bool(counted.any()):
        return (anchors.sum() + candidates.sum()) * 0.0
    logits = (logit_scale * (anchors @ candidates.T))[counted].masked_fill(~allowed[counted], -torch.inf)
    log_share = torch.log_softmax(logits, dim=1)
    sums = log_share.masked_fill(~positives[counted], 0.0).sum(dim=1)
    return -(sums / positives[counted].sum(dim=1)).mean()


def emo_clim_loss(
    video: Tensor,
    audio: Tensor,
    labels: Tensor,
    logit_scale: Tensor | float,
    *,
    intra_weight: float = 0.25,
) -> Tensor:
    """Both cross-modal directions and both intra-modal terms, 0.25 each ("Emo-CLIM default").

    Args:
        video: (B, D) unit-length embeddings.
        audio: (B, D) unit-length embeddings of the same B items.
        labels: (B, C) multi-hot labels of the items.
        logit_scale: 1 / tau.
        intra_weight: of each of the two terms within one modality; each of the other two gets the rest of 0.5.
    """
    positives = shared_labels(labels)
    terms = (
        supervised_contrastive(video, audio, positives, logit_scale),
        supervised_contrastive(audio, video, positives, logit_scale),
        supervised_contrastive(video, video, positives, logit_scale, same=True),
        supervised_contrastive(audio, audio, positives, logit_scale, same=True),
    )
    weights = (0.5 - intra_weight, 0.5 - intra_weight, intra_weight, intra_weight)
    return torch.stack([weight * term for weight, term in zip(weights, terms, strict=True)]).sum()

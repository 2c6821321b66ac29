"""VM-NET's loss: inter-modal ranking and soft intra-modal structure (Hong, Im and Yang, ICMR 2018).

The inter-modal part is a hinge over triplets, both directions, here over all in-batch negatives. The
intra-modal part keeps order: where row a is nearer to row b than to row c in feature space, a violation in
the embedding space costs its signed difference,  C(f) = sign(g(f, a,b,c)) . (embedding difference),  so no
margin is imposed ("soft"). The margin and the weights of the four terms are settings; the defaults are ours,
not the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mvr.losses.checks import check_batch


@dataclass(frozen=True, kw_only=True)
class VmNetWeights:
    """Margin and weights of the loss.

    Attributes:
        margin: of the hinge, on squared Euclidean distance of unit vectors.
        video_to_audio, audio_to_video: weights of the inter-modal terms.
        video_structure, audio_structure: weights of the intra-modal terms.
        hardest: how many of the hardest negatives count per row (0: all).
    """

    margin: float = 0.3
    video_to_audio: float = 3.0
    audio_to_video: float = 1.0
    video_structure: float = 0.2
    audio_structure: float = 0.2
    hardest: int = 0


def vm_net_loss(
    embeddings: tuple[Tensor, Tensor],
    features: tuple[Tensor, Tensor],
    weights: VmNetWeights,
    groups: Tensor | None = None,
) -> Tensor:
    """The weighted sum of four terms.

    Args:
        embeddings: (B, D) video and audio embeddings, unit length; row i of both is a pair.
        features: (B, Dv) video and (B, Da) audio features before the head, for the intra-modal order.
        weights: margin and weights.
        groups: (B,) integers; rows of one group are no negatives of each other.

    Returns:
        Scalar loss.

    Raises:
        WrongShape, NotFinite: see `check_batch`.
    """
    video, audio = embeddings
    check_batch(video, audio, paired=True)
    distances = squared_distances(video, audio)
    negative = _negatives(len(video), groups, video.device)
    terms = [
        weights.video_to_audio * _hinge(distances, negative, weights),
        weights.audio_to_video * _hinge(distances.T, negative, weights),
        weights.video_structure * soft_structure(video, features[0]),
        weights.audio_structure * soft_structure(audio, features[1]),
    ]
    return torch.stack(terms).sum()


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """(B, B') squared Euclidean distances of unit-length rows: 2 - 2 cosine."""
    return 2 - 2 * (first @ second.T)


def _negatives(rows: int, groups: Tensor | None, device: torch.device) -> Tensor:
    if groups is None:
        return ~torch.eye(rows, dtype=torch.bool, device=device)
    return groups[:, None] != groups[None, :]


def _hinge(distances: Tensor, negative: Tensor, weights: VmNetWeights) -> Tensor:
    """Mean over rows of max(0, d(i, i) - d(i, j) + margin), averaged over the (hardest) negatives j."""
    violation = (distances.diagonal()[:, None] - distances + weights.margin).clamp(min=0)
    violation = violation.masked_fill(~negative, 0.0)
    if weights.hardest and weights.hardest < violation.shape[1]:
        return violation.topk(weights.hardest, dim=1).values.mean()
    return violation.sum() / negative.sum().clamp(min=1)


def soft_structure(embedded: Tensor, features: Tensor) -> Tensor:
    """Order violations of one modality over triplets (i, i+s, i+2s) for a few strides s of the (shuffled)
    batch.

    For each triplet, sign(features say b nearer than c, embeddings say the opposite) times the embedding
    difference; triplets in the right order cost nothing. O(B) triplets per stride instead of O(B^3), as in
    the paper's sampling.

    Args:
        embedded: (B, D) unit-length embeddings.
        features: (B, F) features of the same rows.

    Returns:
        Scalar; zero when every sampled order is kept or B < 3.
    """
    rows = len(embedded)
    if rows < 3:
        return embedded.sum() * 0.0
    costs = []
    for stride in [s for s in (1, 2, 3, 5, 7, 11, 13, 17) if 2 * s < rows]:
        near, far = embedded.roll(-stride, 0), embedded.roll(-2 * stride, 0)
        change = ((embedded - near) ** 2).sum(1) - ((embedded - far) ** 2).sum(1)
        with torch.no_grad():
            from_near = ((features - features.roll(-stride, 0)) ** 2).sum(1)
            from_far = ((features - features.roll(-2 * stride, 0)) ** 2).sum(1)
        costs.append((torch.sign(from_far - from_near) * change).clamp(min=0).mean())
    return torch.stack(costs).mean()

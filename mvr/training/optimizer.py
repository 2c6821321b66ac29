"""What the optimiser is given: which weights a phase trains, which of them decay, how fast at which step."""

from __future__ import annotations

import math
from typing import Any

import torch

from mvr.heads.trainable import TrainableHead


def supervised_weights(head: TrainableHead) -> list[str]:
    """Names of the weights of the label-supervised branches.

    The second phase leaves them alone: its point is near negatives of true pairs, while labels are learned best
    from all rows that have some.
    """
    names = [name for name, _ in head.named_parameters()]
    return [
        n for n in names for branch in head.branches[1:] if n.startswith((f"q.{branch}/", f"p.{branch}/"))
    ]


def schedule(step: int, total: int, warmup_share: float) -> float:
    """Share of the learning rate at `step` of `total`: linear warm-up, then cosine down to zero.

    >>> [round(schedule(s, 10, 0.2), 3) for s in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.038]
    """
    warmup = round(warmup_share * total)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


def decay_groups(parameters: list[torch.nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay; biases, gains and temperatures do not."""
    matrices = [p for p in parameters if p.ndim > 1 and min(p.shape[-2:]) > 1]
    vectors = [p for p in parameters if not (p.ndim > 1 and min(p.shape[-2:]) > 1)]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]

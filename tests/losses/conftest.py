"""Embeddings to lose by."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def unit(rows: int, dim: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(rows, dim, generator=generator, dtype=torch.float64), dim=-1)

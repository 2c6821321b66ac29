"""The small networks that heads are built of: standardisation, stacked linear maps, pooling over parts.

An ensemble of M members runs as one batched matrix product: `StackedLinear` holds M weight matrices. Shapes:
N rows, M members, D width.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from mvr.errors import UsageError
from mvr.heads.rows import CLIP_DEVIATIONS, scale_of
from mvr.heads.settings import HeadSettings


class Standardise(nn.Module):
    """`mvr.heads.rows.Standardise` inside a network, so that its statistics travel with the weights."""

    mean: Tensor
    scale: Tensor

    def __init__(self, dim: int, *, unit_rows: bool = False) -> None:
        super().__init__()
        self.unit_rows = unit_rows
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))

    def forward(self, features: Tensor) -> Tensor:
        """(N, D) raw features -> (N, D) standardised."""
        if self.unit_rows:
            features = functional.normalize(features, dim=-1) * math.sqrt(features.shape[-1])
        return ((features - self.mean) * self.scale).clamp(-CLIP_DEVIATIONS, CLIP_DEVIATIONS)

    @torch.no_grad()
    def fit(self, mean: npt.NDArray[np.float64], deviation: npt.NDArray[np.float64]) -> None:
        """Take over mean and standard deviation (D,) of the training rows (at unit length with `unit_rows`)."""
        self.mean.copy_(torch.from_numpy(mean))
        self.scale.copy_(torch.from_numpy(scale_of(mean, deviation)))


class StackedLinear(nn.Module):
    """M linear maps side by side."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, 1, outputs).uniform_(-bound, bound))

    def forward(self, rows: Tensor) -> Tensor:
        """(N, inputs) shared by all members, or (M, N, inputs) -> (M, N, outputs)."""
        if rows.ndim == 2:
            members, inputs, outputs = self.weight.shape
            wide = rows @ self.weight.permute(1, 0, 2).reshape(inputs, members * outputs)
            return wide.view(len(rows), members, outputs).transpose(0, 1) + self.bias
        return torch.baddbmm(self.bias, rows, self.weight)


class MemberNorm(nn.Module):
    """Layer or batch normalisation of (M, N, D), each member with its own gain and bias."""

    def __init__(self, kind: str, members: int, dim: int) -> None:
        super().__init__()
        if kind not in ("layer", "batch"):
            raise UsageError(f"unknown norm {kind!r}; choose from batch, layer, none")
        self.batch = nn.BatchNorm1d(members * dim) if kind == "batch" else None
        self.gain = nn.Parameter(torch.ones(members, 1, dim)) if kind == "layer" else None
        self.bias = nn.Parameter(torch.zeros(members, 1, dim)) if kind == "layer" else None

    def forward(self, rows: Tensor) -> Tensor:
        """(M, N, D) -> (M, N, D)."""
        if self.batch is not None:
            members, count, dim = rows.shape
            flat: Tensor = self.batch(rows.transpose(0, 1).reshape(count, members * dim))
            return flat.view(count, members, dim).transpose(0, 1)
        assert self.gain is not None and self.bias is not None
        return functional.layer_norm(rows, rows.shape[-1:]) * self.gain + self.bias


ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "silu": nn.SiLU}


def hidden_layer(inputs: int, outputs: int, settings: HeadSettings) -> nn.Sequential:
    """Linear, norm, activation, dropout."""
    norm, activation, members = settings.norm, settings.activation, settings.members
    if activation not in ACTIVATIONS:
        raise UsageError(f"unknown activation {activation!r}; choose from {', '.join(sorted(ACTIVATIONS))}")
    layers: list[nn.Module] = [StackedLinear(members, inputs, outputs)]
    if norm != "none":
        layers.append(MemberNorm(norm, members, outputs))
    layers += [ACTIVATIONS[activation](), nn.Dropout(settings.dropout)]
    return nn.Sequential(*layers)


class PartPool(nn.Module):
    """Pools features that are P vectors laid end to end: frames in time, or the layers of an encoder.

    With "weighted", each part has a learned softmax weight (which layer of MERT says most); with
    "transformer", a small temporal transformer with learned positions comes before the mean over the parts.
    """

    def __init__(self, parts: int, width: int, kind: str) -> None:
        super().__init__()
        self.parts, self.width, self.kind = parts, width, kind
        if kind == "weighted":
            self.logits = nn.Parameter(torch.zeros(parts))
        elif kind == "transformer":
            heads = next(h for h in (8, 4, 2, 1) if width % h == 0)
            self.positions = nn.Parameter(torch.randn(parts, width) * 0.02)
            self.layer = nn.TransformerEncoderLayer(
                width, heads, dim_feedforward=2 * width, dropout=0.1, batch_first=True, norm_first=True
            )
        else:
            raise UsageError(f"unknown pool {kind!r}; choose from transformer, weighted")

    def forward(self, rows: Tensor) -> Tensor:
        """(N, P * width) -> (N, width)."""
        parts = rows.view(len(rows), self.parts, self.width)
        if self.kind == "weighted":
            return torch.einsum("npd,p->nd", parts, torch.softmax(self.logits, 0))
        encoded: Tensor = self.layer(parts + self.positions)
        return encoded.mean(dim=1)

"""The transformer blocks that ImageBind's trunks are made of.

Written from the paper (Girdhar et al., CVPR 2023, arXiv:2305.05665) and the key -> shape table of the
published checkpoint: parameter names are part of the file format, the code is our own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mvr.backbones.precision import Int8Linear

LAYER_NORM_EPS = 1e-6


class Attention(nn.Module):
    """Multi-head self-attention with packed projections (`in_proj_weight`, `in_proj_bias`, `out_proj`).

    Args:
        width: token width D.
        heads: number of heads; divides D.
        bias_kv: one learned key and value (`bias_k`, `bias_v`) appended to every sequence (audio trunk).
    """

    def __init__(self, width: int, heads: int, *, bias_kv: bool) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.in_proj: nn.Module | None = None  # takes the place of the two when they are quantised
        self.out_proj: nn.Linear | Int8Linear = nn.Linear(width, width)
        self.bias_k = nn.Parameter(torch.zeros(1, 1, width)) if bias_kv else None
        self.bias_v = nn.Parameter(torch.zeros(1, 1, width)) if bias_kv else None
        nn.init.xavier_uniform_(self.in_proj_weight)

    def project(self, tokens: Tensor) -> Tensor:
        """Queries, keys and values side by side: (B, T, D) -> (B, T, 3D)."""
        if self.in_proj is not None:
            projected: Tensor = self.in_proj(tokens)
            return projected
        return F.linear(tokens, self.in_proj_weight, self.in_proj_bias)

    def quantise(self) -> None:
        """Bring both projections to int8 (see `mvr.backbones.precision`)."""
        self.in_proj = Int8Linear(self.in_proj_weight, self.in_proj_bias)
        assert isinstance(self.out_proj, nn.Linear)
        self.out_proj = Int8Linear(self.out_proj.weight, self.out_proj.bias)
        del self.in_proj_weight, self.in_proj_bias

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, T, D) -> (B, T, D); `mask` (T, T) is added to the scores."""
        queries, keys, values = self.project(tokens).chunk(3, dim=-1)
        if self.bias_k is not None and self.bias_v is not None:
            keys = torch.cat([keys, self.bias_k.expand(len(keys), 1, -1)], dim=1)
            values = torch.cat([values, self.bias_v.expand(len(values), 1, -1)], dim=1)
        mixed = F.scaled_dot_product_attention(
            self._split(queries), self._split(keys), self._split(values), attn_mask=mask
        )
        out: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return out

    def _split(self, tokens: Tensor) -> Tensor:
        batch, length, width = tokens.shape
        return tokens.view(batch, length, self.heads, width // self.heads).transpose(1, 2)


class Mlp(nn.Module):
    """Two linear layers, ratio 4, exact GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        out: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return out


class Block(nn.Module):
    """Pre-norm block: x + attn(norm_1(x)), then x + mlp(norm_2(x))."""

    def __init__(self, width: int, heads: int, *, bias_kv: bool) -> None:
        super().__init__()
        self.attn = Attention(width, heads, bias_kv=bias_kv)
        self.norm_1 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.mlp = Mlp(width)
        self.norm_2 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        tokens = tokens + self.attn(self.norm_1(tokens), mask)
        out: Tensor = tokens + self.mlp(self.norm_2(tokens))
        return out


class Trunk(nn.Module):
    """A stack of blocks, with a LayerNorm in front of it where the modality has one (vision)."""

    def __init__(
        self, width: int, blocks: int, heads: int, *, bias_kv: bool = False, norm: bool = False
    ) -> None:
        super().__init__()
        if norm:
            self.pre_transformer_layer = nn.Sequential(nn.LayerNorm(width, eps=LAYER_NORM_EPS))
        else:
            self.pre_transformer_layer = nn.Sequential()
        self.blocks = nn.ModuleList(Block(width, heads, bias_kv=bias_kv) for _ in range(blocks))

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        tokens = self.pre_transformer_layer(tokens)
        for block in self.blocks:
            tokens = block(tokens, mask)
        return tokens

"""From model input to tokens: the three stems of ImageBind that this project uses."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FRAMES = 2
IMAGE_PX = 224
PATCH_PX = 14
MEL_BINS = 128
MEL_FRAMES = 204
MEL_KERNEL, MEL_STRIDE = 16, 10
VOCABULARY = 49_408
CONTEXT = 77


class _Positions(nn.Module):
    """Learned positions of the class token and the patches."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens, width))


class _MelStem(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, width, kernel_size=MEL_KERNEL, stride=MEL_STRIDE, bias=False)
        self.norm_layer = nn.LayerNorm(width)


class _VideoStem(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        kernel = (FRAMES, PATCH_PX, PATCH_PX)
        # The convolution's key is `proj.1`: the file format has a parameterless step in front of it.
        self.proj = nn.Sequential(
            nn.Identity(), nn.Conv3d(3, width, kernel_size=kernel, stride=kernel, bias=False)
        )


class VisionTokens(nn.Module):
    """Pictures (B, 3, 2, 224, 224) or (B, 3, 224, 224) -> 1 + 256 tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.rgbt_stem = _VideoStem(width)
        self.pos_embedding_helper = _Positions(1 + (IMAGE_PX // PATCH_PX) ** 2, width)

    def forward(self, pictures: Tensor) -> Tensor:
        """A still picture stands for two equal frames."""
        if pictures.ndim == 4:
            pictures = pictures.unsqueeze(2).expand(-1, -1, FRAMES, -1, -1)
        patches = self.rgbt_stem.proj(pictures).flatten(2).transpose(1, 2)
        return _prepend(self.cls_token, patches) + self.pos_embedding_helper.pos_embed


class AudioTokens(nn.Module):
    """Mel spectrograms (B, 1, 128, 204) -> 1 + 228 tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.rgbt_stem = _MelStem(width)
        rows = (MEL_BINS - MEL_KERNEL) // MEL_STRIDE + 1
        columns = (MEL_FRAMES - MEL_KERNEL) // MEL_STRIDE + 1
        self.pos_embedding_helper = _Positions(1 + rows * columns, width)

    def forward(self, mel: Tensor) -> Tensor:
        """(B, 1, 128, 204) -> (B, 229, D)."""
        patches = self.rgbt_stem.norm_layer(self.rgbt_stem.proj(mel).flatten(2).transpose(1, 2))
        return _prepend(self.cls_token, patches) + self.pos_embedding_helper.pos_embed


class TextTokens(nn.Module):
    """Token ids (B, 77) -> tokens (B, 77, D); `mask` keeps a token from looking ahead."""

    mask: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(VOCABULARY, width)
        self.pos_embed = nn.Parameter(torch.zeros(1, CONTEXT, width))
        self.register_buffer("mask", torch.full((CONTEXT, CONTEXT), float("-inf")).triu(1))

    def forward(self, ids: Tensor) -> Tensor:
        """(B, 77) int64 -> (B, 77, D)."""
        tokens: Tensor = self.token_embedding(ids) + self.pos_embed
        return tokens


def _prepend(token: Tensor, patches: Tensor) -> Tensor:
    return torch.cat([token.expand(len(patches), -1, -1), patches], dim=1)

"""ImageBind's vision, audio and text towers, with the published checkpoint's parameter names.

Source: Girdhar et al., "ImageBind: One Embedding Space To Bind Them All", CVPR 2023, arXiv:2305.05665. An
independent implementation; the published weights (CC BY-NC-SA 4.0) load into it, see `checkpoint.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mvr.backbones.imagebind.stems import AudioTokens, TextTokens, VisionTokens
from mvr.backbones.imagebind.transformer import LAYER_NORM_EPS, Trunk
from mvr.config.settings import settings_from
from mvr.errors import UsageError, WrongShape

TOWERS = ("vision", "audio", "text")


@dataclass(frozen=True, kw_only=True)
class ImageBindConfig:
    """Sizes of the towers; the defaults are `imagebind_huge`."""

    vision_embed_dim: int = 1280
    vision_num_blocks: int = 32
    vision_num_heads: int = 16
    audio_embed_dim: int = 768
    audio_num_blocks: int = 12
    audio_num_heads: int = 12
    text_embed_dim: int = 1024
    text_num_blocks: int = 24
    text_num_heads: int = 16
    out_embed_dim: int = 1024


class _TokenHead(nn.Sequential):
    """LayerNorm (`.0`), token 0, Linear without bias (`.2`)."""

    def __init__(self, width: int, out_dim: int) -> None:
        super().__init__(
            nn.LayerNorm(width, eps=LAYER_NORM_EPS), nn.Identity(), nn.Linear(width, out_dim, bias=False)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self[2](self[0](tokens[:, 0]))  # the norm is per token: token 0 may be taken first
        return out


class _TextHead(nn.Module):
    """LayerNorm and Linear (`proj.0`, `proj.1`) at the end-of-text token, the one with the largest id."""

    def __init__(self, width: int, out_dim: int) -> None:
        super().__init__()
        self.proj = nn.Sequential(
            nn.LayerNorm(width, eps=LAYER_NORM_EPS), nn.Linear(width, out_dim, bias=False)
        )

    def forward(self, tokens: Tensor, ids: Tensor) -> Tensor:
        out: Tensor = self.proj(tokens[torch.arange(len(ids), device=ids.device), ids.argmax(dim=-1)])
        return out


class _Scale(nn.Module):
    """Multiply by exp(log_logit_scale), at most 100; learned for text, fixed for audio."""

    log_logit_scale: Tensor

    def __init__(self, initial: float, *, learned: bool) -> None:
        super().__init__()
        value = torch.tensor(math.log(initial))
        if learned:
            self.log_logit_scale = nn.Parameter(value)
        else:
            self.register_buffer("log_logit_scale", value)

    def forward(self, embeddings: Tensor) -> Tensor:
        return embeddings * self.log_logit_scale.exp().clip(max=100.0)


class _Unit(nn.Module):
    def forward(self, embeddings: Tensor) -> Tensor:
        return F.normalize(embeddings, dim=-1)


class ImageBindModel(nn.Module):
    """Vision, audio and text towers of ImageBind.

    Args:
        towers: which ones to build; the parameters of the others do not exist.
        config: the keys of `ImageBindConfig`; what is not given has the size of `imagebind_huge`.

    Raises:
        UsageError: an unknown key or tower.
    """

    def __init__(self, *, towers: Iterable[str] = TOWERS, **config: Any) -> None:
        super().__init__()
        self.config = settings_from(ImageBindConfig, config)
        self.towers = tuple(towers)
        if not self.towers or not set(self.towers) <= set(TOWERS):
            raise UsageError(
                f"towers are some of {', '.join(TOWERS)}, not {', '.join(self.towers) or 'none'}"
            )
        self.modality_preprocessors = nn.ModuleDict()
        self.modality_trunks = nn.ModuleDict()
        self.modality_heads = nn.ModuleDict()
        self.modality_postprocessors = nn.ModuleDict()
        for tower in self.towers:
            self._build(tower)

    def _build(self, tower: str) -> None:
        sizes = self.config
        width: int = getattr(sizes, f"{tower}_embed_dim")
        trunk = (width, getattr(sizes, f"{tower}_num_blocks"), getattr(sizes, f"{tower}_num_heads"))
        stem: nn.Module
        if tower == "vision":
            stem, post = VisionTokens(width), nn.Sequential(_Unit())
            self.modality_trunks[tower] = Trunk(*trunk, norm=True)
        elif tower == "audio":
            stem, post = AudioTokens(width), nn.Sequential(_Unit(), _Scale(20.0, learned=False))
            self.modality_trunks[tower] = Trunk(*trunk, bias_kv=True)
        else:
            stem, post = TextTokens(width), nn.Sequential(_Unit(), _Scale(1 / 0.07, learned=True))
            self.modality_trunks[tower] = Trunk(*trunk)
        head = _TextHead if tower == "text" else _TokenHead
        self.modality_preprocessors[tower] = stem
        self.modality_heads[tower] = head(width, sizes.out_embed_dim)
        self.modality_postprocessors[tower] = post

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        """Embeddings as the published model gives them: {tower: (B, out_embed_dim)}.

        Args:
            inputs: `vision` (B, 3, 224, 224), (B, 3, 2, 224, 224) or (B, S, 3, 2, 224, 224); `audio`
                (B, 1, 128, 204) or (B, S, 1, 128, 204); `text` (B, 77) int64. Outputs of S segments are
                averaged after scaling, so they are not of unit length.

        Raises:
            UsageError: a tower that was not built.
            WrongShape: another number of axes.
        """
        return {tower: self._encode(tower, values) for tower, values in inputs.items()}

    def _encode(self, tower: str, values: Tensor) -> Tensor:
        if tower not in self.towers:
            raise UsageError(f"this model holds {', '.join(self.towers)}, not {tower!r}")
        axes = {"vision": (4, 5, 6), "audio": (4, 5), "text": (2,)}[tower]
        if values.ndim not in axes:
            raise WrongShape(f"{tower} input has {values.ndim} axes; it must have one of {axes}")
        if tower == "text":
            return self._encode_text(values)
        segments = values.shape[1] if values.ndim == max(axes) else 1
        rows = values.flatten(0, 1) if values.ndim == max(axes) else values
        tokens = self.modality_trunks[tower](self.modality_preprocessors[tower](rows))
        scaled = self.modality_postprocessors[tower](self.modality_heads[tower](tokens))
        mean: Tensor = scaled.unflatten(0, (-1, segments)).mean(dim=1)
        return mean

    def _encode_text(self, ids: Tensor) -> Tensor:
        stem = self.modality_preprocessors["text"]
        tokens = self.modality_trunks["text"](stem(ids), stem.mask)
        scaled: Tensor = self.modality_postprocessors["text"](self.modality_heads["text"](tokens, ids))
        return scaled

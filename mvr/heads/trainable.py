"""What all heads that torch trains share: settings, standardisation, the path from numpy to embeddings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from mvr.datatypes import BranchedEmbeddings, FloatArray, JsonDict, Modality
from mvr.errors import NotFinite, UsageError, WrongShape
from mvr.heads.networks import PartPool, Standardise

ENCODE_ROWS = 4096  # rows per forward pass of `encode_*`: bounds the memory of the hidden layers


@dataclass(frozen=True, kw_only=True)
class HeadSettings:
    """Sizes and options of a trained head.

    Attributes:
        video_dim, audio_dim: widths of the features.
        hidden: width of the hidden layer(s).
        dim: width of one member's embedding.
        layers: linear layers per network, 1 is a linear head.
        members: networks trained side by side; the embedding is all of theirs laid end to end, so the score
            is the mean of their cosines.
        dropout, input_dropout: rates inside the network and on the standardised features.
        norm: "none", "layer" or "batch" after each hidden layer.
        activation: "relu", "gelu", "silu" or "tanh".
        unit_rows: bring raw rows to unit length before standardising.
        video_parts, audio_parts: vectors laid end to end in one feature row (frames, layers), see `PartPool`.
        pool: "weighted" or "transformer", how parts become one vector.
    """

    video_dim: int
    audio_dim: int
    hidden: int = 1024
    dim: int = 256
    layers: int = 2
    members: int = 1
    dropout: float = 0.5
    input_dropout: float = 0.0
    norm: str = "none"
    activation: str = "gelu"
    unit_rows: bool = False
    video_parts: int = 1
    audio_parts: int = 1
    pool: str = "weighted"

    def __post_init__(self) -> None:
        for name in (
            "video_dim",
            "audio_dim",
            "hidden",
            "dim",
            "layers",
            "members",
            "video_parts",
            "audio_parts",
        ):
            if getattr(self, name) < 1:
                raise UsageError(f"head setting {name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.dropout < 1 or not 0 <= self.input_dropout < 1:
            raise UsageError("head settings dropout and input_dropout must be in [0, 1)")
        if self.video_dim % self.video_parts or self.audio_dim % self.audio_parts:
            raise UsageError("video_parts and audio_parts must divide the feature widths")

    def inputs(self, modality: Modality) -> int:
        """Width of what a network of this modality sees, after pooling of parts."""
        if modality is Modality.VIDEO:
            return self.video_dim // self.video_parts
        return self.audio_dim // self.audio_parts

    @property
    def layer_options(self) -> tuple[str, str, float]:
        """Norm, activation and dropout of a hidden layer."""
        return self.norm, self.activation, self.dropout


class TrainableHead(nn.Module):
    """Base of MVBind and Control-MVR. Subclasses set `kind`, `branches` and give `project`."""

    kind: str
    branches: tuple[str, ...]

    def __init__(self, settings: HeadSettings) -> None:
        super().__init__()
        self.head_settings = settings
        self.video_dim, self.audio_dim = settings.video_dim, settings.audio_dim
        self.dim = settings.dim * settings.members
        widths = {Modality.VIDEO: settings.video_dim, Modality.AUDIO: settings.audio_dim}
        self.standardise = nn.ModuleDict(
            {str(m): Standardise(width, unit_rows=settings.unit_rows) for m, width in widths.items()}
        )
        parts = {Modality.VIDEO: settings.video_parts, Modality.AUDIO: settings.audio_parts}
        self.pool = nn.ModuleDict(
            {str(m): PartPool(p, settings.inputs(m), settings.pool) for m, p in parts.items() if p > 1}
        )
        self.input_dropout = nn.Dropout(settings.input_dropout)

    @property
    def settings(self) -> JsonDict:
        """Everything needed to create it again without its weights."""
        return dataclasses.asdict(self.head_settings)

    def prepare(self, modality: Modality, features: Tensor) -> Tensor:
        """(N, width) raw features -> (N, width) standardised; nothing in here is trained."""
        rows: Tensor = self.standardise[str(modality)](features)
        return rows

    def project(self, modality: Modality, rows: Tensor) -> Tensor:
        """(N, inputs) pooled rows -> (B, M, N, D) before normalisation."""
        raise AssertionError("a subclass gives `project`")

    def forward(self, modality: Modality, features: Tensor) -> Tensor:
        """(N, width) raw features -> (B, M, N, D) unit-length embeddings of every branch and member."""
        return self.embed(modality, self.prepare(modality, features))

    def embed(self, modality: Modality, rows: Tensor) -> Tensor:
        """(N, width) prepared rows -> (B, M, N, D) unit-length embeddings."""
        if str(modality) in self.pool:
            rows = self.pool[str(modality)](rows)
        return functional.normalize(self.project(modality, self.input_dropout(rows)).float(), dim=-1)

    def encode_video(self, features: FloatArray) -> BranchedEmbeddings:
        """(N, video_dim) features -> unit-length embeddings; NotFinite or WrongShape for others."""
        return self._encode(Modality.VIDEO, features)

    def encode_audio(self, features: FloatArray) -> BranchedEmbeddings:
        """(N, audio_dim) features -> unit-length embeddings; NotFinite or WrongShape for others."""
        return self._encode(Modality.AUDIO, features)

    @torch.no_grad()
    def _encode(self, modality: Modality, features: FloatArray) -> BranchedEmbeddings:
        check_rows(features, self.video_dim if modality is Modality.VIDEO else self.audio_dim, modality)
        device = next(self.parameters()).device
        training = self.training
        self.eval()
        try:
            vectors = in_blocks(features, lambda block: self._block(modality, block, device), self._empty())
        finally:
            self.train(training)
        return BranchedEmbeddings(vectors=vectors, branches=self.branches)

    def _block(self, modality: Modality, block: FloatArray, device: torch.device) -> FloatArray:
        """(n, width) -> (n, B, M * D): members laid end to end, still unit length."""
        members = self(modality, torch.from_numpy(block).to(device))
        branches, count, rows, dim = members.shape
        joined = members.permute(2, 0, 1, 3).reshape(rows, branches, count * dim)
        vectors: FloatArray = functional.normalize(joined, dim=-1).cpu().numpy()
        return vectors

    def _empty(self) -> FloatArray:
        return np.zeros((0, len(self.branches), self.dim), np.float32)


def check_rows(features: npt.NDArray[np.floating], width: int, modality: Modality) -> None:
    """Refuse features that are not (N, width) finite numbers; width 0 takes any.

    Raises:
        WrongShape: other shapes.
        NotFinite: NaN or infinity.
    """
    if features.ndim != 2 or (width and features.shape[1] != width):
        wanted = f"(N, {width})" if width else "(N, D)"
        raise WrongShape(f"this head takes {modality} features of shape {wanted}, not {features.shape}")
    if not np.isfinite(features).all():
        raise NotFinite(f"the {modality} features hold NaN or infinity")


def in_blocks(
    features: npt.NDArray[np.floating], encode: Callable[[FloatArray], FloatArray], empty: FloatArray
) -> FloatArray:
    """Encode rows block by block as float32, so that memory stays bounded whatever N is."""
    blocks = [
        encode(np.ascontiguousarray(features[start : start + ENCODE_ROWS], np.float32))
        for start in range(0, len(features), ENCODE_ROWS)
    ]
    return np.concatenate(blocks) if blocks else empty

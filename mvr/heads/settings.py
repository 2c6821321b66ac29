"""Sizes and options that heads with networks share."""

from __future__ import annotations

from dataclasses import dataclass

from mvr.datatypes import Modality
from mvr.errors import UsageError


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

"""What every head does, whatever its kind."""

from __future__ import annotations

from typing import Protocol

from mvr.datatypes import BranchedEmbeddings, FloatArray, JsonDict, Modality


class Head(Protocol):
    """Maps backbone features of both modalities into one space; B branches, D dimensions each.

    Attributes:
        kind: a name of `mvr.heads.table.KINDS`; "identity" is the head-less case.
        branches: ("ssl",) or ("ssl", "genre", ...).
        dim: D, width of one branch's embedding.
        video_dim, audio_dim: widths of the features it takes; 0 where any width will do (random).
    """

    kind: str
    branches: tuple[str, ...]
    dim: int
    video_dim: int
    audio_dim: int

    @property
    def settings(self) -> JsonDict:
        """Everything needed to create it again without its weights."""

    def encode_video(self, features: FloatArray) -> BranchedEmbeddings:
        """(N, video_dim) features -> unit-length embeddings; NotFinite or WrongShape for others."""

    def encode_audio(self, features: FloatArray) -> BranchedEmbeddings:
        """(N, audio_dim) features -> unit-length embeddings; NotFinite or WrongShape for others."""


class BothSides:
    """`encode_video` and `encode_audio` for heads that treat both modalities the same way, by one `_encode`."""

    def encode_video(self, features: FloatArray) -> BranchedEmbeddings:
        """(N, video_dim) features -> unit-length embeddings; NotFinite or WrongShape for others."""
        return self._encode(Modality.VIDEO, features)

    def encode_audio(self, features: FloatArray) -> BranchedEmbeddings:
        """(N, audio_dim) features -> unit-length embeddings; NotFinite or WrongShape for others."""
        return self._encode(Modality.AUDIO, features)

    def _encode(self, modality: Modality, features: FloatArray) -> BranchedEmbeddings:
        raise AssertionError("a subclass gives `_encode`")

"""Heads without weights: chance (`random`) and the head-less case (`identity`)."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from mvr.config.settings import settings_from
from mvr.datatypes import BranchedEmbeddings, FloatArray, JsonDict, Modality
from mvr.errors import DataError, UsageError
from mvr.heads.head import BothSides
from mvr.heads.rows import check_rows


@dataclass(frozen=True, kw_only=True)
class RandomSettings:
    """Width, seed, and the feature widths to insist on (0: any)."""

    video_dim: int = 0
    audio_dim: int = 0
    dim: int = 64
    seed: int = 0


class RandomHead(BothSides):
    """A random direction for each item, drawn from its own features: the same in every batch and process."""

    kind = "random"
    branches: tuple[str, ...] = ("ssl",)

    @classmethod
    def create(cls, **config: Any) -> RandomHead:
        """From keyword settings; an unknown one is an error."""
        return cls(settings_from(RandomSettings, config))

    def __init__(self, settings: RandomSettings) -> None:
        self._settings = settings
        self.dim, self.video_dim, self.audio_dim = settings.dim, settings.video_dim, settings.audio_dim

    @property
    def settings(self) -> JsonDict:
        """Everything needed to create it again."""
        return dataclasses.asdict(self._settings)

    def _encode(self, modality: Modality, features: FloatArray) -> BranchedEmbeddings:
        check_rows(features, self.video_dim if modality is Modality.VIDEO else self.audio_dim, modality)
        vectors = np.zeros((len(features), 1, self.dim), np.float32)
        for row, values in enumerate(np.ascontiguousarray(features, np.float32)):
            digest = hashlib.sha256(f"{self._settings.seed}:{modality}:".encode() + values.tobytes()).digest()
            drawn = np.random.default_rng(int.from_bytes(digest[:16], "big")).standard_normal(self.dim)
            vectors[row, 0] = drawn / np.linalg.norm(drawn)
        return BranchedEmbeddings(vectors=vectors, branches=self.branches)


@dataclass(frozen=True, kw_only=True)
class IdentitySettings:
    """Widths of the features, which must agree: both already live in one space."""

    video_dim: int
    audio_dim: int


class IdentityHead(BothSides):
    """The backbone's own joint space (ImageBind zero-shot): features at unit length, nothing else."""

    kind = "identity"
    branches: tuple[str, ...] = ("ssl",)

    @classmethod
    def create(cls, **config: Any) -> IdentityHead:
        """From keyword settings; an unknown one is an error."""
        return cls(settings_from(IdentitySettings, config))

    def __init__(self, settings: IdentitySettings) -> None:
        if settings.video_dim != settings.audio_dim:
            raise UsageError(
                "the identity head needs a backbone with one space for both modalities, "
                f"not widths {settings.video_dim} and {settings.audio_dim}; train a head instead"
            )
        self._settings = settings
        self.dim = self.video_dim = self.audio_dim = settings.video_dim

    @property
    def settings(self) -> JsonDict:
        """Everything needed to create it again."""
        return dataclasses.asdict(self._settings)

    def _encode(self, modality: Modality, features: FloatArray) -> BranchedEmbeddings:
        check_rows(features, self.dim, modality)
        rows = features.astype(np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not lengths.all():
            raise DataError(f"{int((lengths == 0).sum())} {modality} rows are all zero and have no direction")
        return BranchedEmbeddings(vectors=(rows / lengths)[:, None, :], branches=self.branches)

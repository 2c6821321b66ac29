"""From what is seen to what is heard, through words: a linear link and a table of profiles, both learned.

Video features are scores of visible concepts (backbone `concepts`), audio features logits of music tags (backbone
`audio-tags`); both are standardised by reference items first. The head `bridge` projects both sides by canonical
correlation analysis. The head `profiles` describes a clip by the tags that music under such pictures has: the profile
of each concept, weighted by how strongly the concept is seen. numpy only; both heads read one file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mvr.config.settings import settings_from
from mvr.datatypes import BranchedEmbeddings, FloatArray, JsonDict, Modality
from mvr.errors import DataError, WrongShape
from mvr.heads.rows import check_rows

TENSORS = (
    "video",
    "audio",
    "members",
    "concept_mean",
    "concept_std",
    "tag_mean",
    "tag_std",
    "mixture",
    "whiten",
    "mixture_base",
)
LEAST_SEEN, LEAST_HEARD = 1.0, 0.5  # deviations that make a word
_LEAST_Z, _MOST_Z = -3.0, 6.0  # concepts beyond these do not weigh more: one detector must not decide alone


@dataclass(frozen=True, kw_only=True)
class BridgeTables:
    """What a bridge file holds, for C concepts, T tags and L logits.

    Attributes:
        concepts, tags: names in row order.
        video: (C, K), audio: (T, K) maps into the common space.
        members: (L, T) which logits a tag is the mean of, each divided by its spread.
        concept_mean, concept_std: (C,) and tag_mean, tag_std: (T,) of the reference items.
        mixture: (C, T) profile of each concept: standardised tags of the music that goes with it.
        whiten: (T, T) takes out what tags have in common.
        mixture_base: (T,) the profile of the average clip.
        least_seen, least_heard: deviations by which a concept or a tag must stand out to be named.
    """

    concepts: tuple[str, ...]
    tags: tuple[str, ...]
    video: FloatArray
    audio: FloatArray
    members: FloatArray
    concept_mean: FloatArray
    concept_std: FloatArray
    tag_mean: FloatArray
    tag_std: FloatArray
    mixture: FloatArray
    whiten: FloatArray
    mixture_base: FloatArray
    least_seen: float = LEAST_SEEN
    least_heard: float = LEAST_HEARD

    def __post_init__(self) -> None:
        concepts, tags, logits = len(self.concepts), len(self.tags), len(self.members)
        width = self.video.shape[-1]
        wanted = {
            "video": (concepts, width),
            "audio": (tags, width),
            "members": (logits, tags),
            "concept_mean": (concepts,),
            "concept_std": (concepts,),
            "tag_mean": (tags,),
            "tag_std": (tags,),
            "mixture": (concepts, tags),
            "whiten": (tags, tags),
            "mixture_base": (tags,),
        }
        for name, shape in wanted.items():
            found = getattr(self, name).shape
            if found != shape:
                raise WrongShape(f"the tensor {name} of a bridge has shape {found}, expected {shape}")

    def seen(self, features: FloatArray) -> FloatArray:
        """How far each concept stands out against the reference clips: (N, C) -> (N, C), 0 is average."""
        check_rows(features, len(self.concepts), Modality.VIDEO)
        standard: FloatArray = (features.astype(np.float32) - self.concept_mean) / self.concept_std
        return standard

    def heard(self, features: FloatArray) -> FloatArray:
        """How far each tag stands out against the reference sounds and the other tags: (N, L) -> (N, T)."""
        check_rows(features, len(self.members), Modality.AUDIO)
        standard = (features.astype(np.float32) @ self.members - self.tag_mean) / self.tag_std
        centred: FloatArray = standard - standard.mean(axis=1, keepdims=True)
        return centred

    def wanted(self, features: FloatArray) -> FloatArray:
        """The tags that music under such pictures has more than others: concepts (N, C) -> (N, T)."""
        clipped = np.clip(self.seen(features), _LEAST_Z, _MOST_Z)
        weights = np.exp(clipped - clipped.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        found: FloatArray = weights @ self.mixture - self.mixture_base
        return found


@dataclass(frozen=True, kw_only=True)
class BridgeSettings:
    """Widths of the features, names of concepts and tags in row order."""

    video_dim: int
    audio_dim: int
    concepts: Sequence[str]
    tags: Sequence[str]


class BridgeHead:
    """Both sides by canonical correlation analysis; see `BridgeTables`."""

    kind = "bridge"
    branches: tuple[str, ...] = ("ssl",)

    def __init__(self, tables: BridgeTables) -> None:
        self._use(tables)

    def _use(self, tables: BridgeTables) -> None:
        self.tables = tables
        self.video_dim, self.audio_dim = len(tables.concepts), len(tables.members)
        self.dim = tables.video.shape[1]

    @classmethod
    def create(cls, **config: Any) -> BridgeHead:
        """A head with tables of zeros, to load weights into.

        Args:
            config: `video_dim`, `audio_dim`, and the names `concepts` and `tags`.

        Raises:
            UsageError: an unknown setting. WrongShape: not as many concepts as video features.
        """
        settings = settings_from(BridgeSettings, config)
        if len(settings.concepts) != settings.video_dim:
            raise WrongShape(f"{len(settings.concepts)} concepts for {settings.video_dim} video features")
        return cls(_zero_tables(settings))

    def load(self, tensors: Mapping[str, FloatArray]) -> None:
        """Take over weights by the names in `TENSORS`. Raises WrongShape, KeyError."""
        arrays: dict[str, Any] = {name: np.asarray(tensors[name], np.float32) for name in TENSORS}
        self._use(BridgeTables(concepts=self.tables.concepts, tags=self.tables.tags, **arrays))

    def tensors(self) -> dict[str, FloatArray]:
        """Weights by the names in `TENSORS`."""
        return {name: getattr(self.tables, name) for name in TENSORS}

    @property
    def settings(self) -> JsonDict:
        """Widths, and the names of concepts and tags; the numbers are in the file."""
        widths = {"video_dim": self.video_dim, "audio_dim": self.audio_dim}
        return {**widths, "concepts": list(self.tables.concepts), "tags": list(self.tables.tags)}

    def encode_video(self, features: FloatArray) -> BranchedEmbeddings:
        """(N, concepts) -> unit length; the row mean, one common factor of confidence, is taken off."""
        seen = self.tables.seen(features)
        return _unit((seen - seen.mean(axis=1, keepdims=True)) @ self.tables.video)

    def encode_audio(self, features: FloatArray) -> BranchedEmbeddings:
        """(N, logits) -> unit length."""
        return _unit(self.tables.heard(features) @ self.tables.audio)

    def encode_tags(self, tags: FloatArray) -> BranchedEmbeddings:
        """(N, tags) as words name them -> unit length."""
        return _unit(tags @ self.tables.audio)


class ProfilesHead(BridgeHead):
    """A clip as the tags it asks for, a track as its tags, both whitened; see `BridgeTables`."""

    kind = "profiles"

    def _use(self, tables: BridgeTables) -> None:
        super()._use(tables)
        self.dim = len(tables.tags)

    def encode_video(self, features: FloatArray) -> BranchedEmbeddings:
        """(N, concepts) -> unit length."""
        return _unit(self.tables.wanted(features) @ self.tables.whiten)

    def encode_audio(self, features: FloatArray) -> BranchedEmbeddings:
        """(N, logits) -> unit length."""
        return _unit(self.tables.heard(features) @ self.tables.whiten)

    def encode_tags(self, tags: FloatArray) -> BranchedEmbeddings:
        """(N, tags) as words name them -> unit length."""
        return _unit(tags @ self.tables.whiten)


def _zero_tables(settings: BridgeSettings) -> BridgeTables:
    concepts, tags = len(settings.concepts), len(settings.tags)
    shapes = {
        **dict.fromkeys(("concept_mean", "concept_std"), (concepts,)),
        **dict.fromkeys(("tag_mean", "tag_std", "mixture_base"), (tags,)),
        "video": (concepts, 1),
        "audio": (tags, 1),
        "members": (settings.audio_dim, tags),
        "mixture": (concepts, tags),
        "whiten": (tags, tags),
    }
    arrays: dict[str, Any] = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    return BridgeTables(concepts=tuple(settings.concepts), tags=tuple(settings.tags), **arrays)


def _unit(rows: FloatArray) -> BranchedEmbeddings:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not lengths.all():
        raise DataError(f"{int((lengths == 0).sum())} rows are exactly average and have no direction")
    return BranchedEmbeddings(vectors=(rows / lengths).astype(np.float32)[:, None, :], branches=("ssl",))

"""The nouns that every floor shares.

Words: a `track` is a catalogue item of music, a `video` a clip, a `segment` a time span of either. A `feature`
is what a frozen backbone says of a segment, an `embedding` what a head makes of it: unit length, float32.
A head has one or more `branches` ("ssl", and one per taxonomy such as "genre"); `alpha` mixes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]  # moments, in seconds
SPLITS = ("train", "val", "test")


class Modality(StrEnum):
    """Whether an item is a video or sound."""

    VIDEO = "video"
    AUDIO = "audio"


class Original(StrEnum):
    """What becomes of the clip's own sound."""

    MUTE = "mute"
    MIX = "mix"
    DUCK = "duck"


class Direction(StrEnum):
    """Which modality asks for which."""

    VIDEO_TO_MUSIC = "v2m"
    MUSIC_TO_VIDEO = "m2v"

    @property
    def heading(self) -> str:
        """What is looked for, as a heading."""
        return "Music for a video" if self is Direction.VIDEO_TO_MUSIC else "Videos for a piece of music"

    @property
    def words(self) -> str:
        """The direction in words, such as "video to music"."""
        return "video to music" if self is Direction.VIDEO_TO_MUSIC else "music to video"

    @property
    def query(self) -> Modality:
        """The modality of the query."""
        return Modality.VIDEO if self is Direction.VIDEO_TO_MUSIC else Modality.AUDIO

    @property
    def target(self) -> Modality:
        """The modality of the ranked items."""
        return Modality.AUDIO if self is Direction.VIDEO_TO_MUSIC else Modality.VIDEO


@dataclass(frozen=True, kw_only=True, order=True)
class Segment:
    """A time span of a track or a video, in seconds from its start."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, kw_only=True)
class BranchedEmbeddings:
    """Unit-length embeddings of N items (or segments), one vector per branch of a head.

    Attributes:
        vectors: (N, B, D) float32; `vectors[n, b]` has length one.
        branches: B names; the first is "ssl", further ones are taxonomies ("genre", "emotion", ...).
    """

    vectors: FloatArray
    branches: tuple[str, ...]

    def __post_init__(self) -> None:
        assert self.vectors.ndim == 3 and self.vectors.shape[1] == len(self.branches), self.vectors.shape

    def __len__(self) -> int:
        return len(self.vectors)


def branch_weights(alpha: float, branches: int) -> FloatArray:
    """Weights (B,) of the branches at one `alpha`: 1 - alpha for the first, alpha shared by the others.

    A head with one branch has nothing to mix: its weight is 1 at every alpha.

    >>> branch_weights(0.25, 3)
    array([0.75 , 0.125, 0.125], dtype=float32)
    """
    if branches == 1:
        return np.ones(1, np.float32)
    return np.array([1 - alpha] + [alpha / (branches - 1)] * (branches - 1), np.float32)


def mix_branches(vectors: FloatArray, weights: FloatArray) -> FloatArray:
    """Mix branches and return to unit length: Control-MVR's z = (1 - alpha) p_ssl + alpha p_sup (arXiv:2412.05831).

    Args:
        vectors: (N, B, D) unit-length branch outputs.
        weights: (B,) branch weights, see `branch_weights`.

    Returns:
        (N, D) float32 of unit length; a mixture that cancels out exactly stays zero.
    """
    mixed = np.einsum("nbd,b->nd", vectors, weights)
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    unit: FloatArray = (mixed / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
    return unit


JsonDict = dict[str, Any]

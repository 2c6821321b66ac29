"""The Protocol of a backbone and the table name -> class."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, JsonDict, Modality, Segment
from mvr.errors import UsageError


class Backbone(Protocol):
    """A frozen encoder of one modality: media file -> model input -> features.

    Attributes:
        name: as in the table of names.
        modality: what it encodes.
        dim: width D of a feature vector.
    """

    name: str
    modality: Modality
    dim: int

    @property
    def settings(self) -> JsonDict:
        """Everything that changes the output (weights' hash, sampling, resizing, dtype): JSON-able, hashed into
        feature stores, caches and indexes."""

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> npt.NDArray[Any]:
        """Read a media file once and cut it: (S, ...) model input, one row per segment.

        Raises:
            MediaError: the file cannot be used.
        """

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """Features (S, D) float32 of preprocessed rows; a batch is its rows one by one; never NaN."""


@runtime_checkable
class TextBackbone(Protocol):
    """A backbone that also encodes text into the space of its features."""

    def encode_text(self, texts: Sequence[str]) -> FloatArray:
        """Features (T, D) float32 of T texts."""


# name -> (video class, audio class), as "module:class"
_TABLE: dict[str, dict[Modality, str]] = {
    "descriptors": {
        Modality.VIDEO: "mvr.backbones.descriptors:VideoDescriptors",
        Modality.AUDIO: "mvr.backbones.descriptors:MusicDescriptors",
    },
    "imagebind": {
        Modality.VIDEO: "mvr.backbones.imagebind:ImageBindVideo",
        Modality.AUDIO: "mvr.backbones.imagebind:ImageBindAudio",
    },
    "clip": {Modality.VIDEO: "mvr.backbones.clip:ClipVideo"},
    "mert": {Modality.AUDIO: "mvr.backbones.mert:MertAudio"},
    "concepts": {Modality.VIDEO: "mvr.backbones.concepts:ConceptsVideo"},
    "audio-tags": {Modality.AUDIO: "mvr.backbones.audio_tags:AudioTags"},
}


def backbone_names(modality: Modality) -> list[str]:
    """Names that `create_backbone` knows for one modality."""
    return sorted(name for name, classes in _TABLE.items() if modality in classes)


def create_backbone(name: str, modality: Modality, **options: Any) -> Backbone:
    """Create a backbone by name; loads weights, if it has any.

    Raises:
        UsageError: an unknown name or option.
        WeightsError: weights that are missing, damaged or whose licence is not accepted.
    """
    if name not in backbone_names(modality):
        raise UsageError(
            f"unknown {modality} backbone {name!r}; choose from {', '.join(backbone_names(modality))}"
        )
    module, _, attribute = _TABLE[name][modality].partition(":")
    backbone: Backbone = getattr(importlib.import_module(module), attribute)(**options)
    return backbone


def check_features(features: npt.NDArray[Any], name: str) -> FloatArray:
    """Features as float32, refused when a value is NaN or infinite.

    Raises:
        NotFinite: says which backbone and how many rows.
    """
    from mvr.errors import NotFinite

    broken = int((~np.isfinite(features)).any(axis=1).sum())
    if broken:
        raise NotFinite(f"backbone {name!r} gave NaN or infinity in {broken} of {len(features)} rows")
    return np.ascontiguousarray(features, np.float32)

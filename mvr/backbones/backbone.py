"""The Protocol of a backbone and the table name -> class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from mvr.config.extras import has, need
from mvr.config.named import named
from mvr.datatypes import FloatArray, JsonDict, Modality, Segment
from mvr.errors import UsageError

DEFAULT_CLIP = ("ViT-B-32", "openai")


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
    """A backbone that also encodes text into the space of its features.

    One with an attribute `text_of_its_own` (true) has a way for words beside that of the other modality's backbone of
    the same name: they are encoded by the one that they are compared with.
    """

    def encode_text(self, texts: Sequence[str]) -> FloatArray:
        """Features (T, D) float32 of T texts."""


@dataclass(frozen=True, kw_only=True)
class BackboneKind:
    """What the program knows of a backbone before it loads one.

    Attributes:
        classes: modality -> "module:class".
        packages: import names it needs beyond the core, brought by the extra `models`.
        on_device: whether it takes the option `device`.
        weights: from its options, the name of the published weights it needs; None for none or for a file of one's own.
        operations: "module:function" (options, modality, segment_s) -> operations per segment; "" where nothing
            need be announced: no network, or one of under 0.4 s a clip.
    """

    classes: Mapping[Modality, str]
    packages: tuple[str, ...] = ()
    on_device: bool = False
    weights: Callable[[Mapping[str, Any]], str | None] = lambda options: None
    operations: str = ""


def _clip_weights(options: Mapping[str, Any]) -> str:
    architecture, tag = (
        options.get("architecture", DEFAULT_CLIP[0]),
        options.get("pretrained", DEFAULT_CLIP[1]),
    )
    return f"clip:{architecture}/{tag}"


KINDS: dict[str, BackboneKind] = {
    "descriptors": BackboneKind(
        classes={
            Modality.VIDEO: "mvr.backbones.descriptors:VideoDescriptors",
            Modality.AUDIO: "mvr.backbones.descriptors:MusicDescriptors",
        }
    ),
    "imagebind": BackboneKind(
        classes={
            Modality.VIDEO: "mvr.backbones.imagebind:ImageBindVideo",
            Modality.AUDIO: "mvr.backbones.imagebind:ImageBindAudio",
        },
        packages=("torch", "open_clip"),
        on_device=True,
        weights=lambda options: "imagebind",
        operations="mvr.backbones.cost:imagebind_operations",
    ),
    "clip": BackboneKind(
        classes={Modality.VIDEO: "mvr.backbones.clip:ClipVideo"},
        packages=("torch", "open_clip"),
        on_device=True,
        weights=_clip_weights,
        operations="mvr.backbones.cost:clip_operations",
    ),
    "mert": BackboneKind(
        classes={Modality.AUDIO: "mvr.backbones.mert:MertAudio"},
        packages=("torch", "transformers"),
        on_device=True,
        weights=lambda options: "mert-95m",
        operations="mvr.backbones.cost:mert_operations",
    ),
    "clap": BackboneKind(
        classes={Modality.AUDIO: "mvr.backbones.clap:ClapAudio"},
        packages=("torch", "transformers"),
        on_device=True,
        weights=lambda options: "clap-general",
        operations="mvr.backbones.cost:clap_operations",
    ),
    "peav": BackboneKind(
        classes={
            Modality.VIDEO: "mvr.backbones.peav:PeavVideo",
            Modality.AUDIO: "mvr.backbones.peav:PeavAudio",
        },
        packages=("torch", "transformers", "timm"),
        on_device=True,
        weights=lambda options: "peav-small",
        operations="mvr.backbones.cost:peav_operations",
    ),
    "concepts": BackboneKind(classes={Modality.VIDEO: "mvr.backbones.concepts:ConceptsVideo"}),
    "soundscape": BackboneKind(classes={Modality.AUDIO: "mvr.backbones.soundscape:Soundscape"}),
    "audio-tags": BackboneKind(classes={Modality.AUDIO: "mvr.backbones.audio_tags:AudioTags"}),
}


def backbone_kind(name: str) -> BackboneKind:
    """The entry of a backbone. Raises UsageError: an unknown name."""
    if name not in KINDS:
        raise UsageError(f"unknown backbone {name!r}; choose from {', '.join(sorted(KINDS))}")
    return KINDS[name]


def backbone_names(modality: Modality) -> list[str]:
    """Names that `create_backbone` knows for one modality."""
    return sorted(name for name, kind in KINDS.items() if modality in kind.classes)


def missing_packages(name: str) -> list[str]:
    """Packages of the extra `models` that a backbone needs and that are not installed."""
    return [package for package in backbone_kind(name).packages if not has(package)]


def create_backbone(name: str, modality: Modality, **options: Any) -> Backbone:
    """Create a backbone by name; loads weights, if it has any.

    Raises:
        UsageError: an unknown name or option.
        ExtraMissing: packages that are not installed.
        WeightsError: weights that are missing, damaged or whose licence is not accepted.
    """
    if name not in backbone_names(modality):
        raise UsageError(
            f"unknown {modality} backbone {name!r}; choose from {', '.join(backbone_names(modality))}"
        )
    kind = backbone_kind(name)
    for package in kind.packages:
        need(package, f"the backbone {name!r}", "models")
    backbone: Backbone = named(kind.classes[modality])(**options)
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

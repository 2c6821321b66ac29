"""A system at work: backbones and a head, named by a card, turn a media file into embeddings of its segments.

system = load_system("control-mvr-mini")
clip = system.embed_file("clip.mp4", Modality.VIDEO)
clip.embeddings.vectors            # (S, B, D), unit length
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mvr.backbones.backbone import (
    Backbone,
    TextBackbone,
    backbone_kind,
    check_features,
    create_backbone,
)
from mvr.config.digest import content_hash
from mvr.config.settings import settings_hash
from mvr.datatypes import BranchedEmbeddings, FloatArray, JsonDict, Modality, Segment
from mvr.embeddings.digest import DigestBackbone
from mvr.embeddings.expected import expected_seconds
from mvr.embeddings.segments import segments_of
from mvr.embeddings.status import head_file, is_untrained, lacks_head, lacks_packages
from mvr.embeddings.vocabulary import require_words, row_of_text
from mvr.errors import SettingsMismatch, UsageError, WeightsMissing
from mvr.heads.bridge import BridgeHead, BridgeTables
from mvr.heads.head import Head
from mvr.heads.table import head_kind
from mvr.media.progress import is_told, stretch

if TYPE_CHECKING:
    from mvr.config.cards import SystemCard

_BATCH_ROWS = 32  # segments encoded together: bounds the memory of a long track under a large backbone
_FEW_ROWS = 4
_READING_SHARES = {
    Modality.VIDEO: 0.85,
    Modality.AUDIO: 0.5,
}  # of the time, clips of 3 to 6 minutes, 2026-11-29
_READ_AT = 60.0  # times as fast as it plays


@dataclass(frozen=True, kw_only=True)
class SegmentFeatures:
    """What a backbone says of an item: S segments and their features (S, D) float32."""

    segments: tuple[Segment, ...]
    features: FloatArray


@dataclass(frozen=True, kw_only=True)
class SegmentEmbeddings(SegmentFeatures):
    """Segments with features and, from the head, embeddings (S, B, D)."""

    embeddings: BranchedEmbeddings


class System:
    """A loaded system; use `load_system`. Backbones load when first needed; calls are serialised by a lock.

    Attributes:
        card: its recipe.
        head: its head.
    """

    def __init__(self, card: SystemCard, head: Head | None, *, head_hash: str, device: str = "auto") -> None:
        self.card = card
        self._given_head = head
        self._head_hash = head_hash
        self._device = device
        self._backbones: dict[Modality, Backbone] = {}
        self._recipes: dict[Modality, str] = {}
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """As on the command line."""
        return self.card.name

    @property
    def parts(self) -> tuple[System, ...]:
        """The systems that rank: itself, or the members of a mixture."""
        return (self,)

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of the head's branches."""
        return self.head.branches

    @property
    def alpha(self) -> bool:
        """Whether alpha changes the ranking: there is more than one branch to mix."""
        return len(self.branches) > 1

    @cached_property
    def head(self) -> Head:
        """The head; the head-less case is an identity head as wide as the backbones, or one that joins by words."""
        if self._given_head is not None:
            return self._given_head
        from mvr.heads import create_head

        video, audio = self.backbone(Modality.VIDEO), self.backbone(Modality.AUDIO)
        if self.card.head is not None and head_kind(self.card.head.kind).any_width:
            return create_head(self.card.head.kind)
        if self.by_words:
            from mvr.embeddings.prompts import words_head

            with self._lock:
                return words_head(video, audio)
        return create_head("identity", video_dim=video.dim, audio_dim=audio.dim)

    @property
    def by_words(self) -> bool:
        """Whether it ranks by prompts of its text towers, since no head is trained yet."""
        card = self.card.head
        return self._given_head is None and card is not None and card.untrained == "words"

    @property
    def explains(self) -> bool:
        """Whether it has tables of words, by which a list is explained; loads nothing."""
        card = self.card.head
        return self.by_words or (card is not None and head_kind(card.kind).by_words)

    @property
    def tables(self) -> BridgeTables | None:
        """What is seen and heard in words, of a system that explains itself; None for the others."""
        return self.head.tables if self.explains and isinstance(self.head, BridgeHead) else None

    def under(self, head: Head, head_hash: str) -> System:
        """The same loaded backbones under another head of the same widths."""
        other = System(self.card, head, head_hash=head_hash, device=self._device)
        other._backbones = {modality: self.backbone(modality) for modality in Modality}
        return other

    def backbone(self, modality: Modality) -> Backbone:
        """The backbone of a modality, loaded once.

        Raises:
            WeightsError: missing, damaged, or a licence nobody accepted.
        """
        with self._lock:
            if modality not in self._backbones:
                self._backbones[modality] = self._create_backbone(modality)
            return self._backbones[modality]

    def load(self) -> None:
        """Load both backbones now, instead of when they are first needed; errors as `backbone`."""
        for part in self.parts:
            for modality in Modality:
                part.backbone(modality)

    def _create_backbone(self, modality: Modality) -> Backbone:
        card = self.card.video if modality is Modality.VIDEO else self.card.audio
        if card is None:
            return DigestBackbone(modality)
        options = dict(card.options)
        if backbone_kind(card.name).on_device:
            options.setdefault("device", self._device)
        backbone = create_backbone(card.name, modality, **options)
        self._check_width(backbone)
        return backbone

    def _check_width(self, backbone: Backbone) -> None:
        if self._given_head is None:
            return
        head = self._given_head
        wanted = head.video_dim if backbone.modality is Modality.VIDEO else head.audio_dim
        if wanted not in (0, backbone.dim):
            raise SettingsMismatch(
                f"system {self.name}: the head takes {backbone.modality} features {wanted} wide, backbone "
                f"{backbone.name!r} gives {backbone.dim}; train the head on features of this backbone"
            )

    def recipe(self, modality: Modality) -> JsonDict:
        """What decides the features of a file: backbone, its settings, how files are cut."""
        card, backbone = self.card.segments, self.backbone(modality)
        length, hop = (
            (card.video_s, card.video_hop_s)
            if modality is Modality.VIDEO
            else (card.audio_s, card.audio_hop_s)
        )
        return {
            "backbone": backbone.name,
            "modality": str(modality),
            "settings": backbone.settings,
            "segment_s": length,
            "hop_s": hop,
        }

    def recipe_hash(self, modality: Modality) -> str:
        """Key of cached features: two systems with the same backbone and cut share them."""
        if modality not in self._recipes:
            self._recipes[modality] = settings_hash(self.recipe(modality))
        return self._recipes[modality]

    @cached_property
    def identity(self) -> str:
        """16 hexadecimal digits over both recipes and the head: equal only if embeddings are comparable."""
        return settings_hash(
            {
                "video": self.recipe(Modality.VIDEO),
                "audio": self.recipe(Modality.AUDIO),
                "head": self._head_hash,
                "head_settings": {"kind": self.head.kind, **self.head.settings},
            }
        )

    def features_of_file(self, path: Path | str, modality: Modality) -> SegmentFeatures:
        """Cut a file and run its backbone.

        Raises:
            MediaError: the file cannot be used. WeightsError: the backbone cannot be loaded.
        """
        from mvr.media.probe import probe

        path = Path(path)
        info = probe(path, needs=("picture",) if modality is Modality.VIDEO else ("sound",))
        segments = segments_of(info.duration_s, modality, self.card.segments)
        backbone = self.backbone(modality)
        with stretch(0.0, read := self._reading_share(modality, info.duration_s)):
            rows = backbone.preprocess(path, segments)  # decoding: several visitors at once
        with self._lock, stretch(read, 1.0):
            features = np.concatenate(list(_encoded(backbone, rows, self._at_once(modality))))
        return SegmentFeatures(segments=segments, features=check_features(features, backbone.name))

    def _at_once(self, modality: Modality) -> int:
        """Segments that are encoded together; the small backbones of the core take one after the other anyway."""
        card = self.card.video if modality is Modality.VIDEO else self.card.audio
        return _BATCH_ROWS if card is not None and backbone_kind(card.name).on_device else _FEW_ROWS

    def _reading_share(self, modality: Modality, duration_s: float) -> float:
        """How much of the time for a file goes into decoding it: by the arithmetic of large networks, else as measured
        for the small ones that ship.
        """
        if not is_told():
            return 1.0
        network_s = expected_seconds(self.card, modality, duration_s, self._device)
        if not network_s:
            return _READING_SHARES[modality]
        reading_s = duration_s / _READ_AT
        return reading_s / (reading_s + network_s)

    def encode(self, features: FloatArray, modality: Modality) -> BranchedEmbeddings:
        """Features (S, D) -> embeddings (S, B, D) through the head."""
        with self._lock:
            if modality is Modality.VIDEO:
                return self.head.encode_video(features)
            return self.head.encode_audio(features)

    def embed_file(self, path: Path | str, modality: Modality) -> SegmentEmbeddings:
        """Embed a media file; errors as `features_of_file`."""
        found = self.features_of_file(path, modality)
        return SegmentEmbeddings(
            segments=found.segments,
            features=found.features,
            embeddings=self.encode(found.features, modality),
        )

    def embed_text(self, texts: Sequence[str] | str, target: Modality = Modality.AUDIO) -> BranchedEmbeddings:
        """Embed words: by the text tower of each backbone that has its own and its side of the head, so that they may
        describe what is seen or what is heard; a bridge looks them up in its tables of concepts and tags.

        Args:
            texts: T of them.
            target: what they are compared with, for a model that has a way for words beside each side.

        Raises:
            UsageError: the system has no text tower, or none of the words is known.
        """
        wanted = [texts] if isinstance(texts, str) else list(texts)
        if self.card.text and not self.by_words and isinstance(self.head, BridgeHead):
            return self._embed_words(self.head, wanted)
        knowing = self._towers(target) if self.card.text else []
        if not knowing:
            raise UsageError(f"system {self.name} cannot search by words; choose one whose card says `text`")
        sides = []
        for tower in knowing:
            with self._lock:
                features = tower.encode_text(wanted)  # type: ignore[attr-defined]
            sides.append(self.encode(check_features(features, tower.name), tower.modality).vectors)
        return BranchedEmbeddings(vectors=_unit(sum(sides[1:], sides[0])), branches=self.branches)

    def _towers(self, target: Modality) -> list[Backbone]:
        """Backbones that read words; one model for both sides counts once: as the video's, or as the target's."""
        sides = {modality: self.backbone(modality) for modality in Modality}
        if len({backbone.name for backbone in sides.values()}) == 1:
            own = getattr(sides[target], "text_of_its_own", False)
            sides = {target: sides[target]} if own else {Modality.VIDEO: sides[Modality.VIDEO]}
        return [backbone for backbone in sides.values() if isinstance(backbone, TextBackbone)]

    def _embed_words(self, head: BridgeHead, texts: Sequence[str]) -> BranchedEmbeddings:
        """Tags by the audio side, concepts by the video side: both lie in one space."""
        tables, rows = head.tables, []
        for text in texts:
            tags, concepts = (row_of_text(text, names) for names in (tables.tags, tables.concepts))
            require_words(text, (tags, concepts), tables.tags)
            sides = [] if tags is None else [head.encode_tags((tags - tags.mean())[None]).vectors]
            if concepts is not None:
                features = (tables.concept_mean + concepts * tables.concept_std)[None]
                sides.append(head.encode_video(features).vectors)
            rows.append(sum(sides[1:], sides[0])[0])
        return BranchedEmbeddings(vectors=_unit(np.stack(rows)), branches=head.branches)

    def store_meta(self) -> JsonDict:
        """`video` and `audio` of a feature store's meta, for features that this system's backbones made."""
        sides = {}
        for modality in (Modality.VIDEO, Modality.AUDIO):
            backbone = self.backbone(modality)
            sides[str(modality)] = {"backbone": backbone.name, "settings": self.recipe(modality)}
        return sides


def _unit(vectors: FloatArray) -> FloatArray:
    """(..., D) at unit length."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.finfo(np.float32).tiny)
    unit: FloatArray = (vectors / lengths).astype(np.float32)
    return unit


def _encoded(backbone: Backbone, rows: npt.NDArray[Any], at_once: int) -> Iterator[FloatArray]:
    """Features of preprocessed rows, batch by batch."""
    for first in range(0, len(rows), at_once):
        with stretch(first / len(rows), min(1.0, (first + at_once) / len(rows))):
            features = backbone.encode(rows[first : first + at_once])
        yield features


def load_system(name: str, *, device: str = "auto", head_path: Path | str | None = None) -> System:
    """Load a system by the name of its card (or a card file ending in .json).

    Args:
        name: see `mvr.config.cards.system_names`.
        device: "auto", "cpu" or "cuda", for backbones that run on one.
        head_path: a head that you trained, instead of the card's.

    Raises:
        UsageError: no such system. WeightsError: a head or weights that are missing, damaged or not accepted.
        SettingsMismatch: a head for other features.
    """
    from mvr.config.cards import load_card

    card = load_card(name)
    if card.mix:
        return _load_mixture(card, device, head_path)
    path = Path(head_path) if head_path is not None else head_file(card)
    if path is None or (head_path is None and is_untrained(card, path)):
        return System(card, None, head_hash="", device=device)
    if not path.is_file():
        raise WeightsMissing("; ".join([*lacks_packages(card), lacks_head(card, path)]))
    from mvr.heads import load_head

    kind = card.head.kind if card.head is not None else None
    return System(card, load_head(path, kind), head_hash=content_hash(path), device=device)


def load_backbones(name: str, *, device: str = "auto") -> System:
    """A system for the features of its backbones alone: its head need not be there, for it is trained on them.

    Raises:
        UsageError: no such system.
    """
    from mvr.config.cards import load_card

    card = load_card(name)
    return _load_mixture(card, device, None) if card.mix else System(card, None, head_hash="", device=device)


def _load_mixture(card: SystemCard, device: str, head_path: Path | str | None) -> System:
    from mvr.embeddings.mixed import Member, MixedSystem

    if head_path is not None:
        raise UsageError(f"system {card.name} is a mixture; a head belongs to one of its members")
    return MixedSystem(
        card,
        [
            Member(system=load_system(one.system, device=device), weight=one.weight, alpha=one.alpha)
            for one in card.mix
        ],
    )

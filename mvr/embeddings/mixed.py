"""A mixture of systems: each ranks by itself, their standardised scores are added (see `mvr.retrieval.ranking`).

Where features of a file are asked for, a mixture answers with those of its first member; embeddings are its members'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from mvr.backbones.backbone import Backbone
from mvr.config.settings import settings_hash
from mvr.datatypes import BranchedEmbeddings, JsonDict, Modality
from mvr.embeddings.system import SegmentFeatures, System
from mvr.errors import UsageError

if TYPE_CHECKING:
    from mvr.config.cards import SystemCard


@dataclass(frozen=True, kw_only=True)
class Member:
    """A loaded system with its weight in the sum and its own fixed alpha."""

    system: System
    weight: float
    alpha: float


class MixedSystem(System):
    """What `load_system` gives for a card with `mix`.

    Attributes:
        members: in the card's order.
    """

    def __init__(self, card: SystemCard, members: Sequence[Member]) -> None:
        super().__init__(card, None, head_hash="")
        self.members = tuple(members)

    @property
    def parts(self) -> tuple[System, ...]:
        """Its members' systems."""
        return tuple(member.system for member in self.members)

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of its members: what a match rests on."""
        return tuple(member.system.name for member in self.members)

    @property
    def alpha(self) -> bool:
        """Never: each member's alpha is part of the recipe."""
        return False

    @cached_property
    def identity(self) -> str:
        """Equal only if members, weights and alphas are."""
        rows = [{"system": m.system.identity, "weight": m.weight, "alpha": m.alpha} for m in self.members]
        return settings_hash({"mix": rows})

    @property
    def head(self) -> NoReturn:
        """A mixture has none. Raises UsageError."""
        raise UsageError(
            f"system {self.name} is a mixture and has no head of its own; use one of {', '.join(self.branches)}"
        )

    def embed_text(self, texts: Sequence[str] | str, target: Modality = Modality.AUDIO) -> BranchedEmbeddings:
        """Words in the space of the first member that knows any. Raises UsageError: none does, or unknown words."""
        return next((part for part in self.parts if part.card.text), self.parts[0]).embed_text(texts, target)

    def backbone(self, modality: Modality) -> Backbone:
        """The first member's."""
        return self.parts[0].backbone(modality)

    def recipe(self, modality: Modality) -> JsonDict:
        """The first member's."""
        return self.parts[0].recipe(modality)

    def features_of_file(self, path: Path | str, modality: Modality) -> SegmentFeatures:
        """The first member's."""
        return self.parts[0].features_of_file(path, modality)

    def store_meta(self) -> JsonDict:
        """The first member's."""
        return self.parts[0].store_meta()

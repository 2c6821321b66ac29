"""Which weights a system card needs, and which of them are not here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mvr.backbones.backbone import backbone_kind
from mvr.backbones.weights.files import status

if TYPE_CHECKING:
    from mvr.config.cards import BackboneCard, SystemCard


def weights_of_backbone(card: BackboneCard) -> str | None:
    """Name of the weights that a backbone with these options needs; None for none, or for a local file."""
    return None if card.options.get("weights") else backbone_kind(card.name).weights(card.options)


def weights_of_card(card: SystemCard) -> list[str]:
    """Names of the published weights that a system needs, each once."""
    names = [weights_of_backbone(backbone) for backbone in (card.video, card.audio) if backbone is not None]
    return sorted({name for name in names if name is not None})


def missing_weights(card: SystemCard) -> list[str]:
    """One sentence per set of weights that a system lacks; empty when all are here and accepted."""
    sentences = [status(name).lacks for name in weights_of_card(card)]
    for backbone in (card.video, card.audio):
        own = backbone.options.get("weights") if backbone is not None else None
        if own and not Path(own).exists():
            sentences.append(f"the weights file {own} does not exist")
    return sorted({sentence for sentence in sentences if sentence})

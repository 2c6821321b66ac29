"""How long a system will take to embed a file here, told before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mvr.backbones.cost import estimate_seconds
from mvr.datatypes import Modality
from mvr.embeddings.segments import segments_of

if TYPE_CHECKING:
    from mvr.config.cards import SystemCard


def expected_seconds(
    card: SystemCard, modality: Modality, duration_s: float, device: str = "auto"
) -> float | None:
    """Seconds that the card's backbone will need for an item, from its arithmetic and this machine's matrix rate.

    Args:
        card: the system.
        modality: what the item is.
        duration_s: its length.
        device: auto, cpu or cuda.

    Returns:
        Seconds without reading the file and loading the model: 0 for a backbone without a network, None where the
        arithmetic is not known.
    """
    backbone = card.video if modality is Modality.VIDEO else card.audio
    if backbone is None:
        return 0.0
    segments = segments_of(duration_s, modality, card.segments)
    return estimate_seconds(
        backbone, modality, segments=len(segments), segment_s=segments[0].duration_s, device=device
    )

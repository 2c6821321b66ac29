"""How an item is cut into segments before embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mvr.datatypes import Modality, Segment

if TYPE_CHECKING:
    from mvr.config.cards import SegmentCard


def cut_segments(duration_s: float, length_s: float | None, hop_s: float | None) -> tuple[Segment, ...]:
    """Overlapping segments that cover an item from start to end.

    Args:
        duration_s: length of the item.
        length_s: length of a segment; None: one segment, the whole item.
        hop_s: from one start to the next; None: `length_s`, no overlap.

    The last segment ends where the item ends, so the end is covered too; it is left out when less than half a
    hop would be new. An item shorter than one segment is one segment.

    >>> [(s.start_s, s.end_s) for s in cut_segments(23.0, 10.0, 5.0)]
    [(0.0, 10.0), (5.0, 15.0), (10.0, 20.0), (13.0, 23.0)]
    """
    if length_s is None or duration_s <= length_s:
        return (Segment(start_s=0.0, end_s=duration_s),)
    hop = hop_s or length_s
    count = int((duration_s - length_s) / hop + 1e-9) + 1
    starts = [index * hop for index in range(count)]
    if duration_s - (starts[-1] + length_s) >= hop / 2:
        starts.append(duration_s - length_s)
    return tuple(Segment(start_s=start, end_s=start + length_s) for start in starts)


def segments_of(duration_s: float, modality: Modality, card: SegmentCard) -> tuple[Segment, ...]:
    """Segments of an item as a system's card wants them."""
    if modality is Modality.VIDEO:
        return cut_segments(duration_s, card.video_s, card.video_hop_s)
    return cut_segments(duration_s, card.audio_s, card.audio_hop_s)

"""Pieces of music on a grid of frames: cuts have no gap and no overlap, and nothing is taken beyond the track's end."""

from __future__ import annotations

from dataclasses import dataclass

from mvr.delivery.frames import FrameRate
from mvr.delivery.plan import Piece


@dataclass(frozen=True, kw_only=True)
class FramedPiece:
    """A stretch of a track in whole frames; `start_s` and `source_start_s` are the exact times it was rounded from."""

    start: int
    source_start: int
    frames: int
    start_s: float
    source_start_s: float

    @property
    def end(self) -> int:
        """First frame of the clip after it."""
        return self.start + self.frames

    @property
    def source_end(self) -> int:
        """First frame of the track after it."""
        return self.source_start + self.frames


def framed(
    pieces: tuple[Piece, ...], rate: FrameRate, length: int, track_frames: int
) -> tuple[FramedPiece, ...]:
    """Pieces in whole frames.

    Starts and lengths are rounded first and ends follow from them: in, out, start and end rounded each for itself would
    leave a source of 201 frames on 200 of the timeline, which an editor plays as a change of speed.

    Args:
        pieces: in order.
        rate: of the sequence.
        length: of the clip, in frames.
        track_frames: whole frames of the track.
    """
    starts = [min(length, rate.frame_at(piece.start_s)) for piece in pieces]
    ends = [min(length, rate.frame_at(piece.start_s + piece.duration_s)) for piece in pieces]
    found = []
    for piece, start, end in zip(pieces, starts, ends, strict=True):
        source = min(rate.frame_at(piece.source_start_s), max(0, track_frames - 1))
        frames = min(end - start, track_frames - source)
        if frames > 0:
            found.append(
                FramedPiece(
                    start=start, source_start=source, frames=frames,
                    start_s=piece.start_s, source_start_s=piece.source_start_s,
                )
            )  # fmt: skip
    return tuple(found)

"""The sound of a file's segments, as networks for music take it: one channel at their rate, read once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mvr.datatypes import FloatArray, Segment
from mvr.errors import NoSound


def read_pieces(path: Path, segments: Sequence[Segment], rate_hz: int) -> list[FloatArray]:
    """Samples (n,) of each segment, the mean of the channels; shorter where the sound ends within one.

    Raises:
        NoSound: one begins after the sound has ended. MediaError: the file cannot be used.
    """
    from mvr.media.sound import read_sound

    begin_s = min(segment.start_s for segment in segments)
    end_s = max(segment.end_s for segment in segments)
    sound = read_sound(path, rate_hz, channels="mean", start_s=begin_s, duration_s=end_s - begin_s)
    pieces = []
    for segment in segments:
        first = round((segment.start_s - begin_s) * rate_hz)
        pieces.append(sound[first : first + round(segment.duration_s * rate_hz)])
        if len(pieces[-1]) == 0:
            raise NoSound("the sound ends before the segment begins")
    return pieces

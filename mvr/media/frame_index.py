"""Where frames lie, without reading a whole file: for a film of minutes of which seconds are looked at.

A whole MP4 that is not fragmented (`mvr.media.boxes.is_whole_mp4`) has a table of its frames, which FFmpeg has read
when the file is open. It names the key frames; between the one before a wanted time and that time, the packets are
listed as they are for other files from start to end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mvr.media.boxes import is_whole_mp4
from mvr.media.container import OpenMedia, opened
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits

if TYPE_CHECKING:
    from av.video.stream import VideoStream as AvVideoStream

_APART_S = 2.0  # wanted times that lie further apart are looked for one by one
_WORTHWHILE = 0.5  # of the film, at most, is to be listed so; else listing it once is as cheap
_Times = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FrameIndex:
    """Frames of a picture.

    Attributes:
        pts: ascending, in units of the stream's time base.
        keys: presentation times of key frames, ascending.
        times_s: of `pts`, from the start of the file.
        end_s: when the last frame that is listed ends.
        joined: parts with clocks of their own: a seek would land in the first.
        partial: only spans of the film are listed.
    """

    pts: list[int]
    keys: list[int]
    times_s: _Times
    end_s: float
    joined: bool = False
    partial: bool = False


def key_times_s(path: Path | OpenMedia, limits: MediaLimits = DEFAULT_LIMITS) -> _Times:
    """When the key frames of a film are shown, by its table, or a few frames later; none where it has no sure table."""
    with opened(path, limits) as media:
        stream = media.picture()
        if stream is None or media.late_s or not is_whole_mp4(media.path):
            return np.zeros(0)
        assert stream.time_base is not None
        pts = np.array(_key_pts(stream), np.float64)
        if (
            len(pts) > 1
        ):  # frames that are shown before a key frame but come after it delay all but the first one
            pts[1:] += max(0, *(_delay(media, stream, int(pts[i])) for i in (1, -1))) - (
                pts[0] - _first(stream)
            )
        return pts * float(stream.time_base) - media.start_s


def partial_index(media: OpenMedia, stream: AvVideoStream, times_s: Sequence[float]) -> FrameIndex | None:
    """The frames around some times; None where the file has no table, or too much of it would be listed anyway."""
    assert stream.time_base is not None
    if media.late_s or stream.duration is None or not is_whole_mp4(media.path):
        return None
    unit = float(stream.time_base)
    keys = np.array(_key_pts(stream))
    ends = stream.start_time or 0, (stream.start_time or 0) + stream.duration
    spans = _spans(np.clip((np.asarray(times_s) + media.start_s) / unit, *ends), _APART_S / unit)
    firsts = [max(0, int(np.searchsorted(keys, begin, side="right")) - 1) for begin, _ in spans]
    listed = sum(end - keys[first] for (_, end), first in zip(spans, firsts, strict=True)) if len(keys) else 0
    if not len(keys) or listed > _WORTHWHILE * stream.duration:
        return None
    found = _Frames(pts=set(), keys=set())
    for (begin, end), first in zip(spans, firsts, strict=True):
        while (
            not _list_span(media, stream, _Span(key=int(keys[first]), begin=begin, end=end), found)
            and first > 0
        ):
            first -= 1  # the table counts decoding times: this key frame is shown later than it says
    if not found.pts or not found.keys:
        return None
    ordered = sorted(found.pts)
    times = np.array(ordered, np.float64) * unit - media.start_s
    return FrameIndex(
        pts=ordered, keys=sorted(found.keys), times_s=times, end_s=float(times[-1]), partial=True
    )


def _first(stream: AvVideoStream) -> int:
    return stream.index_entries[0].timestamp


def _delay(media: OpenMedia, stream: AvVideoStream, key: int) -> int:
    """How long after its decoding time the key frame at or before `key` is shown."""
    media.container.seek(key, stream=stream, backward=True)
    packet = next(media.packets(stream), None)
    return 0 if packet is None or packet.pts is None or packet.dts is None else packet.pts - packet.dts


def _key_pts(stream: AvVideoStream) -> list[int]:
    """Presentation times of key frames, taken to be as long after their decoding times as the first one's."""
    entries = stream.index_entries
    if not len(entries) or stream.start_time is None:
        return []
    later = stream.start_time - entries[0].timestamp
    return [entry.timestamp + later for entry in entries if entry.is_keyframe and not entry.is_discard]


def _spans(wanted: _Times, apart: float) -> list[tuple[float, float]]:
    """First and last of each group of ascending times that lie no further apart than `apart`."""
    wanted = np.sort(wanted)
    cuts = np.flatnonzero(np.diff(wanted) > apart) + 1
    return [(float(group[0]), float(group[-1])) for group in np.split(wanted, cuts)]


@dataclass(frozen=True, kw_only=True)
class _Span:
    """A stretch of the stream, in its own time units, and the key frame to begin at."""

    key: int
    begin: float
    end: float


@dataclass(frozen=True, kw_only=True)
class _Frames:
    """Times of frames and of key frames that were found."""

    pts: set[int]
    keys: set[int]


def _list_span(media: OpenMedia, stream: AvVideoStream, span: _Span, into: _Frames) -> bool:
    """Add frames and key frames from a key frame to the end of a span; whether they begin before the span does."""
    assert stream.time_base is not None
    slack = 0.01 / float(
        stream.time_base
    )  # a frame that is shown a moment later may be taken for the wanted one
    media.container.seek(span.key, stream=stream, backward=True)
    pts: set[int] = set()
    for packet in media.packets(stream):
        if packet.pts is None or packet.dts is None or not packet.size:
            continue
        if packet.dts > span.end + slack:
            break
        if packet.is_keyframe:
            into.keys.add(packet.pts)
        if not packet.is_discard:
            pts.add(packet.pts)
    into.pts.update(pts)
    return bool(pts) and min(pts) <= span.begin

"""Sampling frames of a video, exactly and at the least cost.

One pass over the packets, without decoding, lists when each frame is shown and which frames are key frames.
Then the decoder seeks only where a later key frame lies between it and the next wanted frame, and otherwise
decodes on: never dearer than decoding everything, never the repeated work of a seek per frame. A frame that
is damaged is replaced by the one shown before it, and the times say which frame each image really is.
"""

from __future__ import annotations

import bisect
import gc
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mvr.errors import TooLarge, Truncated, UsageError
from mvr.media.container import OpenMedia, from_start, opened, require_decoder
from mvr.media.frame_index import FrameIndex, partial_index
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.picture import Image, PictureConverter, check_side, sane_aspect
from mvr.media.promise import check_complete, check_duration, promised_s
from mvr.media.refusals import no_picture, undecodable
from mvr.media.watching import points_of, present_watcher

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AvVideoStream

_SEEKABLE = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")  # a seek lands on the key frame that was asked for
_KEY_TRIES = 4
_SLACK_S = 1e-4  # times are rounded in containers


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Sampled frames as displayed.

    Attributes:
        images: (N, H, W, 3) uint8 RGB.
        times_s: (N,) when each of them is first shown, in seconds from the start of the file.
    """

    images: Image
    times_s: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.images)


def sample_frames(
    path: str | Path | OpenMedia,
    *,
    times_s: Sequence[float] | None = None,
    count: int | None = None,
    rate_hz: float | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    max_side_px: int | None = None,
    limits: MediaLimits = DEFAULT_LIMITS,
) -> Frames:
    """Frames at given times, or `count` uniformly spaced ones, or `rate_hz` per second.

    Args:
        path: the video; open already, it must not have been decoded yet, and its own limits count.
        times_s: times in any order; each gives the frame shown then, beyond the ends the first or last one.
        count: number of frames, at the middles of `count` equal parts of the span.
        rate_hz: frames per second, the first at the start of the span.
        start_s, end_s: the span for `count` and `rate_hz`; by default the whole picture.
        max_side_px: longest side of the images; larger frames are scaled down.
        limits: what the file may cost.

    Returns:
        N frames; where the video has fewer than asked for, frames repeat and `times_s` says so.

    Raises:
        UsageError: not exactly one of `times_s`, `count`, `rate_hz`, or an empty span.
        MediaError: any of its classes.
    """
    wish = _Wish(times_s=times_s, count=count, rate_hz=rate_hz, start_s=start_s, end_s=end_s)
    with opened(path, limits) as first:
        stream = open_picture(first)
        index = (times_s is not None and partial_index(first, stream, times_s)) or None
        if index is None:
            with from_start(first) as second:
                index = _index(second, open_picture(second))
        with from_start(first) as media:
            stream = open_picture(media)
            wanted = np.searchsorted(index.times_s, wish.times(index) + _SLACK_S, side="right") - 1
            wanted = np.clip(wanted, 0, len(index.times_s) - 1)
            aspect = sane_aspect(stream.sample_aspect_ratio)
            converter = PictureConverter(media.path, aspect, max_side_px, media.limits)
            reader = _Reader(media, stream, index, {index.pts[row] for row in wanted})
            return _collect(_decode(reader, sorted(set(wanted.tolist())), converter), wanted, converter)


@dataclass(frozen=True, kw_only=True)
class _Wish:
    times_s: Sequence[float] | None
    count: int | None
    rate_hz: float | None
    start_s: float
    end_s: float | None

    def __post_init__(self) -> None:
        if sum(x is not None for x in (self.times_s, self.count, self.rate_hz)) != 1:
            raise UsageError("give exactly one of times_s, count and rate_hz")
        if self.count is not None and self.count < 1:
            raise UsageError(f"count is {self.count}; at least 1 is needed")
        if self.rate_hz is not None and not 0 < self.rate_hz <= 240:
            raise UsageError(f"rate_hz is {self.rate_hz:g}; it must be above 0 and at most 240")
        if self.times_s is not None and (len(self.times_s) == 0 or not np.isfinite(self.times_s).all()):
            raise UsageError("times_s must hold at least one time and only finite ones")

    def times(self, index: FrameIndex) -> npt.NDArray[np.float64]:
        if self.times_s is not None:
            return np.asarray(self.times_s, np.float64)
        begin = max(self.start_s, float(index.times_s[0]))
        end = index.end_s if self.end_s is None else min(self.end_s, index.end_s)
        if not begin < end:
            raise UsageError(
                f"the span {self.start_s:g} s to {end:g} s is empty; the picture ends at {index.end_s:g} s"
            )
        if self.count is not None:
            return begin + (np.arange(self.count) + 0.5) * (end - begin) / self.count
        assert self.rate_hz is not None
        return begin + np.arange(max(1, int(np.ceil((end - begin) * self.rate_hz - 1e-6)))) / self.rate_hz


def open_picture(media: OpenMedia) -> AvVideoStream:
    """The stream that shows the picture, ready to be decoded.

    Raises:
        NoPicture, UnsupportedCodec, TooManyPixels: see `MediaError`.
    """
    stream = media.picture()
    if stream is None:
        raise no_picture(media.path)
    require_decoder(media.path, stream, "picture")
    check_side(media.path, (stream.width, stream.height), media.limits)
    stream.codec_context.thread_type = "AUTO"
    stream.codec_context.thread_count = media.limits.decoder_threads(stream.width * stream.height)
    return stream


def _index(media: OpenMedia, stream: AvVideoStream) -> FrameIndex:
    pts: set[int] = set()
    keys: set[int] = set()
    latest, last_duration = -math.inf, 0
    assert stream.time_base is not None
    above, below = stream.time_base.as_integer_ratio()  # fractions cost 4 us a packet
    header_s = (media.container.duration or 0) / 1e6
    for packet in media.packets(stream):
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None or not packet.size:
            continue
        if packet.is_keyframe:
            keys.add(time)
        if not packet.is_discard:
            if time > latest:
                latest, last_duration = time, packet.duration or 0
            pts.add(time)
            reached_s = time * above / below - media.start_s
            check_duration(media.path, reached_s, media.limits.video_s, header_s)
    if not pts:
        raise Truncated(f"{media.path.name}: the file ends before its first picture")
    first = min(keys, default=min(pts))  # nothing before the first key frame can be decoded
    ordered, unit = sorted(time for time in pts if time >= first) or sorted(pts), float(stream.time_base)
    times_s = np.array(ordered, np.float64) * unit - media.start_s
    step_s = last_duration * unit or (float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.04)
    check_complete(media.path, float(times_s[-1]) + step_s, promised_s(media, stream))
    return FrameIndex(
        pts=ordered,
        keys=sorted(keys),
        times_s=times_s,
        end_s=float(times_s[-1]) + step_s,
        joined=media.joins is not None,
    )


def times_of(media: OpenMedia, stream: AvVideoStream) -> Iterator[tuple[float, VideoFrame]]:
    """Every frame of a picture with its time in seconds from the start of the file.

    Raises:
        Truncated: there is none.
    """
    assert stream.time_base is not None
    unit, seen = float(stream.time_base), False
    for frame in media.pictures(stream):
        pts = frame.pts if frame.pts is not None else frame.dts
        if pts is not None:
            seen = True
            yield pts * unit - media.start_s, frame
    if not seen:
        raise undecodable(media.path)


def _decode(
    reader: _Reader, wanted: list[int], converter: PictureConverter
) -> Iterator[tuple[int, float, Image]]:
    """For each wanted row of the index, ascending: (row, time in seconds, image)."""
    for number, row in enumerate(wanted):
        if number == 2:  # PyAV ties a frame whose side data was read, which is the first one's, to itself
            gc.collect(1)
        frame = reader.frame_at(reader.index.pts[row])
        if frame is None:
            raise undecodable(reader.media.path)
        found = row, reader.time_s(frame), converter.convert(frame)
        del frame  # large ones are not held while the next is decoded
        yield found


class _Reader:
    """Walks forward through the frames of a stream, skipping ahead by key frames."""

    def __init__(self, media: OpenMedia, stream: AvVideoStream, index: FrameIndex, wanted: set[int]) -> None:
        self.wanted = wanted
        self.media = media
        self.stream = stream
        self.index = index
        self._see = present_watcher()
        assert stream.time_base is not None
        self._unit_s = float(stream.time_base)
        self.can_seek = media.container.format.name in _SEEKABLE and not index.joined and self._see is None
        self._late = round(
            media.late_s.get(stream.index, 0.0) / stream.time_base
        )  # a seek is by FFmpeg's clock
        self.shown: VideoFrame | None = None  # the latest frame at or before the wanted time
        self.ahead: VideoFrame | None = None  # the first frame after it, decoded but not wanted yet
        self._frames = self.media.pictures(self.stream, self.wanted)

    def _jump(self, pts: int) -> None:
        self.media.container.seek(pts + self._late, stream=self.stream, backward=True)
        self.shown = self.ahead = None
        self._frames = self.media.pictures(self.stream, self.wanted)

    def frame_at(self, pts: int) -> VideoFrame | None:
        """The frame shown at `pts`; None when no frame at all can be decoded from here on."""
        keys = self._keys_between(self._position(), pts)
        before = self.shown if keys else None  # else it is let go on the way
        for key in keys:
            self._jump(key)
            self._advance(pts)
            if self.shown is not None:
                return self.shown
        if keys:  # all of them damaged: what was shown before is right
            self.shown = before
        else:
            self._advance(pts)
        if self.shown is None and self.ahead is None and self.can_seek:  # damaged from here to the end
            self._jump(self.index.pts[0])
            self._advance(pts)
        return self.ahead if self.shown is None else self.shown

    def time_s(self, frame: VideoFrame) -> float:
        """When a frame is shown, from the start of the file."""
        return self._pts(frame) * self._unit_s - self.media.start_s

    def _advance(self, pts: int) -> None:
        while self.ahead is None or self._pts(self.ahead) <= pts:
            if self.ahead is not None:
                self.shown = self.ahead
                if self._pts(self.shown) == pts:  # exactly what is wanted: do not decode one more
                    self.ahead = None
                    return
            self.ahead = next(self._frames, None)
            if self.ahead is None:
                return
            if self._see is not None:
                self._see(self.time_s(self.ahead), points_of(self.ahead))

    def _position(self) -> int:
        at = [self._pts(frame) for frame in (self.shown, self.ahead) if frame is not None]
        start = self.index.keys[0] if self.index.keys else self.index.pts[0]
        return max(at, default=start - 1 if self.index.partial else start)

    def _keys_between(self, position: int, pts: int) -> list[int]:
        """Key frames worth seeking to, the nearest first; more than one because it may be damaged."""
        if not self.can_seek:
            return []
        at = bisect.bisect_right(self.index.keys, pts)
        return [key for key in self.index.keys[max(0, at - _KEY_TRIES) : at] if key > position][::-1]

    def _pts(self, frame: VideoFrame) -> int:
        if frame.pts is not None:
            return frame.pts
        return frame.dts if frame.dts is not None else self.index.pts[0]


def _collect(
    decoded: Iterator[tuple[int, float, Image]],
    wanted: npt.NDArray[np.intp],
    converter: PictureConverter,
) -> Frames:
    images: Image | None = None
    times = np.zeros(len(wanted), np.float64)
    for row, time_s, image in decoded:
        if images is None:
            images = _allocate(len(wanted), image, converter)
        places = np.flatnonzero(wanted == row)
        images[places] = image
        times[places] = time_s
    assert images is not None
    return Frames(images=images, times_s=times)


def _allocate(count: int, image: Image, converter: PictureConverter) -> Image:
    needed_mb = count * image.nbytes / 1e6
    if needed_mb > converter.limits.memory_mb:
        raise TooLarge(
            f"{converter.path.name}: {count} frames of {image.shape[1]} x {image.shape[0]} pixels need "
            f"{needed_mb:.0f} MB; at most {converter.limits.memory_mb:g} MB are allowed, ask for fewer or smaller"
        )
    return np.empty((count, *image.shape), np.uint8)

"""Looking at the frames that are decoded anyway: one pass over a picture, several that look on.

    with watching(watcher.see):
        system.features_of_file(clip, Modality.VIDEO)      # decodes what it needs; `watcher` sees all of it

or, where nothing else is to be decoded, `watch_pictures(clip, watcher.see)`. A look is at a thumbnail of 48
x 27 points.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mvr.media.container import open_media
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Thumb = npt.NDArray[np.uint8]
See = Callable[[float, Thumb], None]
"""Called with a time in seconds from the start of the file and a thumbnail (27, 48, 3) of luma, Cb, Cr."""

WIDE, HIGH = 48, 27
_POINTS = (2, 1, 1)  # of luma, Cb, Cr, read per side of a thumbnail's point
_PLANAR: dict[str, type[np.uint8 | np.uint16]] = {
    "yuv420p": np.uint8, "yuvj420p": np.uint8, "yuv422p": np.uint8, "yuvj422p": np.uint8, "yuv444p": np.uint8,
    "yuvj444p": np.uint8, "yuv420p10le": np.uint16, "yuv422p10le": np.uint16, "yuv444p10le": np.uint16,
}  # fmt: skip
_watcher: ContextVar[See | None] = ContextVar("watcher", default=None)


@contextlib.contextmanager
def watching(see: See) -> Iterator[None]:
    """Every frame that is decoded in this context is shown to `see`, ascending; seeking is left out meanwhile."""
    token = _watcher.set(see)
    try:
        yield
    finally:
        _watcher.reset(token)


def present_watcher() -> See | None:
    """Who looks on in this context."""
    return _watcher.get()


def watch_pictures(
    path: str | Path,
    see: See,
    limits: MediaLimits = DEFAULT_LIMITS,
    progress: Callable[[float], None] | None = None,
    *,
    until_s: float | None = None,
) -> None:
    """Decode a whole picture once and show every frame of it.

    Args:
        path: the video.
        see: called for every frame.
        limits: what the file may cost.
        progress: called with the share done, 0 to 1, about once a second of the film.
        until_s: where to stop; None: at the end.

    Raises:
        MediaError: any of its classes.
    """
    from mvr.media.frames import open_picture, times_of
    from mvr.media.promise import check_duration

    with open_media(path, limits) as media:
        stream = open_picture(media)
        length_s = (media.container.duration or 0) / 1e6
        reported_s = 0.0
        for time_s, frame in times_of(media, stream):
            if until_s is not None and time_s >= until_s:
                return
            check_duration(media.path, time_s, limits.video_s, length_s)
            see(time_s, thumbnail(frame))
            if progress is not None and length_s and time_s - reported_s >= 1:
                reported_s = time_s
                progress(min(1.0, time_s / length_s))


def thumbnail(frame: VideoFrame) -> Thumb:
    """A frame as (27, 48, 3) luma, Cb, Cr: means of points read from its planes, or FFmpeg's for rare formats."""
    kind = _PLANAR.get(frame.format.name)
    if kind is None or frame.width < 4 * WIDE or frame.height < 4 * HIGH:
        small = frame.reformat(WIDE, HIGH, "yuv444p", interpolation="AREA")
        return np.ascontiguousarray(small.to_ndarray().transpose(1, 2, 0))
    planes = [_reduced(plane, kind, points) for plane, points in zip(frame.planes, _POINTS, strict=False)]
    thumb = np.empty((HIGH, WIDE, 3), np.uint8)
    for number, plane in enumerate(planes):
        thumb[..., number] = plane
    return thumb


def _reduced(plane: Any, kind: type[np.uint8 | np.uint16], points: int) -> Thumb:
    """Every point of a thumbnail as the mean of `points` x `points` samples of a plane, read where they lie."""
    width = plane.line_size // np.dtype(kind).itemsize
    samples: npt.NDArray[Any] = np.frombuffer(plane, kind).take(
        _places(plane.height, plane.width, width, points)
    )
    if points == 1:
        single: Thumb = (samples if kind is np.uint8 else samples >> 2).astype(np.uint8)
        return single
    total = samples[0, 0].astype(np.uint16)
    for row in range(points):
        for column in range(points):
            if row or column:
                total += samples[row, column]
    mean: Thumb = (total // (points**2 if kind is np.uint8 else 4 * points**2)).astype(np.uint8)
    return mean


@lru_cache(maxsize=16)
def _places(height: int, width: int, line: int, points: int) -> npt.NDArray[np.intp]:
    """Where in a plane's memory the samples lie: (points, points, 27, 48), or (27, 48) for one point."""
    down = ((np.arange(HIGH * points) + 0.5) * height / (HIGH * points)).astype(np.intp) * line
    across = ((np.arange(WIDE * points) + 0.5) * width / (WIDE * points)).astype(np.intp)
    grid = (down[:, None] + across).reshape(HIGH, points, WIDE, points)
    places: npt.NDArray[np.intp] = np.ascontiguousarray(grid.transpose(1, 3, 0, 2))
    return places[0, 0] if points == 1 else places

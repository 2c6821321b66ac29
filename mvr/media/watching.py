"""Looking at the frames that are decoded anyway: one pass over a picture, several that look on.

    with watching(watcher.see):
        system.features_of_file(clip, Modality.VIDEO)      # decodes what it needs; `watcher` sees all of it

or, where nothing else is to be decoded, `watch_pictures(clip, watcher.see)`. A look is at 48 x 27 points, read
where they lie: nothing is computed per frame, whoever looks does that for many frames at once.
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

from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.progress import within

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Points = npt.NDArray[np.uint8]
See = Callable[[float, Points], None]
"""Called with a time in seconds from the start of the file and points (6, 27, 48): four samples of luma that lie
around each point, one of Cb, one of Cr."""

WIDE, HIGH = 48, 27
LONG_S = 30.0  # of longer films the frames that are decoded for a list leave gaps
_LUMA = 4  # samples of a point
_PLANAR: dict[str, type[np.uint8 | np.uint16]] = {
    "yuv420p": np.uint8, "yuvj420p": np.uint8, "yuv422p": np.uint8, "yuvj422p": np.uint8, "yuv444p": np.uint8,
    "yuvj444p": np.uint8, "yuv420p10le": np.uint16, "yuv422p10le": np.uint16, "yuv444p10le": np.uint16,
}  # fmt: skip
_watcher: ContextVar[See | None] = ContextVar("watcher", default=None)


@contextlib.contextmanager
def watching(see: See) -> Iterator[None]:
    """Every frame that is decoded in this context is shown to `see`, ascending; seeking is left out meanwhile."""
    with within(_watcher, see):
        yield


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

    In long films frames that no other frame is made from are not smoothed at the edges of blocks (H.264, HEVC): that
    saves some 5 % of decoding, moves no cut and leaves curves alike within a thousandth (correlation).

    Raises:
        MediaError: any of its classes.
    """
    from mvr.media.container import open_media
    from mvr.media.frames import open_picture, times_of
    from mvr.media.promise import check_duration

    with open_media(path, limits) as media:
        stream = open_picture(media)
        length_s = (media.container.duration or 0) / 1e6
        if length_s > LONG_S:
            stream.codec_context.options = {"skip_loop_filter": "noref"}
        reported_s = 0.0
        for time_s, frame in times_of(media, stream):
            if until_s is not None and time_s >= until_s:
                return
            check_duration(media.path, time_s, limits.video_s, length_s)
            see(time_s, points_of(frame))
            if progress is not None and length_s and time_s - reported_s >= 1:
                reported_s = time_s
                progress(min(1.0, time_s / length_s))


def points_of(frame: VideoFrame) -> Points:
    """A frame's points (6, 27, 48), see `See`; means by FFmpeg for rare formats and small pictures."""
    kind = _PLANAR.get(frame.format.name)
    if kind is None or frame.width < 4 * WIDE or frame.height < 4 * HIGH:
        small = frame.reformat(WIDE, HIGH, "yuv444p", interpolation="AREA").to_ndarray()
        return np.repeat(small, (_LUMA, 1, 1), axis=0)
    luma, *chroma = frame.planes[:3]
    points = np.empty((_LUMA + 2, HIGH, WIDE), np.uint8)
    if kind is np.uint8:
        _read(luma, kind, 2, points[:_LUMA])
        for row, plane in enumerate(chroma, _LUMA):
            _read(plane, kind, 1, points[row])
    else:  # ten bits: means are taken before they are rounded to eight
        points[:_LUMA] = _read(luma, kind, 2).sum(axis=0, dtype=np.uint16) // (4 * _LUMA)
        for row, plane in enumerate(chroma, _LUMA):
            points[row] = _read(plane, kind, 1) >> 2
    return points


def _read(
    plane: Any, kind: type[np.uint8 | np.uint16], side: int, out: Points | None = None
) -> npt.NDArray[Any]:
    """`side` x `side` samples of a plane for every point, (side^2, 27, 48), or (27, 48) for one."""
    places = _places(plane.height, plane.width, plane.line_size // np.dtype(kind).itemsize, side)
    # "clip" because the default checks places that are right, by way of a copy
    samples: npt.NDArray[Any] = np.frombuffer(plane, kind).take(places, out=out, mode="clip")
    return samples


@lru_cache(maxsize=16)
def _places(height: int, width: int, line: int, side: int) -> npt.NDArray[np.intp]:
    """Where in a plane's memory the samples lie, as `_read` gives them."""
    down = ((np.arange(HIGH * side) + 0.5) * height / (HIGH * side)).astype(np.intp) * line
    across = ((np.arange(WIDE * side) + 0.5) * width / (WIDE * side)).astype(np.intp)
    grid = (down[:, None] + across).reshape(HIGH, side, WIDE, side).transpose(1, 3, 0, 2)
    places: npt.NDArray[np.intp] = np.ascontiguousarray(grid.reshape(side**2, HIGH, WIDE))
    return places[0] if side == 1 else places

"""Video -> ImageBind's views: 2 frames from each of some 2 s clips, in crops along the longer side.

The published loader decodes whole clips into memory; here only the two frames of a clip are decoded, by seeking
(`mvr.media.frames`), a few at a time. MVBind removes black borders first (arXiv:2405.09286).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from mvr.backbones.imagebind.stems import FRAMES, IMAGE_PX
from mvr.backbones.pictures import centre_squares, crops_along, normalise
from mvr.datatypes import FloatArray, Segment
from mvr.errors import UsageError

if TYPE_CHECKING:
    from mvr.media.probe import VideoStream

Pixels = npt.NDArray[np.uint8]
_Sides = tuple[float, float, float, float]  # left, top, right, bottom in shares of width and height
_FRAMES_MB = 256  # decoded frames held at once: ten of 3840 x 2160
_BORDER_FRAMES, _BORDER_SIDE_PX = 8, 480


@dataclass(frozen=True, kw_only=True)
class VideoViews:
    """Which parts of a video the model sees; the defaults are the published loader's.

    Attributes:
        clips: number of clips, spread evenly over a segment, both ends included.
        clip_s: length of a clip; its first and last frame are used.
        crops: 3 (left, centre, right) or 1 (centre).
        remove_borders: crop black borders before anything else (MVBind).
    """

    clips: int = 5
    clip_s: float = 2.0
    crops: int = 3
    remove_borders: bool = False

    def __post_init__(self) -> None:
        if self.clips < 1 or self.crops not in (1, 3) or not self.clip_s > 0:
            raise UsageError(
                f"clips={self.clips}, clip_s={self.clip_s}, crops={self.crops}: give at least 1 clip of some "
                "length in 1 or 3 crops"
            )


def preprocess_video(
    path: str | Path, segments: Sequence[Segment] | None = None, settings: VideoViews | None = None
) -> FloatArray:
    """Views of segments of one video.

    Args:
        path: the video.
        segments: time spans; None is the whole video as one segment.
        settings: number of clips and crops, borders.

    Returns:
        (S, clips * crops, 3, 2, 224, 224) float32, normalised; clip-major: (clip 0: left, centre, right), ...

    Raises:
        MediaError: the file cannot be used.
    """
    from mvr.media.probe import probe

    settings, info = settings or VideoViews(), probe(path, needs=("picture",))
    segments = [Segment(start_s=0.0, end_s=info.duration_s)] if segments is None else segments
    stream = info.video
    assert stream is not None
    times_s = [time for segment in segments for time in frame_times(segment, stream.frame_rate_hz, settings)]
    crops = [
        normalise(crops_along(image, IMAGE_PX, settings.crops))
        for image in _images(path, times_s, stream, settings)
    ]
    frames = torch.stack(crops).view(
        len(segments), settings.clips, FRAMES, settings.crops, 3, IMAGE_PX, IMAGE_PX
    )
    views = frames.permute(0, 1, 3, 4, 2, 5, 6).flatten(1, 2)
    out: FloatArray = views.contiguous().numpy()
    return out


def preprocess_image(image: Pixels) -> FloatArray:
    """A still picture (H, W, 3) uint8 RGB -> (3, 224, 224) float32: shorter side bicubic, centre crop, normalised."""
    square = torch.from_numpy(centre_squares(image[None], IMAGE_PX)[0]).permute(2, 0, 1).float() / 255
    out: FloatArray = normalise(square).numpy()
    return out


def frame_times(segment: Segment, frame_rate_hz: float | None, settings: VideoViews) -> list[float]:
    """Times at which the 2 x clips frames of one segment are shown.

    A clip holds the frames k with start <= k / rate < end; where the rate is not known, the frames shown at its
    start and just before its end. Each time lies in the middle of its frame.

    >>> frame_times(Segment(start_s=0.0, end_s=4.0), 10.0, VideoViews(clips=2))
    [0.05, 1.95, 2.05, 3.95]
    """
    duration_s = segment.duration_s
    if frame_rate_hz:  # the loader counts frames; a container's duration is rounded up, or is the sound's
        duration_s = max(1, int(duration_s * frame_rate_hz + 0.01)) / frame_rate_hz
    length_s = min(settings.clip_s, duration_s)
    starts = np.linspace(0.0, duration_s - length_s, settings.clips)
    if settings.clips == 1:
        starts = np.array([(duration_s - length_s) / 2])
    times = []
    for start in (segment.start_s + starts).tolist():
        if not frame_rate_hz:
            times += [start, max(start, start + length_s - 1e-3)]
            continue
        first = math.ceil(start * frame_rate_hz - 1e-6)
        last = max(first, math.ceil((start + length_s) * frame_rate_hz - 1e-6) - 1)
        times += [(first + 0.5) / frame_rate_hz, (last + 0.5) / frame_rate_hz]
    return times


def _images(
    path: str | Path, times_s: list[float], stream: VideoStream, settings: VideoViews
) -> Iterator[Pixels]:
    """Frames (H, W, 3) uint8 at `times_s`, a few decoded at a time, borders removed where that is wanted."""
    from mvr.media.frames import sample_frames

    at_once = max(2, int(_FRAMES_MB * 1e6 / (stream.width_px * stream.height_px * 3)))
    box: _Sides | None = None
    for begin in range(0, len(times_s), at_once):
        frames = sample_frames(path, times_s=times_s[begin : begin + at_once]).images
        if settings.remove_borders and box is None:
            box = _inner_box(frames if len(frames) == len(times_s) else None, path, times_s)
        for image in frames:
            yield image if box is None else _cut(image, box)


def _inner_box(frames: Pixels | None, path: str | Path, times_s: list[float]) -> _Sides:
    """Sides of the picture without its borders, found on small copies of the frames, or of 8 spread like them.

    Args:
        frames: all frames that will be used; None where only a part of them is decoded.
        path, times_s: where to take others from when there are too few to see through a fade.
    """
    from mvr.media.borders import detect_borders
    from mvr.media.frames import sample_frames

    if frames is not None and len(frames) >= _BORDER_FRAMES:
        step = math.ceil(max(frames.shape[1:3]) / _BORDER_SIDE_PX)
        small = frames[:, ::step, ::step]
    else:
        spread = np.linspace(times_s[0], times_s[-1], _BORDER_FRAMES).tolist()
        small = sample_frames(path, times_s=spread, max_side_px=_BORDER_SIDE_PX).images
    box, (height, width) = detect_borders(small), small.shape[1:3]
    return box.left / width, box.top / height, box.right / width, box.bottom / height


def _cut(image: Pixels, sides: _Sides) -> Pixels:
    """The part of an image (H, W, 3) inside shares of its width and height, rounded inwards."""
    left, top, right, bottom = sides
    height, width = image.shape[:2]
    first_row, first_column = math.ceil(top * height - 1e-6), math.ceil(left * width - 1e-6)
    return image[first_row : int(bottom * height + 1e-6), first_column : int(right * width + 1e-6)]

"""Picture descriptors: colour, texture, motion, cuts of up to 15 seconds of frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mvr.backbones.backbone import check_features
from mvr.backbones.descriptors import colour, motion
from mvr.backbones.descriptors.dimension import Dimension, clip_to
from mvr.config.settings import settings_from
from mvr.datatypes import FloatArray, JsonDict, Modality, Segment

if TYPE_CHECKING:
    from mvr.media.container import OpenMedia

VERSION = 2  # part of the settings hash: raise it whenever a number changes
Pixels = npt.NDArray[np.uint8]
_TOGETHER = 32  # frames that are squeezed at once: of more, what lies between would leave the cache


@dataclass(frozen=True, kw_only=True)
class VideoSettings:
    """How a clip becomes frames.

    Attributes:
        windows, window_frames, rate_hz: `windows` runs of `window_frames` frames at `rate_hz`, spread evenly;
            5 x 24 frames at 8 Hz are all of a 15 s clip. Runs of a shorter clip overlap.
        side_px: frames are squeezed to this square; a multiple of 16.
        borders: cut off constant black borders first (MVBind's preprocessing).
    """

    windows: int = 5
    window_frames: int = 24
    rate_hz: float = 8.0
    side_px: int = 64
    borders: bool = True


class VideoDescriptors:
    """The picture half of `descriptors`; a row of `preprocess` is (windows, frames, side, side, 3)."""

    name = "descriptors"
    modality = Modality.VIDEO

    def __init__(self, **options: Any) -> None:
        self._settings = settings_from(VideoSettings, options)
        assert self._settings.side_px % 16 == 0, self._settings.side_px
        self.dim = len(self.dimensions())

    @property
    def settings(self) -> JsonDict:
        """What changes the output."""
        return {"version": VERSION, **dataclasses.asdict(self._settings)}

    @property
    def window_s(self) -> float:
        """Length of one run of frames."""
        return self._settings.window_frames / self._settings.rate_hz

    def times_s(self, segment: Segment, keys_s: npt.ArrayLike = ()) -> npt.NDArray[np.float64]:
        """Times (windows, window_frames) at which a segment is looked at.

        A segment shorter than one window is played forth and back to fill it, which adds no cut. Where windows lie
        apart, each begins at the last key frame of its gap, for nothing need be decoded before one.

        Args:
            segment: what is looked at.
            keys_s: when key frames are shown, ascending, from the start of the file; none are known by default.
        """
        s = self._settings
        step = 1 / s.rate_hz
        spare = max(0.0, segment.duration_s - s.window_frames * step)
        starts = np.round(np.linspace(0, spare, s.windows) * s.rate_hz) / s.rate_hz  # windows share frames
        starts = _at_keys(starts, np.asarray(keys_s) - segment.start_s, s.window_frames * step)
        offsets = np.arange(s.window_frames) * step
        inside = max(1, int(np.floor(min(segment.duration_s, s.window_frames * step) * s.rate_hz + 1e-6)))
        order = np.concatenate([np.arange(inside), np.arange(inside)[::-1]])
        offsets = offsets[np.resize(order, s.window_frames)]
        # the middle of each step: a clip's very first frame is often black, its last one often missing
        return segment.start_s + starts[:, None] + offsets + min(step, segment.duration_s) / 2

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> npt.NDArray[Any]:
        """Frames of a file, (S, windows, window_frames, side, side, 3) uint8 RGB.

        Raises:
            MediaError: the file cannot be used or has no picture.
        """
        from mvr.media.container import open_media
        from mvr.media.frame_index import key_times_s
        from mvr.media.limits import DEFAULT_LIMITS

        apart = max(segment.duration_s for segment in segments) > self._settings.windows * self.window_s
        with open_media(path, DEFAULT_LIMITS) as media:
            keys_s = key_times_s(media) if apart else ()
            return self.frames_at(media, np.stack([self.times_s(segment, keys_s) for segment in segments]))

    def frames_at(self, path: Path | OpenMedia, times_s: npt.NDArray[np.float64]) -> Pixels:
        """Frames at any array of times: its shape + (side, side, 3); equal times are decoded once."""
        from mvr.media.frames import sample_frames

        moments, place = np.unique(np.round(times_s, 4), return_inverse=True)
        images = sample_frames(path, times_s=moments.tolist(), max_side_px=2 * self._settings.side_px).images
        if self._settings.borders:
            from mvr.media.borders import crop, detect_borders

            images = crop(images, detect_borders(images))
        return squeeze(images, self._settings.side_px)[place.reshape(times_s.shape)]

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """Descriptors (S, dim) float32 of (S, windows, window_frames, side, side, 3) uint8 frames."""
        rows = [clip_to(describe_frames(row, self._settings.rate_hz), self.dimensions()) for row in batch]
        return check_features(np.stack(rows), self.name)

    @staticmethod
    def dimensions() -> tuple[Dimension, ...]:
        """Name, unit and range of every column."""
        return (*colour.DIMENSIONS, *motion.DIMENSIONS)


def _at_keys(
    starts: npt.NDArray[np.float64], keys: npt.NDArray[np.float64], window_s: float
) -> npt.NDArray[np.float64]:
    """Starts of windows, each moved back to the last key frame since the window before it ended, if there is one."""
    moved = starts.copy()
    for i in range(1, len(starts)):
        before = np.searchsorted(keys, starts[i] + 1e-6, side="right") - 1
        if before >= 0 and keys[before] >= starts[i - 1] + window_s:
            moved[i] = keys[before]
    return moved


def squeeze(images: Pixels, side_px: int) -> Pixels:
    """Frames (N, H, W, 3) resized to squares by area averaging (PIL box filter)."""
    return np.concatenate(
        [_squeezed(images[i : i + _TOGETHER], side_px) for i in range(0, len(images), _TOGETHER)]
    )


def _squeezed(images: Pixels, side_px: int) -> Pixels:
    """First lines, of all frames below each other, then columns, of all beside each other, which is what PIL does in
    either direction with one frame after the other, and takes half as long again then.
    """
    from PIL import Image

    box, (count, height, width, _) = Image.Resampling.BOX, images.shape
    below = Image.fromarray(images.reshape(count * height, width, 3)).resize((side_px, count * height), box)
    lines = np.asarray(below).reshape(count, height, side_px, 3).swapaxes(0, 1)
    beside = Image.fromarray(lines.reshape(height, count * side_px, 3)).resize(
        (count * side_px, side_px), box
    )
    return np.asarray(beside).reshape(side_px, count, side_px, 3).swapaxes(0, 1)


def describe_frames(frames: Pixels, rate_hz: float) -> FloatArray:
    """Descriptors (dim,) of frames (windows, F, side, side, 3)."""
    windows, count = frames.shape[:2]
    flat = frames.reshape(-1, *frames.shape[2:])
    few = np.ascontiguousarray(flat[:, ::2, ::2])
    bright = colour.lightness(flat)
    histograms = _histograms(few).reshape(windows, count, -1)
    return np.concatenate(
        [
            colour.describe(few, bright),
            motion.describe(bright.reshape(frames.shape[:4]), histograms, rate_hz),
        ]
    ).astype(np.float32)


def _histograms(few: Pixels) -> FloatArray:
    """Histograms (N, 48) of pixels (N, H, W, 3): 16 levels of red, green and blue, each frame sums to 1.

    A value shares itself between the two nearest levels, so that noise of a codec never moves a whole area.
    """
    count = len(few)
    pixels = few.reshape(count, -1, 3)
    code = pixels + 256 * (np.arange(3) + 3 * np.arange(count)[:, None, None])
    counts = np.bincount(code.ravel(), minlength=768 * count).reshape(count, 3, 256)
    shares: FloatArray = (
        (counts @ _nearest_levels() / (3 * pixels.shape[1])).astype(np.float32).reshape(count, 48)
    )
    return shares


@lru_cache(maxsize=1)
def _nearest_levels() -> npt.NDArray[np.float64]:
    """How each byte shares itself between 16 levels, (256, 16)."""
    place = np.arange(256, dtype=np.float32) / 17
    level = np.minimum(place.astype(np.int64), 14)
    upper, shares = place - level, np.zeros((256, 16))
    shares[np.arange(256), level], shares[np.arange(256), level + 1] = 1 - upper, upper
    return shares

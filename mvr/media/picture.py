"""From a decoded frame to what a person would see: upright, square pixels, standard dynamic range, RGB.

Orientation comes from the display matrix (ISO/IEC 14496-12, 8.3.2), the shape of a pixel from the sample
aspect ratio, colours from the matrix and range that the stream names (unnamed: BT.709 from 720 lines up, else
BT.601, as browsers do). PQ and HLG pictures are tone-mapped (`mvr.media.tonemap`).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from av.filter import Graph
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from mvr.errors import TooManyPixels
from mvr.media.limits import MediaLimits
from mvr.media.tonemap import Transfer, tone_map_filters

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Image = npt.NDArray[np.uint8]

_PQ, _HLG = 16, 18  # AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67
_MATRICES = {
    0: "rgb",
    1: "bt709",
    2: "unspecified",
    5: "bt601",
    6: "bt601",
    9: "bt2020",
    10: "bt2020",
}  # AVCOL_SPC_*


def transfer_of(frame: VideoFrame) -> Transfer:
    """The dynamic range of a frame, by its transfer characteristic."""
    return {_PQ: Transfer.PQ, _HLG: Transfer.HLG}.get(int(frame.color_trc), Transfer.SDR)


def color_matrix_of(frame: VideoFrame) -> str:
    """Name of the matrix between luma and chroma and RGB."""
    return _MATRICES.get(int(frame.colorspace), "other")


@dataclass(frozen=True, kw_only=True)
class Orientation:
    """How a stored picture is turned for display: transposed first, then mirrored along either axis."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def rotation_deg(self) -> int:
        """Clockwise turn in degrees: 0, 90, 180 or 270 (for a mirrored picture, the turn after mirroring)."""
        if self.transpose:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    @property
    def mirrored(self) -> bool:
        """Whether left and right are swapped beyond the turn."""
        return self.flip_x == self.flip_y if self.transpose else self.flip_x != self.flip_y

    def apply(self, image: Image) -> Image:
        """Turn (H, W, 3) into what is displayed.

        >>> stored = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
        >>> Orientation(transpose=True, flip_x=True).apply(stored)[..., 0]
        array([[3, 0],
               [4, 1],
               [5, 2]], dtype=uint8)
        """
        turned = image.transpose(1, 0, 2) if self.transpose else image
        turned = turned[:, ::-1] if self.flip_x else turned
        turned = turned[::-1] if self.flip_y else turned
        return np.ascontiguousarray(turned)


def orientation_of(frame: VideoFrame) -> Orientation:
    """The orientation that a frame's display matrix asks for; a degenerate matrix asks for none."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return Orientation()
    values = np.frombuffer(matrix, dtype=np.int32)[:9]  # type: ignore[call-overload]
    # row vectors: (x, y) -> (ax + cy, bx + dy)
    a, b, c, d = (int(values[i]) for i in (0, 1, 3, 4))
    if a * d - b * c == 0:
        return Orientation()
    if abs(b) > abs(a):
        return Orientation(transpose=True, flip_x=c < 0, flip_y=b < 0)
    return Orientation(flip_x=a < 0, flip_y=d < 0)


def display_size(
    width_px: int, height_px: int, sample_aspect: Fraction, orientation: Orientation
) -> tuple[int, int]:
    """Width and height on display: pixels made square by scaling the stored width, then turned.

    >>> display_size(640, 360, Fraction(2), Orientation(transpose=True, flip_x=True))
    (360, 1280)
    """
    wide = max(1, round(width_px * sample_aspect))
    return (height_px, wide) if orientation.transpose else (wide, height_px)


def sane_aspect(aspect: Fraction | None) -> Fraction:
    """The sample aspect ratio, 1 where the file has none; a nonsense one (beyond 1:10) counts as none."""
    if aspect is None or not Fraction(1, 10) <= aspect <= 10:
        return Fraction(1)
    return aspect


class PictureConverter:
    """Turns decoded frames of one stream into RGB arrays of one size.

    Args:
        path: the file, for messages.
        sample_aspect: shape of a stored pixel, width over height.
        max_side_px: longest side of the result; None keeps the display size. Never scales up.
        limits: the side limit, enforced for every frame because a stream may change its size.
    """

    def __init__(
        self, path: Path, sample_aspect: Fraction, max_side_px: int | None, limits: MediaLimits
    ) -> None:
        self.path = path
        self.sample_aspect = sample_aspect
        self.max_side_px = max_side_px
        self.limits = limits
        # size before turning, and the turn, fixed by the first frame: reading a frame's side data keeps it alive
        self._stored: tuple[int, int] | None = None
        self._orientation = Orientation()
        self._reformatter = VideoReformatter()
        self._tone_map: Graph | None = None
        self._tone_mapped: tuple[int, int, str] | None = None

    def convert(self, frame: VideoFrame) -> Image:
        """The displayed picture, (H, W, 3) uint8 RGB.

        Raises:
            TooManyPixels: the frame is larger than the limit.
        """
        check_side(self.path, (frame.width, frame.height), self.limits)
        if self._stored is None:
            self._stored, self._orientation = self._size(frame), orientation_of(frame)
        width, height = self._stored
        if transfer_of(frame) is not Transfer.SDR:
            frame = self._to_sdr(frame)
        rgb = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="gbrp",  # the same values as rgb24 in half the time: FFmpeg writes planes with vector code
            src_colorspace=_named_colorspace(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT,
            threads=1,
        )
        return self._orientation.apply(_interleaved(rgb))

    def _size(self, frame: VideoFrame) -> tuple[int, int]:
        width, height = display_size(frame.width, frame.height, self.sample_aspect, Orientation())
        check_side(self.path, (width, height), self.limits)
        longest = max(width, height)
        if self.max_side_px is None or longest <= self.max_side_px:
            return width, height
        scale = self.max_side_px / longest
        return max(1, round(width * scale)), max(1, round(height * scale))

    def _to_sdr(self, frame: VideoFrame) -> VideoFrame:
        key = (frame.width, frame.height, frame.format.name)
        if self._tone_map is None or self._tone_mapped != key:
            self._tone_map, self._tone_mapped = _tone_map_graph(frame), key
        self._tone_map.push(frame)
        mapped: VideoFrame = self._tone_map.pull()  # type: ignore[assignment]
        return mapped


def _interleaved(frame: VideoFrame) -> Image:
    """(H, W, 3) of planes of green, blue, red."""
    image = np.empty((frame.height, frame.width, 3), np.uint8)
    for channel, plane in zip((1, 2, 0), frame.planes, strict=True):
        lines = np.frombuffer(plane, np.uint8).reshape(frame.height, plane.line_size)  # type: ignore[call-overload]
        image[..., channel] = lines[:, : frame.width]
    return image


def check_side(path: Path, size: tuple[int, int], limits: MediaLimits) -> None:
    """Raise TooManyPixels for a picture wider or higher than the limit."""
    if max(size) > limits.side_px:
        raise TooManyPixels(
            f"{path.name}: the picture is {size[0]} x {size[1]} pixels; "
            f"at most {limits.side_px} on a side are accepted"
        )


def _named_colorspace(frame: VideoFrame) -> Colorspace | None:
    if color_matrix_of(frame) != "unspecified" or frame.format.is_rgb:
        return None  # the frame says it itself
    return Colorspace.ITU709 if min(frame.width, frame.height) >= 720 else Colorspace.ITU601


def _tone_map_graph(frame: VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add(
        "buffer",
        f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base=1/1000"
        f":colorspace={int(frame.colorspace)}:range={int(frame.color_range)}",
    )
    steps = [graph.add(name, options) for name, options in tone_map_filters(transfer_of(frame))]
    chain = [source, *steps, graph.add("buffersink")]
    for before, after in itertools.pairwise(chain):
        before.link_to(after)
    graph.configure()
    return graph

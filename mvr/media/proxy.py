"""A copy that every browser plays: H.264 yuv420p and AAC in MP4, index in front, within 1280 x 720 either way.

A picture that is already so is copied bit by bit; everything else is turned upright, made square-pixelled, tone-mapped
and encoded. The sound is read as for an export, so that both have it at the same time and level. Metadata (such as
where a phone clip was filmed) does not get into the copy.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mvr.config.outputs import written_whole
from mvr.errors import Truncated
from mvr.media.ffmpeg import Progress, run_ffmpeg
from mvr.media.frames import sample_frames
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.probe import MediaInfo, VideoStream, probe
from mvr.media.sound import stereo_blocks
from mvr.media.straight import picture_input
from mvr.media.tonemap import Transfer, tone_map_filters

if TYPE_CHECKING:
    from mvr.media.picture import Image

PROXY_SIDES_PX = (1280, 720)
_COPYABLE_FORMATS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")  # they give every packet its times
MP4_OUTPUT = (
    "-map_metadata",
    "-1",
    "-map_chapters",
    "-1",
    "-sn",
    "-dn",
    "-movflags",
    "+faststart",
    "-f",
    "mp4",
)
RATE_HZ = 48_000
AAC = ("-c:a", "aac", "-b:a", "192k")


def make_proxy(
    source: str | Path,
    out: str | Path,
    *,
    limits: MediaLimits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> MediaInfo:
    """Write the browser-safe copy of a video.

    Args:
        source: whatever was uploaded.
        out: the MP4 file to write; it appears only when it is complete.
        limits: what the source may cost.
        progress: called with the fraction done.

    Returns:
        What is in the copy.

    Raises:
        MediaError: any of its classes.
    """
    info = probe(source, limits, needs=("picture",))
    assert info.video is not None
    if fits(info.video, PROXY_SIDES_PX) and is_browser_safe(info):
        picture = ["-c:v", "copy"]
    else:
        picture = encode_arguments(info.video, PROXY_SIDES_PX)
    with (
        tempfile.TemporaryDirectory(prefix="mvr-") as folder,
        picture_input(info, limits) as (opened, shown),
        written_whole(out) as part,
    ):
        sound = [] if info.audio is None else _sound_input(info.path, Path(folder) / "sound.f32", limits)
        arguments = [
            *opened, *sound, "-map", shown, *picture,
            *(("-map", "1:0", *AAC) if sound else ("-an",)), *MP4_OUTPUT, f"file:{part.absolute()}",
        ]  # fmt: skip
        run_ffmpeg(arguments, info.path, limits.timeout_s, info.duration_s, progress)
        check_written(part, info, limits)
    return probe(out, limits)


def check_written(part: Path, source: MediaInfo, limits: MediaLimits) -> MediaInfo:
    """Probe what was written; raises Truncated where clearly less of the picture came out than went in."""
    written = probe(part, limits, needs=("picture",))
    if source.duration_s - written.duration_s > max(1.0, 0.2 * source.duration_s):
        raise Truncated(
            f"{source.path.name}: only {written.duration_s:.1f} of {source.duration_s:.1f} s could be converted; "
            "the file is damaged"
        )
    return written


def fits(video: VideoStream, sides_px: tuple[int, int]) -> bool:
    """Whether the picture is within the longer and the shorter side."""
    long, short = max(video.width_px, video.height_px), min(video.width_px, video.height_px)
    return long <= sides_px[0] and short <= sides_px[1]


def is_browser_safe(info: MediaInfo) -> bool:
    """Whether the picture may be copied: H.264 8 bit 4:2:0, at most turned, with sure times.

    Its pixels need not be square: browsers stretch by the aspect that the container says, where picture and container
    agree on it.
    """
    video = info.video
    return (
        video is not None
        and info.container in _COPYABLE_FORMATS
        and video.codec == "h264"
        and video.pixel_format in ("yuv420p", "yuvj420p")
        and video.aspect_is_sure
        and not video.mirrored
        and video.transfer is Transfer.SDR
        and not (video.coded_width_px % 2 or video.coded_height_px % 2)
    )


def encode_arguments(video: VideoStream, sides_px: tuple[int, int], crf: int = 23) -> list[str]:
    """ffmpeg arguments that encode a picture for browsers within the longer and the shorter side."""
    return [
        "-vf", f"{picture_filters(video, sides_px)},format=yuv420p", *_pace(video.frame_rate_hz),
        "-c:v", "libx264", "-preset", "veryfast", "-crf", str(crf), "-g", "60",
        "-profile:v", "high", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-max_muxing_queue_size", "4096",
    ]  # fmt: skip


def picture_filters(video: VideoStream, sides_px: tuple[int, int]) -> str:
    """ffmpeg's filters that bring a picture to square pixels of BT.709, SDR, within the longer and the shorter side."""
    width, height = fitted_size(video.width_px, video.height_px, sides_px)
    matrix = {"unspecified": "bt709" if min(video.coded_width_px, video.coded_height_px) >= 720 else "bt601"}
    source = matrix.get(video.color_matrix, "auto")
    colours = f"in_color_matrix={source}:out_color_matrix=bt709:out_range=tv"
    scale = f"scale={width}:{height}:flags=bicubic:{colours},setsar=1"
    tone_map = [] if video.transfer is Transfer.SDR else tone_map_filters(video.transfer)
    # what a frame says of itself (mastering display, light level) is of the picture as it was
    return ",".join([*(f"{name}={options}" for name, options in tone_map), scale, "sidedata=mode=delete"])


def _pace(frame_rate_hz: float | None) -> list[str]:
    """At most 60 frames a second; below that every frame stays at its time, which no grid of frames would do."""
    if frame_rate_hz is None or frame_rate_hz > 60.5:
        return ["-fpsmax", "60"]
    return ["-fps_mode", "vfr", "-enc_time_base", "demux"]


def fitted_size(width_px: int, height_px: int, sides_px: tuple[int, int]) -> tuple[int, int]:
    """The largest even size within the longer and the shorter side that keeps the shape; never scaled up.

    >>> fitted_size(2160, 3840, (1280, 720))
    (720, 1280)
    >>> fitted_size(1, 1, (1280, 720))
    (2, 2)
    """
    long, short = max(width_px, height_px), min(width_px, height_px)
    scale = min(1.0, sides_px[0] / long, sides_px[1] / short)
    return max(2, round(width_px * scale / 2) * 2), max(2, round(height_px * scale / 2) * 2)


def _sound_input(source: Path, raw: Path, limits: MediaLimits) -> list[str]:
    """ffmpeg arguments for the file's own sound as an export has it: gaps are silence, mono is as loud on both sides.

    Where not a sample can be decoded there is no sound to copy, and no arguments.
    """
    try:
        with raw.open("wb") as file:
            for block in stereo_blocks(source, RATE_HZ, limits):
                file.write(np.ascontiguousarray(block, "<f4").data)
    except Truncated:
        if not raw.stat().st_size:
            return []
    return ["-f", "f32le", "-ar", str(RATE_HZ), "-ac", "2", "-i", f"file:{raw}"]


def save_poster(
    source: str | Path,
    out_jpg: str | Path,
    *,
    time_s: float | None = None,
    max_side_px: int = 640,
    limits: MediaLimits = DEFAULT_LIMITS,
) -> None:
    """Write one frame as JPEG: the one at `time_s`, by default the one in the middle.

    Raises:
        MediaError: any of its classes.
    """
    wish = {"count": 1} if time_s is None else {"times_s": (time_s,)}
    frames = sample_frames(source, **wish, max_side_px=max_side_px, limits=limits)
    save_jpeg(frames.images[0], out_jpg)


def save_jpeg(image: Image, out_jpg: str | Path) -> None:
    """Write (H, W, 3) uint8 RGB as JPEG; the file appears only when it is complete."""
    from PIL import Image as PilImage

    with written_whole(out_jpg) as part:
        PilImage.fromarray(image).save(part, format="JPEG", quality=88)

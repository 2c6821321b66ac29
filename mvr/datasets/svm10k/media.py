"""A clip's pictures and its sound as two files, by the bundled ffmpeg.

Both begin where the clip's clock does, whichever of the two comes late (phones, broadcast streams), so that each file
read by itself still fits the other: a late picture shows its first frame from the start on, a late sound is silent
until it begins.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from mvr.config.outputs import written_whole
from mvr.media.ffmpeg import run_ffmpeg
from mvr.media.limits import ONE_THREAD
from mvr.media.probe import MediaInfo, probe
from mvr.media.sound import stereo_blocks
from mvr.media.straight import picture_input

_SOUND_HZ = 44_100


def write_pictures(source: Path, out: Path, borders: tuple[int, int, int, int] | None) -> None:
    """Pictures without sound as MP4: copied when they are H.264 already, else encoded, cut to `borders` if given."""
    info = probe(source, ONE_THREAD, needs=("picture",))
    assert info.video is not None
    if borders is None and info.video.codec == "h264" and info.video.pixel_format == "yuv420p":
        first = "setts=pts='if(eq(N,0),0,PTS)':dts='if(eq(N,0),min(DTS,0),DTS)'"
        codec = ["-c:v", "copy", "-bsf:v", first]
    else:
        filters = f"{_square_and_cut(info, borders)},setpts='if(eq(N,0),0,PTS)'"
        codec = ["-vf", filters, "-fps_mode", "vfr", "-enc_time_base", "demux"]
        codec += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
    with picture_input(info, ONE_THREAD) as (opened, stream):
        _convert(opened, out, ["-map", stream, "-an", *codec], info)


def write_sound(source: Path, out: Path) -> None:
    """Sound as stereo AAC, 44.1 kHz, 128 kbit/s."""
    info = probe(source, ONE_THREAD, needs=("sound",))
    with tempfile.TemporaryDirectory(prefix="mvr-") as folder:
        raw = Path(folder) / "sound.f32"
        with raw.open("wb") as file:
            for block in stereo_blocks(source, _SOUND_HZ, ONE_THREAD):
                file.write(np.ascontiguousarray(block, "<f4").data)
        opened = ["-f", "f32le", "-ar", str(_SOUND_HZ), "-ac", "2", "-i", f"file:{raw}"]
        _convert(opened, out, ["-c:a", "aac", "-b:a", "128k"], info)


def _square_and_cut(info: MediaInfo, borders: tuple[int, int, int, int] | None) -> str:
    """Filters in display coordinates (ffmpeg turns the picture first); sides even, as H.264 wants."""
    assert info.video is not None
    left, top, right, bottom = borders or (0, 0, info.video.width_px, info.video.height_px)
    width, height = max(2, (right - left) // 2 * 2), max(2, (bottom - top) // 2 * 2)
    square = f"scale={info.video.width_px}:{info.video.height_px},setsar=1"
    return f"{square},crop={width}:{height}:{left}:{top}"


def _convert(opened: list[str], out: Path, codec: list[str], info: MediaInfo) -> None:
    with written_whole(out) as part:
        run_ffmpeg(
            [*opened, *codec, "-map_metadata", "-1", "-movflags", "+faststart", str(part)],
            info.path,
            timeout_s=ONE_THREAD.timeout_s,
            duration_s=info.duration_s,
        )

"""A clip's pictures and its sound as two files, by the bundled ffmpeg."""

from __future__ import annotations

from pathlib import Path

from mvr.media.ffmpeg import input_arguments, run_ffmpeg, written_whole
from mvr.media.limits import ONE_THREAD
from mvr.media.probe import MediaInfo, probe


def write_pictures(source: Path, out: Path, borders: tuple[int, int, int, int] | None) -> None:
    """Pictures without sound as MP4: copied when they are H.264 already, else encoded, cut to `borders` if given."""
    info = probe(source, ONE_THREAD, needs=("picture",))
    assert info.video is not None
    if borders is None and info.video.codec == "h264" and info.video.pixel_format == "yuv420p":
        codec = ["-c:v", "copy"]
    else:
        codec = [
            "-vf",
            _square_and_cut(info, borders),
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-crf",
            "20",
        ]
        codec += ["-pix_fmt", "yuv420p"]
    _convert(source, out, ["-map", f"0:{info.video.index}", "-an", *codec], info)


def write_sound(source: Path, out: Path) -> None:
    """Sound as stereo AAC, 44.1 kHz, 128 kbit/s."""
    info = probe(source, ONE_THREAD, needs=("sound",))
    assert info.audio is not None
    codec = [
        "-map",
        f"0:{info.audio.index}",
        "-vn",
        "-c:a",
        "aac",
        "-b:a",
        "128k",
        "-ar",
        "44100",
        "-ac",
        "2",
    ]
    _convert(source, out, codec, info)


def _square_and_cut(info: MediaInfo, borders: tuple[int, int, int, int] | None) -> str:
    """Filters in display coordinates (ffmpeg turns the picture first); sides even, as H.264 wants."""
    assert info.video is not None
    left, top, right, bottom = borders or (0, 0, info.video.width_px, info.video.height_px)
    width, height = max(2, (right - left) // 2 * 2), max(2, (bottom - top) // 2 * 2)
    square = f"scale={info.video.width_px}:{info.video.height_px},setsar=1"
    return f"{square},crop={width}:{height}:{left}:{top}"


def _convert(source: Path, out: Path, codec: list[str], info: MediaInfo) -> None:
    with written_whole(out) as part:
        run_ffmpeg(
            [
                *input_arguments(source, ONE_THREAD),
                *codec,
                "-map_metadata",
                "-1",
                "-movflags",
                "+faststart",
                str(part),
            ],
            source,
            timeout_s=ONE_THREAD.timeout_s,
            duration_s=info.duration_s,
        )

"""Clips of known pictures, made by the bundled ffmpeg: every rate, uneven ones, turned ones, HEVC, long ones."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg

_RATES = ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
_HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
_UNEVEN = (
    "-vf", "settb=1/90000,setpts='(N/30.01+if(eq(mod(N,3),1),0.004,0))/TB'",
    "-fps_mode", "passthrough", "-enc_time_base", "1/90000", *_H264,
)  # fmt: skip


@dataclass(frozen=True)
class MadeClip:
    """A clip: what it is, its file, the rate it was made at and the one it should be cut at, its number of pictures."""

    name: str
    path: Path
    made_at: Fraction
    wanted: Fraction
    pictures: int
    drop_frame: bool = False


def make_clips(folder: Path) -> Iterator[MadeClip]:
    """Make one clip after another."""
    for text in _RATES:
        rate = Fraction(text)
        path = _make(folder / f"{text.replace('/', '-')} été #1.mp4", rate, 200, _H264)
        yield MadeClip("H.264", path, rate, rate, 200)
        if rate in (Fraction(30000, 1001), Fraction(60000, 1001)):
            yield MadeClip("H.264, drop-frame clock", path, rate, rate, 200, drop_frame=True)
    ntsc = Fraction(30000, 1001)
    hevc = _make(folder / "クリップ 100%.mp4", ntsc, 200, _HEVC)
    yield MadeClip("HEVC, name in Japanese", hevc, ntsc, ntsc, 200)
    turned = folder / "مقطع.mov"
    _ffmpeg("-display_rotation", 90, "-i", hevc, "-c", "copy", turned)
    yield MadeClip("HEVC, turned, name in Arabic", turned, ntsc, ntsc, 200)
    slow = _make(folder / "slow & odd;name.mp4", Fraction(15), 100, _H264)
    yield MadeClip("15 frames a second", slow, Fraction(15), Fraction(30), 100)
    uneven = _make(folder / "phone.mp4", Fraction(30), 1200, _UNEVEN)
    yield MadeClip("variable, 30.01 on average", uneven, Fraction("30.01"), Fraction(30), 1200)
    for minutes in (3, 10):
        for rate in (ntsc, Fraction(25), Fraction(60000, 1001)):
            pictures = int(rate * 60 * minutes)
            path = _make(folder / f"{minutes} min at {rate.numerator}.mp4", rate, pictures, _H264)
            yield MadeClip(f"{minutes} minutes", path, rate, rate, pictures, drop_frame=rate.denominator != 1)


def _make(path: Path, rate: Fraction, pictures: int, kind: tuple[object, ...]) -> Path:
    length_s = f"{float(pictures / rate):.6f}"
    _ffmpeg(
        "-f", "lavfi", "-i", f"color=c=gray:s=64x96:r={rate}", "-f", "lavfi", "-i", "sine=f=330:r=48000",
        "-frames:v", pictures, "-t", length_s, *kind, "-c:a", "aac", f"file:{path}",
    )  # fmt: skip
    return path


def _ffmpeg(*arguments: object) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)

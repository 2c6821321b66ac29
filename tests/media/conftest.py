"""Synthetic media with known content: frame numbers as black and white blocks, sounds as arrays."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

BITS = 8
WIDTH, HEIGHT = 128, 64

FfmpegRun = Callable[..., None]


@pytest.fixture(scope="session")
def ffmpeg() -> FfmpegRun:
    """Run the bundled ffmpeg with these arguments, optionally feeding bytes."""

    def run(*arguments: object, feed: bytes | None = None) -> None:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
        done = subprocess.run(command, input=feed, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()

    return run


def numbered_frames(count: int) -> np.ndarray:
    """(count, H, W, 3) frames; frame n shows the bits of n as 8 blocks from left to right."""
    numbers = np.arange(count)[:, None] >> np.arange(BITS)[None, :] & 1
    blocks = np.repeat(numbers, WIDTH // BITS, axis=1).astype(np.uint8) * 255
    return np.repeat(np.repeat(blocks[:, None, :, None], HEIGHT, axis=1), 3, axis=3)


@pytest.fixture(scope="session")
def read_numbers() -> Callable[[np.ndarray], list[int]]:
    """The frame numbers that images show."""

    def read(images: np.ndarray) -> list[int]:
        width = images.shape[2]
        blocks = images.mean(axis=(1, 3)).reshape(len(images), BITS, width // BITS).mean(axis=2)
        assert (np.abs(blocks - 127.5) > 40).all(), "a frame is not one of the numbered ones"
        return [int(sum(1 << i for i, bit in enumerate(row) if bit)) for row in blocks > 127.5]

    return read


@pytest.fixture(scope="session")
def numbered(tmp_path_factory: pytest.TempPathFactory, ffmpeg: FfmpegRun) -> Callable[..., Path]:
    """Make a numbered clip once: name with extension, number of frames, rate, encoder arguments."""
    folder = tmp_path_factory.mktemp("numbered")

    def make(name: str, arguments: Sequence[object], frames: int = 90, rate: float = 30) -> Path:
        path = folder / name
        if not path.exists():
            raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", rate, "-i", "-"]
            ffmpeg(*raw, *arguments, f"file:{path}", feed=numbered_frames(frames).tobytes())
        return path

    return make


H264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-crf", "12"]
CLIPS: dict[str, list[object]] = {
    "gop12-bframes.mp4": ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", 3, "-g", 12, "-crf", 12],
    "gop250-bframes.mp4": ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", 3, "-g", 250, "-crf", 12],
    "opengop.mkv": [
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        "-x264-params",
        "open-gop=1:keyint=15:bframes=2",
    ],
    "gop10.webm": ["-c:v", "libvpx", "-g", 10, "-deadline", "realtime", "-b:v", "2M", "-auto-alt-ref", 0],
    "hevc.mp4": [
        "-c:v",
        "libx265",
        "-pix_fmt",
        "yuv420p",
        "-x265-params",
        "keyint=20:bframes=3:log-level=none",
    ],
    "mpeg4.avi": ["-c:v", "mpeg4", "-g", 15, "-q:v", 3],
    "stream.ts": [*H264, "-g", 15],
    "flash.flv": [*H264, "-g", 15],
    "theora.ogv": ["-c:v", "libtheora", "-q:v", 9, "-g", 16],
}


@pytest.fixture(params=sorted(CLIPS))
def numbered_clip(request: pytest.FixtureRequest, numbered: Callable[..., Path]) -> Path:
    """90 numbered frames at 30 fps in one of many containers and codecs."""
    return numbered(request.param, CLIPS[request.param])


@pytest.fixture(scope="session")
def plain_clip(numbered: Callable[..., Path]) -> Path:
    """90 numbered frames at 30 fps, H.264 in MP4, without sound."""
    return numbered("plain.mp4", [*H264, "-g", 15])


@pytest.fixture(scope="session")
def write_wav() -> Callable[[Path, np.ndarray, int], Path]:
    """Write (n,) or (n, C) float samples as a 32-bit float WAV."""
    from scipy.io import wavfile

    def write(path: Path, samples: np.ndarray, rate_hz: int) -> Path:
        wavfile.write(path, rate_hz, samples.astype(np.float32))
        return path

    return write


@pytest.fixture(scope="session")
def tune() -> np.ndarray:
    """4 s of stereo sound at 48 kHz that is different on both sides and everywhere in time."""
    time = np.arange(4 * 48000) / 48000
    sweep = 0.4 * np.sin(2 * np.pi * (200 * time + 300 * time**2))
    other = 0.3 * np.sin(2 * np.pi * 500 * time) * np.linspace(0.2, 1, len(time))
    return np.stack([sweep, other], axis=1).astype(np.float32)

"""Small generated clips in which the truth is known: what moves, what sounds, which borders, which voice."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

RATE_HZ = 22_050
Render = Callable[..., Path]


def music(seed: int, duration_s: float) -> np.ndarray:
    """Random chords with decays: no voice, no noise."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(int(duration_s * RATE_HZ))
    at = 0.0
    while at < duration_s - 0.3:
        t = np.arange(int(min(1.5, duration_s - at) * RATE_HZ)) / RATE_HZ
        for note in rng.integers(45, 78, 3):
            pitch = 440 * 2 ** ((note - 69) / 12)
            tone = sum(np.sin(2 * np.pi * pitch * k * t) / k**1.5 for k in range(1, 7)) * np.exp(-2 * t)
            start = int(at * RATE_HZ)
            samples[start : start + len(t)] += tone[: len(samples) - start]
        at += float(rng.choice([0.25, 0.375, 0.5]))
    return samples / np.abs(samples).max() * 0.5


def pictures(seed: int, frames: int, still: bool, borders: int) -> np.ndarray:
    """Moving colour waves of (frames, 96, 128, 3), all alike when still, black at the sides by `borders` pixels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:96, 0:128] / 32
    angles, speeds, phases = rng.uniform(0.3, 2, (3, 2)), rng.uniform(0.1, 0.4, 3), rng.uniform(0, 6, 3)
    images = np.empty((frames, 96, 128, 3), np.uint8)
    for number in range(frames):
        t = 0 if still else number
        for c in range(3):
            wave = np.sin(x * angles[c, 0] + y * angles[c, 1] + speeds[c] * t + phases[c])
            images[number, :, :, c] = 130 + 90 * wave
    if borders:
        images[:, :, :borders] = images[:, :, -borders:] = 0
    return images


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Write a clip: `render("a.mp4", seed=1, still=..., borders=..., sound=samples, level=..., duration_s=...)`."""
    tmp_path = tmp_path_factory.mktemp("render")

    def write(
        name: str,
        *,
        seed: int = 0,
        still: bool = False,
        borders: int = 0,
        sound: np.ndarray | None = None,
        tune: int | None = None,
        level: float = 1.0,
        duration_s: float = 5.0,
    ) -> Path:
        path = tmp_path / "clips" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = level * (music(seed if tune is None else tune, duration_s) if sound is None else sound)
        raw = tmp_path / f"{path.stem}.f32"
        raw.write_bytes(samples.astype("<f4").tobytes())
        images = pictures(seed, int(duration_s * 10), still, borders)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y"]
        command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "128x96", "-r", "10", "-i", "pipe:0"]
        command += ["-f", "f32le", "-ar", str(RATE_HZ), "-ac", "1", "-i", str(raw)]
        command += ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p"]
        subprocess.run([*command, "-c:a", "aac", "-shortest", str(path)], input=images.tobytes(), check=True)
        return path

    return write

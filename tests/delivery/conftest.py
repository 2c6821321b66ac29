"""Clips of every kind with known pictures, and a reader of FCP7 XML that shares nothing with the writer's library."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import imageio_ffmpeg
import pytest

from eval.timelines.xml_reader import XmlClip, read_xml


@pytest.fixture(scope="session")
def xml_clips() -> Callable[[Path], tuple[ET.Element, list[XmlClip]]]:
    return read_xml


def ffmpeg(*arguments: object) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a clip once: name, rate, pictures, with sound or not, further arguments of the encoder."""
    folder = tmp_path_factory.mktemp("films")

    def make(name: str, rate: str, frames: int, *arguments: object, sound: bool = True) -> Path:
        path = folder / name
        if not path.exists():
            source = ["-f", "lavfi", "-i", f"color=c=gray:s=64x96:r={rate}"]
            tone = ["-f", "lavfi", "-i", "sine=f=330:r=48000"] if sound else []
            length = ["-t", str(float(Fraction(frames) / Fraction(rate)))] if sound else []
            kind = arguments or ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
            ffmpeg(*source, *tone, "-frames:v", frames, *length, *kind, f"file:{path}")
        return path

    return make


@pytest.fixture(scope="session")
def run_ffmpeg() -> Callable[..., None]:
    return ffmpeg

"""Clips of every kind with known pictures, and a reader of FCP7 XML that shares nothing with the writer's library."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET

import imageio_ffmpeg
import pytest


@dataclass(frozen=True)
class XmlClip:
    track: int
    name: str
    path: Path
    start: int
    end: int
    source_in: int
    source_out: int
    heard: bool
    rate: Fraction


def rate_of(element: ET.Element) -> Fraction:
    base = int(element.findtext("rate/timebase"))
    return Fraction(base * 1000, 1001) if element.findtext("rate/ntsc") == "TRUE" else Fraction(base)


def read_xml(path: Path) -> tuple[ET.Element, list[XmlClip]]:
    """The sequence, and its clips in order of tracks: pictures first."""
    sequence = ET.parse(path).getroot().find(".//sequence")
    files = {file.get("id"): file for file in sequence.iter("file") if file.find("pathurl") is not None}
    tracks = [*sequence.iterfind("media/video/track"), *sequence.iterfind("media/audio/track")]
    found = []
    for number, track in enumerate(tracks):
        for item in track.iterfind("clipitem"):
            url = files[item.find("file").get("id")].findtext("pathurl")
            live = all(element.findtext("enabled", "TRUE") == "TRUE" for element in (track, item))
            numbers = (int(item.findtext(tag)) for tag in ("start", "end", "in", "out"))
            place = Path(unquote_to_bytes(url.removeprefix("file://")).decode())
            found.append(XmlClip(number, item.findtext("name"), place, *numbers, live, rate_of(item)))
    return sequence, found


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

"""A reader of FCP7 XML by the standard library alone: what is where, and what is muted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET


@dataclass(frozen=True)
class XmlClip:
    """A clip of an XML sequence in frames: `end` and `source_out` are the first frames after it."""

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
    """Frames per second of an element with a `rate`."""
    base = Fraction(element.findtext("rate/timebase", ""))
    return base * Fraction(1000, 1001) if element.findtext("rate/ntsc") == "TRUE" else base


def read_xml(path: Path) -> tuple[ET.Element, list[XmlClip]]:
    """The first sequence, and its clips in order of tracks, pictures first."""
    sequence = ET.parse(path).getroot().find(".//sequence")  # noqa: S314 - written by us a moment ago
    assert sequence is not None, path
    urls = {
        file.get("id"): file.findtext("pathurl")
        for file in sequence.iter("file")
        if file.find("pathurl") is not None
    }
    tracks = [*sequence.iterfind("media/video/track"), *sequence.iterfind("media/audio/track")]
    found = []
    for number, track in enumerate(tracks):
        for item in track.iterfind("clipitem"):
            file = item.find("file")
            url = "" if file is None else urls[file.get("id")] or ""
            start, end, source_in, source_out = (
                int(item.findtext(tag, "")) for tag in ("start", "end", "in", "out")
            )
            found.append(
                XmlClip(
                    track=number, name=item.findtext("name", ""),
                    path=Path(unquote_to_bytes(url.removeprefix("file://")).decode()),
                    start=start, end=end, source_in=source_in, source_out=source_out,
                    heard=all(part.findtext("enabled", "TRUE") == "TRUE" for part in (track, item)),
                    rate=rate_of(item),
                )
            )  # fmt: skip
    return sequence, found

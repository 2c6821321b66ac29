"""Writing a timeline: a bundle with the media in it, links to them, FCP7 XML, or a table of markers."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlparse
from xml.etree import ElementTree as ET

from mvr.config.cells import spreadsheet_cell
from mvr.config.outputs import written_whole
from mvr.delivery.plan import Delivery
from mvr.delivery.timeline import build_timeline, load_otio
from mvr.errors import UsageError

if TYPE_CHECKING:
    import opentimelineio as otio

MARKER_COLUMNS = ("frame", "timecode", "second", "kind", "name", "note")


@dataclass(frozen=True, kw_only=True)
class TimelineSettings:
    """How a timeline is written.

    Attributes:
        link: a bundle refers to the media where they lie instead of holding copies.
        drop_frame: the clock of the sequence drops numbers (29.97 and 59.94 only).
    """

    link: bool = False
    drop_frame: bool = False


def check_timeline(out: Path, settings: TimelineSettings) -> None:
    """Refuse what cannot be written before any work is done.

    Raises:
        UsageError: another ending, or a format that needs OpenTimelineIO where it is not installed.
    """
    if out.suffix.lower() not in _WRITERS:
        raise UsageError(f"{out.name}: a timeline's name ends in {', '.join(_WRITERS)}")
    if settings.link and out.suffix.lower() != ".otioz":
        raise UsageError(
            "--link belongs to .otioz; the other formats always refer to the media where they are"
        )
    if out.suffix.lower() != ".csv":
        load_otio()


def write_timeline(delivery: Delivery, out: Path, settings: TimelineSettings) -> None:
    """Write a timeline in the format that the name's ending says; the file appears only when it is complete.

    Raises:
        UsageError: see `check_timeline`; drop-frame at a rate that has none.
        MediaError: the folder of `out` does not exist.
    """
    check_timeline(out, settings)
    with written_whole(out) as part:
        _WRITERS[out.suffix.lower()](delivery, out.stem, part, settings)


def _write_bundle(delivery: Delivery, name: str, part: Path, settings: TimelineSettings) -> None:
    timeline = build_timeline(delivery, name, drop_frame=settings.drop_frame)
    if settings.link:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as bundle:
            bundle.writestr("version.txt", "1.0.0")
            bundle.writestr("content.otio", _plain(timeline))
        return
    with tempfile.TemporaryDirectory(prefix=".part-", dir=part.parent.absolute()) as folder:
        _gather(timeline, Path(folder))
        part.unlink()  # the library writes only to a name that is free
        load_otio().adapters.write_to_file(timeline, str(part), adapter_name="otioz")


def _write_otio(delivery: Delivery, name: str, part: Path, settings: TimelineSettings) -> None:
    part.write_text(
        _plain(build_timeline(delivery, name, drop_frame=settings.drop_frame)), encoding="utf-8", newline="\n"
    )


def _plain(timeline: otio.schema.Timeline) -> str:
    text: str = load_otio().adapters.write_to_string(timeline, "otio_json")
    return text


def _gather(timeline: otio.schema.Timeline, folder: Path) -> None:
    """Point each file at a link of a name of its own: a bundle takes no two files of one name."""
    links: dict[str, Path] = {}
    for clip in timeline.find_clips():
        url = clip.media_reference.target_url
        if url not in links:
            source = Path(os.fsdecode(unquote_to_bytes(urlparse(url).path)))  # names are bytes
            links[url] = folder / f"{len(links) + 1:02} {_readable(source.name)}"
            _link(source, links[url])
        clip.media_reference.target_url = links[url].as_uri()


def _readable(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def _link(source: Path, link: Path) -> None:
    try:
        link.symlink_to(source)
    except OSError:  # a file system or a user without links
        shutil.copyfile(source, link)


def _write_xml(delivery: Delivery, name: str, part: Path, settings: TimelineSettings) -> None:
    timeline = build_timeline(delivery, name, drop_frame=settings.drop_frame)
    text = load_otio().adapters.write_to_string(timeline, "fcp_xml")
    root = ET.fromstring(text)  # noqa: S314 - our own text, a line before
    _set_clock(root, drop_frame=settings.drop_frame)
    _tie_own_sound(root)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    part.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n{body}\n', encoding="utf-8")


def _set_clock(root: ET.Element, *, drop_frame: bool) -> None:
    """Say how the sequence counts; the library's own conversion guesses it from the rate."""
    clock = root.find(".//sequence/timecode")
    assert clock is not None
    for tag, text in (
        ("string", "00:00:00;00" if drop_frame else "00:00:00:00"),
        ("displayformat", "DF" if drop_frame else "NDF"),
    ):
        element = clock.find(tag)
        assert element is not None
        element.text = text


def _tie_own_sound(root: ET.Element) -> None:
    """Link the picture with its own sound, so that an editor moves and cuts them together."""
    picture = root.find(".//video/track/clipitem")
    assert picture is not None
    file = picture.find("file")
    assert file is not None
    own = next((item for item in root.iterfind(".//audio/track/clipitem") if _same_file(item, file)), None)
    if own is None:
        return
    for item in (picture, own):
        for kind, tied in (("video", picture), ("audio", own)):
            link = ET.SubElement(item, "link")
            for tag, text in (
                ("linkclipref", tied.attrib["id"]),
                ("mediatype", kind),
                ("trackindex", "1"),
                ("clipindex", "1"),
            ):
                ET.SubElement(link, tag).text = text


def _same_file(item: ET.Element, file: ET.Element) -> bool:
    own = item.find("file")
    return own is not None and own.attrib["id"] == file.attrib["id"]


def _write_markers(delivery: Delivery, _name: str, part: Path, settings: TimelineSettings) -> None:
    part.write_text(markers_csv(delivery, drop_frame=settings.drop_frame), encoding="utf-8", newline="")


def markers_csv(delivery: Delivery, *, drop_frame: bool = False) -> str:
    """Markers as a table: the frame, its timecode, and the exact second that it was rounded from.

    Raises:
        UsageError: drop-frame at a rate that has none.
    """
    rate = delivery.film.clock.rate
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(MARKER_COLUMNS)
    rate.timecode(0, drop=drop_frame)
    for marker in delivery.markers:
        frame = rate.frame_at(marker.at_s)
        timecode = rate.timecode(frame, drop=drop_frame)
        row = [frame, timecode, f"{marker.at_s:.6f}", marker.kind, marker.name, marker.note]
        writer.writerow([spreadsheet_cell(cell) for cell in row])
    return out.getvalue()


_WRITERS: dict[str, Callable[[Delivery, str, Path, TimelineSettings], None]] = {
    ".otioz": _write_bundle,
    ".otio": _write_otio,
    ".xml": _write_xml,
    ".csv": _write_markers,
}
TIMELINE_ENDINGS = tuple(_WRITERS)

"""Reading a timeline back, with the cures that the formats need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mvr.delivery.timeline import load_otio
from mvr.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A clip of a timeline in whole frames.

    Attributes:
        track: its track's number, from 0.
        name: the clip's.
        url: where its media lie.
        start, end: on the timeline; `end` is the first frame after it.
        source_start, source_end: in the media.
        heard: neither it nor its track is muted.
    """

    track: int
    name: str
    url: str
    start: int
    end: int
    source_start: int
    source_end: int
    heard: bool


@dataclass(frozen=True, kw_only=True)
class ReadTimeline:
    """What is in a timeline: its rate (frames a second), clips by track and time, and markers (frame, name)."""

    rate_hz: float
    placed: tuple[Placed, ...]
    markers: tuple[tuple[int, str], ...]


def read_timeline(path: Path) -> ReadTimeline:
    """Read `.otioz`, `.otio` or FCP7 `.xml` through OpenTimelineIO.

    Raises:
        UsageError: OpenTimelineIO is not installed. DataError: the file cannot be read as a timeline.
    """
    otio = load_otio()
    adapter = "fcp_xml" if path.suffix.lower() == ".xml" else None
    try:
        timeline = otio.adapters.read_from_file(str(path), adapter_name=adapter)
        tracks = list(timeline.tracks)  # held: a loop straight over the result of a call is empty
    except (otio.exceptions.OTIOError, OSError, ValueError, AttributeError, SyntaxError, KeyError) as error:
        raise DataError(f"{path.name} cannot be read as a timeline: {error}") from error
    placed = [place for number, track in enumerate(tracks) for place in _placed(otio, number, track)]
    marked = [
        (round(marker.marked_range.start_time.value), marker.name) for marker in timeline.tracks.markers
    ]
    rate_hz = timeline.global_start_time.rate if timeline.global_start_time else 0.0
    return ReadTimeline(rate_hz=rate_hz, placed=tuple(placed), markers=tuple(sorted(marked)))


def _placed(otio: Any, number: int, track: Any) -> list[Placed]:
    found = []
    for clip in track:
        if not isinstance(clip, otio.schema.Clip):
            continue
        span, source = clip.range_in_parent(), clip.source_range
        found.append(
            Placed(
                track=number,
                name=clip.name,
                url=getattr(clip.media_reference, "target_url", ""),
                start=round(span.start_time.value),
                end=round(span.end_time_exclusive().value),
                source_start=round(source.start_time.value),
                source_end=round(source.end_time_exclusive().value),
                heard=_enabled(track) and _enabled(clip),
            )
        )
    return found


def _enabled(item: Any) -> bool:
    """XML's mute is no flag of OTIO: it comes back as metadata only."""
    said = str(item.metadata.get("fcp_xml", {}).get("enabled", "TRUE"))
    return bool(item.enabled) and said.upper() != "FALSE"

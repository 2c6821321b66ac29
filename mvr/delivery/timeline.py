"""A delivery as an OpenTimelineIO timeline.

Everything in it counts frames of the picture's rate, the music's media included: the highest rate in a timeline
decides that of the whole sequence when it is written as XML. Every clip has a name of its own, since two clips of one
name, file and range are written once. Muted clips and tracks say so twice, for OTIO and (in `fcp_xml`) for editors that
read XML.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mvr import __version__
from mvr.config.extras import need
from mvr.datatypes import JsonDict
from mvr.delivery.grid import FramedPiece, framed
from mvr.delivery.plan import Delivery, Film, Marker, MarkerKind, Sound, shown

if TYPE_CHECKING:
    import opentimelineio as otio

    from mvr.delivery.frames import FrameRate

_COLOURS: dict[MarkerKind, tuple[str, tuple[int, int, int]]] = {
    MarkerKind.CUT: ("CYAN", (0, 255, 255)),
    MarkerKind.DOWNBEAT: ("PURPLE", (160, 32, 240)),
    MarkerKind.HIT: ("GREEN", (0, 255, 0)),
    MarkerKind.JOIN: ("ORANGE", (255, 165, 0)),
}
_MUTED = {"enabled": "FALSE"}


def load_otio() -> Any:
    """The package opentimelineio.

    Raises:
        ExtraMissing: it is not installed.
    """
    need("opentimelineio", "a timeline", "timelines")
    import opentimelineio

    return opentimelineio


def build_timeline(delivery: Delivery, name: str, *, drop_frame: bool = False) -> otio.schema.Timeline:
    """The clip with its own sound, the chosen music, muted alternates and markers.

    Args:
        delivery: what to lay out.
        name: of the timeline.
        drop_frame: its clock drops numbers (29.97 and 59.94 frames a second only).

    Raises:
        ExtraMissing: OpenTimelineIO is not installed. UsageError: drop-frame at another rate.
    """
    rate = delivery.film.clock.rate
    rate.timecode(0, drop=drop_frame)
    layout = _Layout(load_otio(), rate)
    timeline = layout.otio.schema.Timeline(shown(name))
    timeline.global_start_time = layout.time(0)
    timeline.metadata["mvr"] = _about(delivery, drop_frame=drop_frame)
    timeline.metadata["fcp_xml"] = {"media": {"video": {"format": _size(delivery.film)}}}
    timeline.tracks.extend(layout.film(delivery.film))
    for number, sound in enumerate((delivery.chosen, *delivery.alternates)):
        timeline.tracks.append(layout.music(sound, delivery.film.clock.frames, number))
    timeline.tracks.markers.extend(layout.marker(marker) for marker in delivery.markers)
    return timeline


class _Layout:
    """Makes the parts of a timeline at one rate."""

    def __init__(self, otio: Any, rate: FrameRate) -> None:
        self.otio, self._rate = otio, rate

    def time(self, frames: int) -> Any:
        """So many frames."""
        return self.otio.opentime.RationalTime(frames, float(self._rate.per_s))

    def _span(self, start: int, frames: int) -> Any:
        return self.otio.opentime.TimeRange(self.time(start), self.time(frames))

    def _media(self, path: Path, frames: int, fcp: JsonDict) -> Any:
        media = self.otio.schema.ExternalReference(
            target_url=path.absolute().as_uri(), available_range=self._span(0, frames)
        )
        media.name = shown(path.name)
        media.metadata["fcp_xml"] = fcp
        return media

    def film(self, film: Film) -> list[Any]:
        """The picture's track, and that of its own sound where it has one."""
        schema, frames = self.otio.schema, film.clock.frames
        whole = max(frames, self._rate.frames_within(film.duration_s))
        sound = {"audio": {"channelcount": "2"}} if film.has_sound else {}
        media = {"media": {"video": _size(film), **sound}}
        name = shown(film.path.name)
        tracks = [schema.Track("Picture", kind="Video")]
        tracks[0].append(
            schema.Clip(
                name, self._media(film.path, whole, media), self._span(0, frames), metadata={"mvr": {}}
            )
        )
        if film.has_sound:
            own = schema.Clip(
                f"{name} (own sound)", self._media(film.path, whole, media), self._span(0, frames)
            )
            own.metadata["fcp_xml"] = {"sourcetrack": {"mediatype": "audio", "trackindex": "1"}}
            tracks.append(schema.Track("Own sound", kind="Audio"))
            tracks[1].append(own)
        return tracks

    def music(self, sound: Sound, length: int, number: int) -> Any:
        """The track of one piece of music; all but number 0 are muted."""
        schema, muted = self.otio.schema, number > 0
        track = schema.Track(f"Alternate {number}" if muted else "Music", kind="Audio")
        track.metadata["mvr"] = sound.facts()
        frames = self._rate.frames_within(sound.duration_s)
        at = 0
        for part, piece in enumerate(framed(sound.pieces, self._rate, length, frames), start=1):
            if piece.start > at:
                track.append(schema.Gap(source_range=self._span(0, piece.start - at)))
            clip = schema.Clip(
                f"{shown(sound.title)} ({number + 1}.{part})",
                self._media(sound.path, frames, {"media": {"audio": {"channelcount": "2"}}}),
                self._span(piece.source_start, piece.frames),
            )
            clip.metadata["mvr"] = {**sound.facts(), **_exact(piece)}
            clip.metadata["fcp_xml"] = _premiere(sound) | (_MUTED if muted else {})
            clip.enabled = not muted
            track.append(clip)
            at = piece.end
        if muted:
            track.enabled = False
            track.metadata["fcp_xml"] = dict(_MUTED)
        return track

    def marker(self, marker: Marker) -> Any:
        """A marker on the frame nearest to its moment; its comment keeps the exact second."""
        name, (red, green, blue) = _COLOURS[marker.kind]
        comment = shown(f"{marker.kind} at {marker.at_s:.6f} s" + (f"; {marker.note}" if marker.note else ""))
        made = self.otio.schema.Marker(
            name=shown(marker.name), color=name, marked_range=self._span(self._rate.frame_at(marker.at_s), 0)
        )
        made.comment = comment
        made.metadata["mvr"] = {"kind": str(marker.kind), "at_s": marker.at_s, "note": shown(marker.note)}
        colour = {"alpha": "0", "red": str(red), "green": str(green), "blue": str(blue)}
        made.metadata["fcp_xml"] = {"comment": comment, "color": colour}
        return made


def _about(delivery: Delivery, *, drop_frame: bool) -> JsonDict:
    clock = delivery.film.clock
    sounds = (delivery.chosen, *delivery.alternates)
    return {
        "made_with": f"mvr {__version__}",
        "rate": clock.rate.name,
        "drop_frame": drop_frame,
        "variable_frame_rate": clock.variable,
        "measured_hz": float(clock.measured_hz),
        "credits": [shown(sound.credit) for sound in sounds],
        "licences": [shown(sound.licence) for sound in sounds],
        **delivery.origin,
    }


def _exact(piece: FramedPiece) -> JsonDict:
    """The times that frames were rounded from: the music may be half a frame off its beat."""
    return {"start_s": round(piece.start_s, 6), "source_start_s": round(piece.source_start_s, 6)}


def _size(film: Film) -> JsonDict:
    return {"samplecharacteristics": {"width": str(film.width_px), "height": str(film.height_px)}}


def _premiere(sound: Sound) -> JsonDict:
    """What XML has its own words for: the level (a factor), the source's channel, credit and licence."""
    level = {
        "name": "Level", "parameterid": "level", "valuemin": "0", "valuemax": "3.98109",
        "value": f"{min(3.98109, 10 ** (sound.gain_db / 20)):.6f}",
    }  # fmt: skip
    effect = {
        "name": "Audio Levels", "effectid": "audiolevels", "effectcategory": "audiolevels",
        "effecttype": "audiolevels", "mediatype": "audio", "parameter": level,
    }  # fmt: skip
    return {
        "comments": {"mastercomment1": shown(sound.credit), "mastercomment2": shown(sound.licence)},
        "sourcetrack": {"mediatype": "audio", "trackindex": "1"},
        "filter": {"effect": effect},
    }

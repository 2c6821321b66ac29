"""What is delivered: a clip, the music under it, and what else would fit; in seconds, nothing is rounded yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mvr.datatypes import JsonDict
from mvr.delivery.clock import PictureClock
from mvr.errors import UsageError
from mvr.media.fades import CROSSFADE_S, faint_end_s
from mvr.timing.fitting.plan import FitPlan

TARGET_LUFS = -16.0
TRUE_PEAK_DBTP = -1.5
_MOST_GAIN_DB = 12.0  # the most that an editor's level control gives


class MarkerKind(StrEnum):
    """What happens at a marker: in the picture, in the music, or in both."""

    CUT = "cut"
    DOWNBEAT = "downbeat"
    HIT = "hit"
    JOIN = "join"


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A moment of the clip, in seconds, and what happens there."""

    at_s: float
    kind: MarkerKind
    name: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of a track, taken as it is.

    Attributes:
        start_s: where it begins under the clip.
        source_start_s: where it begins in the track.
        duration_s: its length.
    """

    start_s: float
    source_start_s: float
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class RightsHolders:
    """Who a cue sheet names, and the numbers of the recording (ISRC), the work (ISWC) and the composer (IPI)."""

    composer: str = ""
    publisher: str = ""
    isrc: str = ""
    iswc: str = ""
    ipi: str = ""


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A track of music that may go under the clip.

    Attributes:
        path: its file.
        title, artist, credit, licence, licence_url: names and rights, as far as they are known.
        rights_holders: for cue sheets.
        source: address that it came from, as far as known.
        read_at: when its licence was read (ISO 8601, UTC), "" for a file of no library.
        item_id, sha256: which item and which bytes; empty for a file of no library.
        duration_s: length of the track.
        gain_db: level to play it at.
        pieces: what of it is heard, in order.
        score: how well it fits, None where nobody asked.
        plan: how it was cut to the clip by its bars, None where it simply runs.
    """

    path: Path
    title: str
    artist: str = ""
    credit: str = ""
    licence: str = "unknown"
    licence_url: str = ""
    rights_holders: RightsHolders = RightsHolders()
    source: str = ""
    read_at: str = ""
    item_id: str = ""
    sha256: str = ""
    duration_s: float
    gain_db: float = 0.0
    pieces: tuple[Piece, ...] = ()
    score: float | None = None
    plan: FitPlan | None = None

    def facts(self) -> JsonDict:
        """What goes with it wherever it goes, without where its file lies."""
        return {
            "title": shown(self.title),
            "artist": shown(self.artist),
            "credit": shown(self.credit),
            "licence": shown(self.licence),
            "licence_url": shown(self.licence_url),
            "id": self.item_id,
            "sha256": self.sha256,
            "gain_db": round(self.gain_db, 3),
            "score": None if self.score is None else round(self.score, 6),
        }


@dataclass(frozen=True, kw_only=True)
class Film:
    """The clip: its file, its pictures' clock, whether it has sound, its size as displayed in pixels."""

    path: Path
    clock: PictureClock
    has_sound: bool
    width_px: int
    height_px: int
    duration_s: float

    @property
    def length_s(self) -> float:
        """Length of its picture."""
        return float(self.clock.rate.second_of(self.clock.frames))


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A clip with the chosen music, alternates that are muted at first, and markers.

    Attributes:
        film: the clip.
        chosen: the music under it.
        alternates: what else fits, best first.
        markers: moments of the clip.
        origin: which system ranked, at which alpha: written into the timeline, where something did.
    """

    film: Film
    chosen: Sound
    alternates: tuple[Sound, ...] = ()
    markers: tuple[Marker, ...] = ()
    origin: JsonDict = field(default_factory=dict)


def level_db(
    loudness_lufs: float | None, true_peak_dbtp: float | None, target_lufs: float = TARGET_LUFS
) -> float:
    """Gain that brings a track to a loudness; a timeline has no limiter, so its peaks stay below -1.5 dBTP.

    >>> level_db(-10.0, -0.5), level_db(-23.0, -12.0), level_db(-23.0, -3.0), level_db(None, None)
    (-6.0, 7.0, 1.5, 0.0)
    """
    if loudness_lufs is None:
        return 0.0
    room_db = _MOST_GAIN_DB if true_peak_dbtp is None else TRUE_PEAK_DBTP - true_peak_dbtp
    return min(target_lufs - loudness_lufs, max(0.0, room_db), _MOST_GAIN_DB)


def plain_pieces(start_s: float, track_s: float, length_s: float) -> tuple[Piece, ...]:
    """The track from `start_s` on, started over where it is too short; a join stands in the middle of its crossfade.
    The faintest end of an MP4's fade-out need not be filled.

    Args:
        start_s: where in the track to begin.
        track_s: length of the track.
        length_s: length to fill.

    Raises:
        UsageError: the track ends before `start_s`.
    """
    if not start_s < track_s:
        raise UsageError(f"the music is {track_s:.1f} s long; it cannot start at {start_s:g} s")
    overlap_s = min(CROSSFADE_S, (track_s - start_s) / 2, track_s / 2)
    faint_s = faint_end_s(length_s)
    pieces: list[Piece] = []
    at_s, source_s = 0.0, start_s
    while at_s < length_s:
        left_s = length_s - at_s
        last = source_s + left_s <= track_s + faint_s
        taken_s = min(left_s, track_s - source_s) if last else track_s - overlap_s / 2 - source_s
        pieces.append(Piece(start_s=at_s, source_start_s=source_s, duration_s=taken_s))
        at_s, source_s = at_s + taken_s, overlap_s / 2
        if last:
            break
    return tuple(pieces)


def join_markers(pieces: Sequence[Piece]) -> tuple[Marker, ...]:
    """One marker at each place where a piece of music meets the next."""
    return tuple(
        Marker(
            at_s=piece.start_s, kind=MarkerKind.JOIN, name=f"join {number}",
            note=f"the music continues at {piece.source_start_s:.3f} s of the track",
        )
        for number, piece in enumerate(pieces[1:], start=1)
    )  # fmt: skip


def shown(text: str) -> str:
    """A text that every format can hold: no control characters, no halves of a character.

    >>> shown("Sea\\x01 \\udcff shore")
    'Sea  ? shore'
    """
    clean = text.encode("utf-8", "replace").decode()
    return "".join(char if char.isprintable() else " " for char in clean)

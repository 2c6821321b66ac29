"""What a library knows of one track or video."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from mvr.datatypes import JsonDict, Modality
from mvr.library.licences import UNKNOWN_LICENCE
from mvr.library.rights import Rights, rights_of

__all__ = ["UNKNOWN_LICENCE", "Item"]


@dataclass(frozen=True, kw_only=True)
class Item:
    """A track or a video.

    Attributes:
        id: first 16 hexadecimal digits of `content`.
        content: SHA-256 of the file's bytes.
        modality: audio (a track) or video.
        path: where the file lies now.
        name: its file name as the user gave it, in any script.
        title, artist, album: from tags or `metadata.csv`; the title is the name without ending when there is none.
        genre, mood: labels, as tagged.
        licence: as tagged, by its short name where it is a known one ("CC BY 4.0"), or "unknown".
        licence_url: where its text is; "" when unknown.
        credit: the line to print under a published clip; "" when nobody said one.
        source: where it comes from (an address), "" when unknown.
        duration_s: length.
        tempo_bpm: of a track; an octave error is possible. None for a video and for sound without a pulse.
        loudness_lufs, true_peak_dbtp: EBU R128 of its sound; None where it is silent or has none.
        width_px, height_px: as displayed; None for a track.
        size_bytes: of the file.
        same_as: id of an earlier item with the same music (another codec, level or excerpt), or None.
        added_at: ISO 8601, UTC.
        composer, publisher, isrc, iswc, ipi: as tagged, for cue sheets; "" when nobody said one.
        year: of the recording, as tagged.
        missing: its file was not there when it was last looked for; such an item is never ranked.
    """

    id: str
    content: str
    modality: Modality
    path: Path
    name: str
    title: str
    artist: str = ""
    album: str = ""
    genre: tuple[str, ...] = ()
    mood: tuple[str, ...] = ()
    licence: str = UNKNOWN_LICENCE
    credit: str = ""
    source: str = ""
    duration_s: float
    tempo_bpm: float | None = None
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    size_bytes: int = 0
    same_as: str | None = None
    added_at: str = ""
    composer: str = ""
    publisher: str = ""
    year: int | None = None
    isrc: str = ""
    iswc: str = ""
    ipi: str = ""
    licence_url: str = ""
    missing: bool = False

    @property
    def credit_line(self) -> str:
        """What to print under a clip that uses it: the given credit, or title, artist, source and licence."""
        if self.credit:
            return self.credit
        by = f" by {self.artist}" if self.artist else ""
        source = f" ({self.source})" if self.source else ""
        return f"“{self.title}”{by}{source}, licence: {self.licence}"

    @property
    def on_server(self) -> bool:
        """Whether its file was fetched from a music server to be measured and is not kept (an empty one lies there)."""
        return self.source.startswith("subsonic://") and self.path.is_file() and not self.path.stat().st_size

    @property
    def rights(self) -> Rights:
        """What its licence lets one do."""
        return rights_of(self.licence)

    def to_json(self) -> JsonDict:
        """JSON-able form, measures to a thousandth; a path that is no Unicode has its odd bytes replaced."""
        path = str(self.path).encode("utf-8", "replace").decode()
        lists = {"genre": list(self.genre), "mood": list(self.mood)}
        rights = {"may_use": self.rights.may_use, "may_redistribute": self.rights.may_redistribute}
        made = {"path": path, "modality": str(self.modality), "credit": self.credit_line}
        values = {
            name: round(value, 3) + 0.0 if isinstance(value, float) else value  # no -0
            for name, value in asdict(self).items()
        }
        return values | lists | made | rights

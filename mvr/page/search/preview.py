"""A result put on the clip to be taken away: the muxed MP4 and its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.datatypes import Direction

if TYPE_CHECKING:
    from mvr.page.library import Row
    from mvr.page.search.desk import Desk
    from mvr.page.serving import Visit


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A result on the clip.

    Attributes:
        item_id: which result.
        path: the muxed MP4.
        name: what it is called when saved.
        original: what became of the video's own sound: mute, mix or duck.
        start_s: where in the music it starts.
        shown: title and artist of what was added.
        credit: title, artist and licence of what was added.
        fresh: it was made just now, and the browser is to save it.
    """

    item_id: str
    path: Path
    name: str
    original: str
    start_s: float
    shown: str
    credit: str
    fresh: bool = True


def mux_preview(
    visit: Visit, desk: Desk, row: Row, original: str, progress: Callable[[float], None]
) -> Preview:
    """Mux one result with the clip on the desk.

    Raises:
        MediaError: either file cannot be used.
    """
    from mvr.media.mux import MuxSettings, mux_music

    assert desk.clip is not None
    video, music = video_and_music(desk, row)
    start_s = row.music_from_s
    out = visit.new_file(".mp4")
    mux_music(video, music, out, MuxSettings(start_s=start_s, original=original), progress)
    if desk.preview is not None:
        desk.preview.path.unlink(missing_ok=True)
    by = f" · {row.artist}" if row.artist else ""
    return Preview(
        item_id=row.id, path=out, name=export_name(desk.clip.name, row.title),
        original=original, start_s=start_s, shown=f"{row.title}{by}", credit=row.credit,
    )  # fmt: skip


def video_and_music(desk: Desk, row: Row) -> tuple[Path, Path]:
    """The two files to join: the original picture where browsers play it as it is, else its copy."""
    assert desk.clip is not None
    if desk.direction is Direction.MUSIC_TO_VIDEO:
        return row.path, desk.clip.path
    return desk.player or desk.clip.path, row.path


def export_name(clip_name: str, title: str) -> str:
    """What the export is called: readable, in any script, safe on any file system.

    >>> export_name("my clip.MOV", "AC/DC: été?")
    'my clip + AC DC été.mp4'
    """
    stem = Path(clip_name).stem
    words = "".join(char if char.isalnum() or char in " -_+.,'()&" else " " for char in f"{stem} + {title}")
    return f"{' '.join(words.split())[:100].rstrip('. ')}.mp4"

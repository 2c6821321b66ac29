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
    from mvr.page.search.fitted import Fitted
    from mvr.page.serving import Visit
    from mvr.timing.fitting.plan import FitPlan


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A result muxed onto the clip, ready to be downloaded.

    Attributes:
        item_id: which result.
        path: the muxed MP4.
        name: what it is called when saved.
        original: what became of the video's own sound: mute, mix or duck.
        start_s: where in the music it starts.
        shown: title and artist of what was added.
        credit: title, artist and licence of what was added.
        fresh: it was made just now, and the browser is to save it.
        plan: how the music was cut to the clip, None where it simply runs.
    """

    item_id: str
    path: Path
    name: str
    original: str
    start_s: float
    shown: str
    credit: str
    fresh: bool = True
    plan: FitPlan | None = None


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What is taken away: a row, what becomes of the clip's own sound, and the fitted music if the row was fitted."""

    row: Row
    original: str
    fitted: Fitted | None = None

    def made(self, preview: Preview | None) -> bool:
        """Whether it was made already."""
        plan = None if self.fitted is None else self.fitted.plan
        asked = (self.row.id, self.row.music_from_s, self.original)
        return (
            preview is not None
            and (preview.item_id, preview.start_s, preview.original) == asked
            and preview.plan is plan
        )


def mux_preview(visit: Visit, desk: Desk, taken: Taken, progress: Callable[[float], None]) -> Preview:
    """Mux one result with the clip on the desk.

    Raises:
        MediaError: either file cannot be used.
    """
    from mvr.media.mux import MuxSettings, mux_music

    assert desk.clip is not None
    row, fitted = taken.row, taken.fitted
    video, music = video_and_music(desk, row)
    settings = MuxSettings(start_s=row.music_from_s, original=taken.original)
    if fitted is not None:  # begun and faded already
        music, settings = fitted.sound, MuxSettings(fade_s=0.0, original=taken.original)
    out = visit.new_file(".mp4")
    mux_music(video, music, out, settings, progress)
    by = f" · {row.artist}" if row.artist else ""
    return Preview(
        item_id=row.id, path=out, name=export_name(desk.clip.name, row.title),
        original=taken.original, start_s=row.music_from_s, shown=f"{row.title}{by}", credit=row.credit,
        plan=None if fitted is None else fitted.plan,
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

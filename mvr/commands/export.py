"""`mvr export`: a clip with music on it, as MP4, MOV or MKV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mvr.commands.options import (
    ForceOption,
    JsonOption,
    LibraryOption,
    check_media,
    library_files,
    library_or_demo,
)
from mvr.commands.output import print_json, say, steps
from mvr.config.outputs import VIDEO_ENDINGS, check_output_file
from mvr.datatypes import Modality, StrEnum
from mvr.errors import DataError, NotInLibrary

if TYPE_CHECKING:
    from mvr.library import Item


class Original(StrEnum):
    """What becomes of the clip's own sound."""

    MUTE = "mute"
    MIX = "mix"
    DUCK = "duck"


def export(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The clip.")],
    track: Annotated[str, typer.Argument(metavar="TRACK", help="Id of a track in the library, or a file.")],
    out: Annotated[
        Path, typer.Option("--out", help="The file to write (.mp4, .mov, .mkv).", show_default=False)
    ],
    start: Annotated[
        float, typer.Option("--start", min=0, help="Where in the track to begin, in seconds.")
    ] = 0.0,
    original: Annotated[Original, typer.Option("--original", help="The clip's own sound.")] = Original.MUTE,
    library: LibraryOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a track on a clip for its whole length; the credit line goes to stdout."""
    kept = library_files(library)
    check_output_file(out, inputs=(video, Path(track)), kept=kept, endings=VIDEO_ENDINGS, force=force)
    check_media(video, "picture")
    item = _track(track, library)
    music = Path(track) if item is None else item.path
    if item is not None and item.modality is not Modality.AUDIO:
        raise DataError(f"{track} is a video; export needs a track")
    from mvr.media.mux import MuxSettings, mux_music

    with steps("writing") as progress:
        info = mux_music(
            video,
            music,
            out,
            MuxSettings(start_s=start, original=original.value),
            progress=lambda done: progress(round(done * 100), 100, out.name),
        )
    credit = "" if item is None else item.credit_line
    if as_json:
        document = {
            "out": str(out),
            "duration_s": info.duration_s,
            "start_s": start,
            "original": str(original),
        }
        print_json(document | {"track": None if item is None else item.to_json(), "credit": credit})
        return
    say(f"{out}  {info.duration_s:.1f} s")
    if credit:
        say(f"Music: {credit}")


def _track(name: str, library: Path | None) -> Item | None:
    """The library's item; None for a file that no library holds."""
    opened, _ = library_or_demo(library)
    try:
        return opened.find(name)
    except NotInLibrary:
        if Path(name).is_file():
            return None
        raise

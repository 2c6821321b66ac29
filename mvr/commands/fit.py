"""`mvr fit`: a track cut to a clip's length by whole bars, with its own ending and, if asked for, a hit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mvr.commands.delivering import track_file
from mvr.commands.options import (
    TRACK_HELP,
    ForceOption,
    JsonOption,
    LibraryOption,
    check_media,
    library_files,
    library_or_demo,
)
from mvr.commands.output import print_json, say
from mvr.config.outputs import check_output_file
from mvr.errors import UsageError
from mvr.timing.fitting.plan import Ending

if TYPE_CHECKING:
    from mvr.timing.fitting.plan import FitPlan, Piece

HitOption = Annotated[
    float | None,
    typer.Option("--hit", min=0, help="Second of the clip where the music should hit.", show_default=False),
]
EndingOption = Annotated[
    Ending, typer.Option("--ending", help="The track's own ending at the clip's end, or a fade-out.")
]


def fit(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The clip.")],
    track: Annotated[str, typer.Argument(metavar="TRACK", help=TRACK_HELP)],
    out: Annotated[
        Path | None, typer.Option("--out", help="The WAV file to write.", show_default=False)
    ] = None,
    hit: HitOption = None,
    ending: EndingOption = Ending.REAL,
    start: Annotated[
        float,
        typer.Option("--start", min=0, help="Second of the track where the music should begin, if it can."),
    ] = 0.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and write nothing.")] = False,
    library: LibraryOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Cut a track to a clip's length by whole bars and print the plan."""
    if out is None and not dry_run:
        raise UsageError("name the file to write with --out MUSIC.wav, or look at the plan with --dry-run")
    if out is not None:
        check_output_file(
            out, inputs=(video, Path(track)), kept=library_files(library), endings=(".wav",), force=force
        )
    check_media(video, "picture")
    music, plan = plan_track(video, track, library, FitChoice(start_s=start, ending=ending, hit_s=hit))
    if out is not None and not dry_run:
        from mvr.timing.files import write_fit

        write_fit(music, plan, out)
    if as_json:
        written = None if out is None or dry_run else str(out)
        print_json({"video": str(video), "track": track, "out": written, **plan.to_json()})
        return
    for line in describe(plan):
        say(line)
    if out is not None and not dry_run:
        say(str(out))


@dataclass(frozen=True, kw_only=True)
class FitChoice:
    """How a track is to fit; None: it need not strike anywhere."""

    start_s: float
    ending: Ending
    hit_s: float | None


def plan_track(video: Path, track: str, library: Path | None, choice: FitChoice) -> tuple[Path, FitPlan]:
    """The track's file, and its plan for the clip."""
    from mvr.media.probe import probe
    from mvr.timing.files import plan_file
    from mvr.timing.fitting.paths import FitWish

    music, _ = track_file(track, library_or_demo(library)[0])
    length_s = probe(video, needs=("picture",)).duration_s
    return music, plan_file(music, FitWish(length_s=length_s, **asdict(choice)))


def describe(plan: FitPlan) -> list[str]:
    """A plan in lines: its pieces with their joins, and what is off at the hit and at the end."""
    return [line for pieces in plan.rounds() for line in _lines(pieces)] + plan.told


def _lines(pieces: tuple[Piece, ...]) -> list[str]:
    """A piece in a line, one that is repeated often in two."""
    again = f"            ... the same {len(pieces) - 1} times more, up to {pieces[-1].end_s:.3f} s"
    return [_line(pieces[0]), again] if len(pieces) > 1 else [_line(pieces[0])]


def _line(piece: Piece) -> str:
    span = f"{piece.start_s:8.3f} s  track {piece.source_start_s:8.3f} to {piece.source_end_s:8.3f} s"
    return f"{span}  {piece.join_told}" if piece.join_told else span

"""`mvr export`: a clip with music on it as MP4, MOV or MKV, or as a timeline for an editor."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from mvr.commands.delivering import Output, Wish, export_pack, export_timeline, track_file
from mvr.commands.fit import EndingOption, FitChoice, HitOption, describe, plan_track
from mvr.commands.options import (
    DEFAULT,
    TRACK_HELP,
    ForceOption,
    JsonOption,
    LibraryOption,
    SystemOption,
    check_media,
    library_files,
    library_or_demo,
)
from mvr.commands.output import print_json, say, steps
from mvr.commands.recommend import AlphaOption, CommercialOption
from mvr.config.outputs import VIDEO_ENDINGS, check_output_file
from mvr.datatypes import JsonDict, Original
from mvr.errors import UsageError
from mvr.timing.fitting.plan import Ending, FitPlan

OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="The file to write (.mp4, .mov, .mkv); needs TRACK.", show_default=False),
]
TimelineOption = Annotated[
    Path | None,
    typer.Option("--timeline", help="The timeline to write (.otioz, .otio, .xml, .csv).", show_default=False),
]
PackOption = Annotated[
    Path | None,
    typer.Option(
        "--pack",
        help="The zip to write: cue sheet, credits, licences and claim evidence.",
        show_default=False,
    ),
]
StartOption = Annotated[
    float | None,
    typer.Option(
        "--start",
        min=0,
        help="Where in the track to begin, in seconds (default: 0 with --out, else its matching second).",
        show_default=False,
    ),
]
TopOption = Annotated[
    int, typer.Option("--top", min=1, max=20, help="How many tracks: the chosen one and muted alternates.")
]
DropOption = Annotated[bool, typer.Option("--drop-frame", help="Drop-frame timecode (29.97, 59.94).")]
SoundsOption = Annotated[
    bool, typer.Option("--sounds/--no-sounds", help="Write music and own sound as WAV beside the timeline.")
]
FitOption = Annotated[
    bool, typer.Option("--fit", help="Cut the track to the clip by whole bars; see `mvr fit`.")
]
LoudnessOption = Annotated[
    float, typer.Option("--loudness", min=-60, max=-5, help="Loudness of the music in LUFS.")
]


def export(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The clip.")],
    track: Annotated[
        str | None,
        typer.Argument(metavar="TRACK", help=TRACK_HELP, show_default=False),
    ] = None,
    out: OutOption = None,
    timeline: TimelineOption = None,
    pack: PackOption = None,
    start: StartOption = None,
    original: Annotated[Original, typer.Option("--original", help="The clip's own sound.")] = Original.MUTE,
    top: TopOption = 5,
    link: Annotated[
        bool, typer.Option("--link", help="In an .otioz, link to the media instead of packing it.")
    ] = False,
    drop_frame: DropOption = False,
    sounds: SoundsOption = True,
    fit: FitOption = False,
    hit: HitOption = None,
    ending: EndingOption = Ending.REAL,
    loudness: LoudnessOption = -16.0,
    library: LibraryOption = None,
    system: SystemOption = DEFAULT,
    alpha: AlphaOption = None,
    commercial: CommercialOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a track on a clip, write a timeline for an editor, or pack the papers; the credits go to stdout."""
    if sum(each is not None for each in (out, timeline, pack)) != 1:
        raise UsageError("name one file to write: --out OUT.mp4, --timeline OUT.otioz or --pack OUT.zip")
    if hit is not None and not fit:
        raise UsageError("--hit says where the fitted music should hit; add --fit")
    if out is None:
        wish = Wish(
            video=video,
            track=track,
            start_s=start,
            library=library,
            system=system,
            alpha=alpha,
            commercial=commercial,
            top=top if timeline is not None else 1,
            loudness_lufs=loudness,
            fit=(ending, hit) if fit else None,
        )
        if pack is not None:
            export_pack(wish, pack, drop_frame=drop_frame, force=force, as_json=as_json)
            return
        assert timeline is not None
        output = Output(
            out=timeline, link=link, drop_frame=drop_frame, sounds=sounds, force=force, as_json=as_json
        )
        export_timeline(wish, output)
        return
    if track is None:
        raise UsageError("--out needs a TRACK: the id of one in the library, or a file")
    kept = library_files(library)
    check_output_file(out, inputs=(video, Path(track)), kept=kept, endings=VIDEO_ENDINGS, force=force)
    check_media(video, "picture")
    settings = {"start_s": start or 0.0, "original": original.value, "loudness_lufs": loudness}
    if not fit:
        _export_film(video, track, out, library, settings, as_json=as_json)
        return
    from mvr.timing.files import write_fit

    with tempfile.TemporaryDirectory(prefix="mvr-") as folder:
        wav = Path(folder) / "music.wav"
        music, plan = plan_track(
            video, track, library, FitChoice(start_s=start or 0.0, ending=ending, hit_s=hit)
        )
        write_fit(music, plan, wav)
        settings |= {"start_s": 0.0, "fade_s": 0.0}  # the plan has begun and faded it already
        _export_film(video, track, out, library, settings, plan, wav, as_json=as_json)


def _export_film(
    video: Path,
    track: str,
    out: Path,
    library: Path | None,
    settings: JsonDict,
    plan: FitPlan | None = None,
    fitted: Path | None = None,
    *,
    as_json: bool,
) -> None:
    """Write the film; with `plan` and `fitted`, under the fitted music."""
    music, item = track_file(track, library_or_demo(library)[0])
    from mvr.media.mux import MuxSettings, mux_music

    with steps("writing") as progress:
        info = mux_music(
            video,
            fitted or music,
            out,
            MuxSettings(**settings),
            progress=lambda done: progress(round(done * 100), 100, out.name),
        )
    credit = "" if item is None else item.credit_line
    if as_json:
        document = {"out": str(out), "duration_s": info.duration_s, **settings}
        if plan is not None:
            document["fit"] = plan.to_json()
        print_json(document | {"track": None if item is None else item.to_json(), "credit": credit})
        return
    say(f"{out}  {info.duration_s:.1f} s")
    for line in describe(plan) if plan is not None else ():
        say(line)
    if credit:
        say(f"Music: {credit}")

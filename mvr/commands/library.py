"""`mvr library`: the user's own tracks and videos."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mvr.commands.music_server import PrivateOption, ServerWish, add_from_server
from mvr.commands.options import DEFAULT, DeviceOption, JsonOption, LibraryOption, SystemOption, open_library
from mvr.commands.output import minutes, note, print_json, say, steps
from mvr.datatypes import Modality
from mvr.errors import UsageError

app = typer.Typer(no_args_is_help=True)
EditOption = Annotated[str | None, typer.Option()]


class Take(StrEnum):
    """As what files are added."""

    AUTO = "auto"
    MUSIC = "music"
    VIDEO = "video"

    @property
    def modality(self) -> Modality | None:
        """The modality, None for auto."""
        return {Take.MUSIC: Modality.AUDIO, Take.VIDEO: Modality.VIDEO}.get(self)


@app.command("add")
def add(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...", help="Files, folders, playlists (.m3u, .m3u8), or subsonic://USER@HOST."
        ),
    ],
    library: LibraryOption = None,
    system: SystemOption = DEFAULT,
    take: Annotated[
        Take, typer.Option("--as", help="What the files are; auto: a file with a picture is a video.")
    ] = Take.AUTO,
    device: DeviceOption = "auto",
    playlist: Annotated[
        str | None,
        typer.Option("--playlist", help="Only this playlist of a music server.", show_default=False),
    ] = None,
    min_rating: Annotated[
        int,
        typer.Option(
            "--min-rating", min=0, max=5, help="Only songs with at least this many stars on the server."
        ),
    ] = 0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep copies of a server's files in the library.")
    ] = False,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add files, folders, playlists or a music server; what is already known is not read again."""
    servers = [path for path in paths if path.startswith("subsonic:")]
    if servers and len(paths) > 1:
        raise UsageError("give one music server and nothing else; add files and folders in a separate call")
    if not servers and (playlist is not None or min_rating or keep or private):
        raise UsageError(
            "--playlist, --min-rating, --keep and --private belong to a music server: subsonic://USER@HOST"
        )
    for path in [] if servers else paths:  # said before anything heavy is loaded
        if not Path(path).exists():
            raise UsageError(f"there is no file or folder {path}")
    from mvr.embeddings.system import load_system

    with steps("adding") as progress:
        loaded, own = load_system(system, device=device), open_library(library, create=True)
        if servers:
            wish = ServerWish(
                address=servers[0], playlist=playlist, min_rating=min_rating, keep=keep, private=private
            )
            report = add_from_server(own, loaded, wish, progress)
        else:
            report = own.add(paths, loaded, modality=take.modality, progress=progress)
    for path, reason in report.skipped:
        note(f"skipped {path}: {reason.removeprefix(path.rsplit(os.sep, 1)[-1] + ': ')}")
    for line in report.notes:
        note(line)
    for item in report.gone:
        note(
            f"the file of {item.title} ({item.id}) is gone: {item.path}; `mvr library remove {item.id}` removes it"
        )
    for path, same_as in report.same_music:
        note(
            f"{path} holds the same music as {own.item(same_as).path} ({same_as}); only one of them is ranked"
        )
    print_json(report.to_json()) if as_json else say(report.sentence())


@app.command("push")
def push(
    index: Annotated[
        str, typer.Option("--index", help="postgresql://... or duckdb:FILE.", envvar="MVR_INDEX")
    ],
    library: LibraryOption = None,
    system: SystemOption = DEFAULT,
    device: DeviceOption = "auto",
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="From 100,000 rows on: measure how much searches by codes miss; pages use them then.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the library's index into a database that other machines search; a second run writes what is new."""
    from mvr.index.remote import check_address, open_place

    check_address(index)
    from mvr.embeddings.system import load_system
    from mvr.retrieval.push import measure_index, push_library

    opened, loaded = open_library(library), load_system(system, device=device)
    place, written, held = open_place(index, read_only=False), 0, 0
    recalls: dict[str, str] = {}
    for modality in Modality:
        with steps(f"pushing {modality}") as progress:
            new, there = push_library(opened, loaded, modality, place, progress)
        written, held = written + new, held + there
        if measure and there:
            measured = measure_index(opened, loaded, modality, place)
            recalls[str(modality)] = "every row is compared" if measured is None else measured.words
    place.close()
    if as_json:
        print_json({"written": written, "held": held, "system": loaded.name, "answers": recalls})
        return
    for kind, words in recalls.items():
        say(f"{kind}: {words}")
    say(f"{written} items written; the index now holds {held} of this library for {loaded.name}")


@app.command("list")
def list_items(
    library: LibraryOption = None,
    search: Annotated[
        str | None, typer.Option("--search", help='Tracks by what they sound like: "calm piano".')
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what the library holds, or the tracks that sound like some words."""
    opened = open_library(library)
    opened.check_files()
    if search:
        from mvr.library.search import search_words

        items = [item for item, _ in search_words(opened, search)]
    else:
        items = opened.items()
    found = zip(items, opened.guesses_of(items), strict=True)
    if as_json:
        print_json(
            {"items": [item.to_json() | {"guessed": [g.to_json() for g in words]} for item, words in found]}
        )
        return
    for item, guesses in found:
        gone = "  (file is gone)" if item.missing else ""
        artist = f" by {item.artist}" if item.artist else ""
        may = f"use: {item.rights.may_use}; passing on the file: {item.rights.may_redistribute}"
        tempo = "" if item.tempo_bpm is None else f"  {item.tempo_bpm:.0f} bpm"
        about = f"{item.id}  {minutes(item.duration_s):>6}  {item.modality}  {item.title}{artist}{tempo}"
        words = ", ".join(guess.word for guess in guesses)
        guessed = f"  (guessed: {words})" if words else ""
        say(f"{about}  [{item.licence}; {may}]{guessed}{gone}")
    note(f"{len(items)} items")
    if missing := sum(item.missing for item in items):
        note(f"{missing} of them are not ranked: their files are gone; `mvr library remove ID` removes them")


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of an item (see list), or its file.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is measured of an item: beats, bars, parts, hits and ending of a track, cuts and fades of a video."""
    opened = open_library(library)
    item = opened.find(name)
    for path, reason in opened.timings.measure_missing([item]):
        note(f"not measured {path}: {reason}")
    from mvr.timing.telling import timing_json, timing_lines

    timing = opened.timings.of(item.content, item.modality)
    if as_json:
        print_json(item.to_json() | {"timing": None if timing is None else timing_json(timing)})
        return
    say(f"{item.id}  {minutes(item.duration_s):>6}  {item.modality}  {item.credit_line}")
    for line in [] if timing is None else timing_lines(timing):
        say(line)


@app.command("remove")
def remove(
    names: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids (see list) or paths of files.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take items out of the library; their files stay, and `restore` undoes it until the next `add`."""
    opened = open_library(library)
    ids = [opened.find(name).id for name in names]
    opened.remove(ids)
    print_json({"removed": ids}) if as_json else say(f"{len(ids)} removed")


@app.command("restore")
def restore(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="Default: what was removed last.")
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring removed items back; possible until files are added."""
    items = open_library(library).restore(ids or None)
    if as_json:
        print_json({"restored": [item.id for item in items]})
    else:
        say(f"{len(items)} brought back: {', '.join(item.title for item in items)}")


@app.command("edit")
def edit(
    item_id: Annotated[str, typer.Argument(metavar="ID", help="Id of an item (see list).")],
    title: EditOption = None,
    artist: EditOption = None,
    genre: Annotated[str | None, typer.Option(help="Separate several by ;")] = None,
    licence: EditOption = None,
    credit: Annotated[
        str | None, typer.Option(help="The credit line to print under a published clip.")
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correct an item's title, artist, genre, licence or credit; kept in the library, never written to the file.

    An empty text ("") undoes an edit: what the file itself says is shown again.
    """
    words = {"title": title, "artist": artist, "genre": genre, "licence": licence, "credit": credit}
    if all(word is None for word in words.values()):
        raise UsageError(
            "nothing to edit; give at least one of --title, --artist, --genre, --licence, --credit"
        )
    item = open_library(library).edit(item_id, **words)
    print_json(item.to_json()) if as_json else say(f"{item.id}  {item.credit_line}")


@app.command("bake-demo", hidden=True)
def bake(systems: Annotated[list[str], typer.Argument(metavar="SYSTEM...")]) -> None:
    """Measure and embed the demo library again (for the project itself)."""
    from mvr.embeddings.system import load_system
    from mvr.library.demo import bake_demo

    with steps("baking") as progress:
        count = bake_demo([load_system(name) for name in systems], progress=progress)
    say(f"{count} items baked")

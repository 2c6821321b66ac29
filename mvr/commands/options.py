"""Options that several commands share, and opening what they name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mvr.commands.output import note
from mvr.config.outputs import check_output_folder
from mvr.config.paths import DEFAULT_SYSTEM, home_dir
from mvr.errors import UsageError

if TYPE_CHECKING:
    from mvr.library import Library
    from mvr.media.probe import Need

LibraryOption = Annotated[
    Path | None,
    typer.Option("--library", help="Folder of the library (default: MVR_HOME/library).", show_default=False),
]
SystemOption = Annotated[str, typer.Option("--system", help="Which system; `mvr doctor` lists them.")]
DeviceOption = Annotated[str, typer.Option("--device", help="Where networks run: auto, cpu or cuda.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
ForceOption = Annotated[
    bool,
    typer.Option("--force", help="Replace an existing file; never an input or a file of a library."),
]
IndexOption = Annotated[
    str | None,
    typer.Option(
        "--index", help="An index in a database: postgresql://... or duckdb:FILE.", envvar="MVR_INDEX"
    ),
]
DbOption = Annotated[
    str | None,
    typer.Option("--db", metavar="URL", help="SQLite file or PostgreSQL URL (default: your own votes)."),
]
TRACK_HELP = "Id of a track in the library, or a file."
DEFAULT = DEFAULT_SYSTEM


def library_dir(given: Path | None) -> Path:
    """The named library's folder, or the user's own."""
    return given if given is not None else home_dir() / "library"


def open_library(given: Path | None, *, create: bool = False) -> Library:
    """The named library, or the user's own one.

    Raises:
        UsageError: the named folder is none, and it is not to be made one.
    """
    from mvr.library.library import CATALOGUE, Library

    if given is not None and not create and not (given / CATALOGUE).exists():
        raise UsageError(f"{given} is not a library; `mvr library add PATH --library {given}` makes it one")
    return Library.open(
        check_output_folder(library_dir(given), (CATALOGUE,)) if create else library_dir(given)
    )


def check_media(path: Path, *needs: Need) -> None:
    """Refuse a file that is not there, or not of the kind that is needed, before anything heavy is loaded.

    Raises:
        UsageError: no such file, or a folder. MediaError: it cannot be used.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name one file")
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    from mvr.media.probe import probe

    probe(path, needs=needs)


def library_files(given: Path | None = None) -> Iterator[Path]:
    """Files of the named library, of the user's own and of the demo library: what no command may write over."""
    from mvr.library.demo import demo_dir
    from mvr.library.library import CATALOGUE, Library

    for folder in dict.fromkeys((library_dir(given), library_dir(None))):
        if (folder / CATALOGUE).is_file():
            yield folder / CATALOGUE
            yield from Library.open(folder).paths()
    yield from demo_dir().rglob("*.*")


def votes_files(db: str | None) -> list[Path]:
    """The file that votes lie in; none on a server."""
    from mvr.votes.engine import parse_url

    url = parse_url(db)
    return [Path(str(url.database))] if url.get_backend_name() == "sqlite" else []


def library_or_demo(given: Path | None) -> tuple[Library, bool]:
    """The named library; with none named and nothing in the user's own, the demo library and True."""
    from mvr.library import open_demo_library

    if given is None and not library_dir(None).exists():
        return open_demo_library(), True
    library = open_library(given)
    if given is None and not len(library):
        return open_demo_library(), True
    return library, False


def tell_demo() -> None:
    """Say on stderr that the demo library stands in for the user's empty one."""
    note("your library is empty, so the demo library is searched; `mvr library add PATH` adds your own files")

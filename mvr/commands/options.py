"""Options that several commands share, and opening what they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mvr.config.cards import DEFAULT_SYSTEM
from mvr.config.paths import home_dir
from mvr.errors import UsageError

if TYPE_CHECKING:
    from mvr.library import Library

LibraryOption = Annotated[
    Path | None,
    typer.Option("--library", help="Folder of the library (default: MVR_HOME/library).", show_default=False),
]
SystemOption = Annotated[str, typer.Option("--system", help="Which system; `mvr doctor` lists them.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
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
        raise UsageError(f"{given} is no library; `mvr library add PATH --library {given}` makes it one")
    return Library.open(library_dir(given))


def library_or_demo(given: Path | None) -> tuple[Library, bool]:
    """The named library; with none named and nothing in the user's own, the demo library and True."""
    from mvr.library import open_demo_library

    if given is None and not library_dir(None).exists():
        return open_demo_library(), True
    library = open_library(given)
    if given is None and not len(library):
        return open_demo_library(), True
    return library, False

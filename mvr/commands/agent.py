"""`mvr mcp`: an agent's tools over stdio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mvr.commands.options import DEFAULT, LibraryOption, SystemOption, library_or_demo, tell_demo

AllowOption = Annotated[
    list[Path] | None,
    typer.Option("--allow", help="A folder whose files may be read (repeatable).", show_default=False),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", help="The folder to write into; without it, nothing is written.", show_default=False
    ),
]


def mcp(
    allow: AllowOption = None,
    out: OutOption = None,
    library: LibraryOption = None,
    system: SystemOption = DEFAULT,
) -> None:
    """Serve recommend, find_videos, fit, export_timeline and explain to an agent (Model Context Protocol, stdio)."""
    from mvr.mcp.desk import Desk
    from mvr.mcp.gate import Gate
    from mvr.mcp.server import create_server

    gate = Gate(allow=tuple(allow or ()), out=out)
    opened, demo = library_or_demo(library)
    if demo:
        tell_demo()
    create_server(Desk(opened, system, gate)).run()

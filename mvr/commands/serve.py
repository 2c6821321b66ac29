"""`mvr serve`: the page."""

from __future__ import annotations

from typing import Annotated

import typer

from mvr.commands.options import IndexOption


def serve(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port on this machine; 7860, or the next free one.")
    ] = None,
    index: IndexOption = None,
) -> None:
    """Serve the page on this machine until Ctrl-C."""
    from mvr.page.app import serve as serve_page

    serve_page(port, index)

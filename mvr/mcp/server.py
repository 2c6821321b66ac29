"""The server: the five tools over stdio, errors with their reasons."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mvr import __version__
from mvr.config.extras import need
from mvr.errors import MvrError
from mvr.mcp.desk import Desk
from mvr.mcp.tools import Tools

if TYPE_CHECKING:
    from mcp.server import MCPServer

_ABOUT = (
    "Finds music for short videos and videos for music in the user's own library, fits a track to a clip and writes "
    "timelines for editors. Items have ids of 16 hexadecimal digits; files lie below folders that the user allowed. "
    "Tools that write do a dry run unless dry_run is false. Show the credit line and what may_use says to the user."
)


def create_server(desk: Desk) -> MCPServer[Any]:
    """The server over a desk; `run()` serves stdio.

    Raises:
        ExtraMissing: the package mcp is not installed.
    """
    need("mcp", "an agent's server", "mcp")
    from mcp.server import MCPServer
    from mcp.types import ToolAnnotations

    server: MCPServer[Any] = MCPServer("mvr", instructions=_ABOUT, version=__version__, log_level="WARNING")
    tools = Tools(desk)
    for tool, writes in (
        (tools.recommend, False),
        (tools.find_videos, False),
        (tools.fit, True),
        (tools.export_timeline, True),
        (tools.explain, False),
    ):
        hints = ToolAnnotations(read_only_hint=not writes, destructive_hint=False, open_world_hint=False)
        server.add_tool(_reasons(tool), annotations=hints)
    return server


def _reasons(tool: Callable[..., Any]) -> Callable[..., Any]:
    """The tool, its own errors as `ToolError`: of any other exception a client reads only that there was one."""
    from mcp.server.mcpserver.exceptions import ToolError

    @functools.wraps(tool)
    def told(*args: Any, **kwargs: Any) -> Any:
        try:
            return tool(*args, **kwargs)
        except MvrError as error:
            raise ToolError(str(error)) from error

    return told

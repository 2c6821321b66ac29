"""Tab "Video to music": a clip asks, tracks are ranked."""

from __future__ import annotations

import gradio as gr

from mvr.datatypes import Direction
from mvr.page.context import PageContext
from mvr.page.search.search_tab import SearchTab


def build_tab(context: PageContext, page: gr.Blocks) -> None:
    """Create the tab; see `mvr.page.app`."""
    SearchTab(context, page, Direction.VIDEO_TO_MUSIC)

"""Tab "Music to video": a piece of music asks, videos are ranked."""

from __future__ import annotations

import gradio as gr

from mvr.datatypes import Direction
from mvr.page.context import PageContext
from mvr.page.search.search_tab import SearchTab


def build_tab(context: PageContext, page: gr.Blocks) -> None:
    """Create the tab; see `mvr.page.app`."""
    SearchTab(context, page, Direction.MUSIC_TO_VIDEO)

"""Tab "Music to video": a piece of music asks, videos are ranked."""

from __future__ import annotations

import gradio as gr

from mvr.page import texts
from mvr.page.context import PageContext


def build_tab(context: PageContext, page: gr.Blocks) -> None:
    """Create the tab; see `mvr.page.app`."""
    gr.HTML(f"<h2>{texts.TAB_MUSIC_TO_VIDEO}</h2>")

"""Tab "Video to music": a clip asks, tracks are ranked."""

from __future__ import annotations

import gradio as gr

from mvr.page import texts
from mvr.page.context import PageContext


def build_tab(context: PageContext, page: gr.Blocks) -> None:
    """Create the tab; see `mvr.page.app`."""
    gr.HTML(f"<h2>{texts.TAB_VIDEO_TO_MUSIC}</h2>")

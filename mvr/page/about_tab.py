"""Tab "About & privacy": what answers here, under which licences, and what happens to a visitor's files."""

from __future__ import annotations

import platform

import gradio as gr

import mvr
from mvr.config.extras import version_of
from mvr.page import texts
from mvr.page.context import PageContext
from mvr.page.templates import render


def build_tab(context: PageContext, page: gr.Blocks) -> None:
    """Create the tab; see `mvr.page.app`."""
    gr.HTML(
        render(
            "about.html",
            systems=context.catalogue.systems(),
            privacy=privacy_lines(context),
            versions=versions(),
        )
    )


def privacy_lines(context: PageContext) -> list[str]:
    """What happens to a visitor's files, in the order a visitor asks."""
    kept = texts.PRIVACY_KEPT.format(minutes=context.manifest.app.retention_minutes)
    return [
        texts.PRIVACY_PLACE,
        texts.PRIVACY_OWN,
        kept,
        texts.PRIVACY_CACHE,
        texts.PRIVACY_COOKIES,
        texts.PRIVACY_ADDRESS,
    ]


def versions() -> list[tuple[str, str]]:
    """Name and version of what matters for an answer."""
    found = [("mvr", mvr.__version__), ("Python", platform.python_version())]
    for part in ("gradio", "torch", "faiss-cpu", "faiss-gpu"):
        if (here := version_of(part)) is not None:
            found.append((part, here))
    return found

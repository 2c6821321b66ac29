"""Tab "About & privacy": what answers here, under which licences, and what happens to a visitor's files."""

from __future__ import annotations

import contextlib
import platform
from importlib.metadata import PackageNotFoundError, version

import gradio as gr

import mvr
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
        with contextlib.suppress(PackageNotFoundError):  # optional, or the other build of faiss
            found.append((part, version(part)))
    return found

"""The upload box: Gradio's own, except that it keeps the name the visitor gave a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

# Of every box: what a file lacks for it is said in its tab's own words, not by Gradio, whose box then wants to be
# closed first. Endings beside the media type: some systems know no type for them.
MEDIA_TYPES = (
    *("video", ".mkv", ".avi", ".ts", ".flv", ".wmv", ".ogv", ".3gp", ".mov", ".m4v", ".webm"),
    *("audio", ".opus", ".flac", ".m4a", ".aiff", ".aif", ".wma", ".ogg", ".oga", ".mka"),
)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that arrived.

    Attributes:
        path: in Gradio's upload folder; Gradio checked that it lies there.
        name: as on the visitor's machine, in any script.
    """

    path: Path
    name: str


def create_upload_box(**options: Any) -> Any:
    """A `gr.File` whose handlers get a list of `Upload`, or None.

    Not a subclass: Gradio writes a stub file beside the source of every component class.
    """
    box = gr.File(**{**options, "file_types": list(options["file_types"])})
    box.preprocess = received
    return box


def received(payload: Any) -> list[Upload] | None:
    """Files as Gradio hands them over, with the visitor's names; the type is not judged by the ending here."""
    if payload is None:
        return None
    root = getattr(payload, "root", None)
    files = root if isinstance(root, list) else [payload]
    return [Upload(path=Path(file.path), name=file.orig_name or Path(file.path).name) for file in files]

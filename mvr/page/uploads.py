"""The upload box: Gradio's own, except that it keeps the name the visitor gave a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that arrived.

    Attributes:
        path: in Gradio's upload folder; Gradio checked that it lies there.
        name: as on the visitor's machine, in any script.
    """

    path: Path
    name: str


class UploadBox(gr.File):  # type: ignore[misc]
    """`gr.File` whose handler gets a list of `Upload`."""

    is_template = True  # Gradio draws it as its base class

    def preprocess(self, payload: Any) -> list[Upload] | None:
        """Files as they arrived, with their names."""
        if payload is None:
            return None
        files = payload.root if hasattr(payload, "root") and isinstance(payload.root, list) else [payload]
        return [Upload(path=Path(file.path), name=file.orig_name or Path(file.path).name) for file in files]

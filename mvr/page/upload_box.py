"""The upload box: Gradio's own, except that it keeps the name the visitor gave a file."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mvr.page.serving.uploads import received


def create_upload_box(**options: Any) -> Any:
    """A `gr.File` whose handlers get a list of `Upload`, or None.

    Not a subclass: Gradio writes a stub file beside the source of every component class.
    """
    many = "mv-many" if options.get("file_count") == "multiple" else "mv-one"
    box = gr.File(
        **{**options, "file_types": list(options["file_types"]), "elem_classes": ["mv-upload", many]}
    )
    box.preprocess = received
    return box

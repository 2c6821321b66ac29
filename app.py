"""Start the page: `python app.py` (GRADIO_SERVER_NAME, GRADIO_SERVER_PORT override 127.0.0.1:7860)."""

from __future__ import annotations

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

from mvr.page.app import create_page, launch_kwargs
from mvr.page.context import create_context


def main() -> None:
    """Compose the tabs and serve them."""
    server_name = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    context = create_context(server_name=server_name)
    context.visits.keep_swept()
    context.catalogue.warm()
    create_page(context).launch(server_name=server_name, **launch_kwargs(context))


if __name__ == "__main__":
    main()

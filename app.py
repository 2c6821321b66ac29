"""Start the page, as `mvr serve` does (GRADIO_SERVER_NAME, GRADIO_SERVER_PORT override 127.0.0.1:7860)."""

import sys

from mvr.errors import MvrError
from mvr.page.app import serve

if __name__ == "__main__":
    try:
        serve()
    except MvrError as error:
        sys.exit(f"app.py: {error}")

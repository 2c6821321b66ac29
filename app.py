"""Start the page, as `mvr serve` does (GRADIO_SERVER_NAME, GRADIO_SERVER_PORT override 127.0.0.1:7860)."""

import sys

from mvr.config.ending import end_as_on_interrupt
from mvr.errors import MvrError
from mvr.page.app import serve

if __name__ == "__main__":
    end_as_on_interrupt()
    try:
        serve()
    except MvrError as error:
        sys.exit(f"app.py: {error}")

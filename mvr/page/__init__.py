"""The page: rooms for search, voting, board, library and serving; only tabs import gradio."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # gradio reads it when it is first imported

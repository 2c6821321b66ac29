"""Serving: visits and their files, the shelf of addresses, uploads, what the server refuses.

Knows no other room and no Gradio.
"""

from mvr.page.serving.harden import Harden, HardenSettings
from mvr.page.serving.per_key import PerKey
from mvr.page.serving.shelf import Shelf, ShelfItem
from mvr.page.serving.uploads import Upload, media_limits, safe_name
from mvr.page.serving.visits import Visit, Visits

__all__ = [
    "Harden",
    "HardenSettings",
    "PerKey",
    "Shelf",
    "ShelfItem",
    "Upload",
    "Visit",
    "Visits",
    "media_limits",
    "safe_name",
]

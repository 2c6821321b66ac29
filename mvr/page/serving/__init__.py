"""Serving: visits and their files, the shelf of addresses, uploads, what the server refuses.

Knows no other room and no Gradio.
"""

from mvr.page.serving.addresses import Hosts, trusted_proxies, visitor_of
from mvr.page.serving.harden import Harden, HardenSettings
from mvr.page.serving.jobs import Jobs
from mvr.page.serving.per_key import PerKey
from mvr.page.serving.previews import LinkPreview, Preview, picture_route
from mvr.page.serving.quota import QuotaSettings
from mvr.page.serving.shelf import Shelf, ShelfItem
from mvr.page.serving.start import check_folders, sweep_leftovers
from mvr.page.serving.uploads import Upload, media_limits, safe_name, take_over
from mvr.page.serving.visits import TICKET, Visit, Visits

__all__ = [
    "TICKET",
    "Harden",
    "HardenSettings",
    "Hosts",
    "Jobs",
    "LinkPreview",
    "PerKey",
    "Preview",
    "QuotaSettings",
    "Shelf",
    "ShelfItem",
    "Upload",
    "Visit",
    "Visits",
    "check_folders",
    "media_limits",
    "picture_route",
    "safe_name",
    "sweep_leftovers",
    "take_over",
    "trusted_proxies",
    "visitor_of",
]

"""Library: which systems and libraries there are, and their items as the page shows them."""

from mvr.page.library.additions import Additions
from mvr.page.library.catalogue import DEMO, OWN, Catalogue, SystemChoice
from mvr.page.library.rows import Row, cache_file, item_row, media_url, poster_url, wave_url

__all__ = [
    "DEMO",
    "OWN",
    "Additions",
    "Catalogue",
    "Row",
    "SystemChoice",
    "cache_file",
    "item_row",
    "media_url",
    "poster_url",
    "wave_url",
]

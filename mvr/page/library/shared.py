"""The index in a database that several servers of the page search, `MVR_INDEX`. Knows nothing of Gradio.

Where it does not answer, or holds nothing of a system, what is on this server is searched, and one sentence says so; it
is left alone for a while then, so that nobody waits for it at every move of a control.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from mvr.errors import ExtraMissing, IndexUnreachable, SettingsMismatch, UsageError
from mvr.index.remote import KeptCodes, check_address, open_place
from mvr.page import texts

if TYPE_CHECKING:
    from mvr.embeddings.system import System
    from mvr.index.remote import Place
    from mvr.retrieval import Filters, Query, RankedList

logger = logging.getLogger(__name__)

_PATIENCE_S = 4  # a visitor waits for one search
_REST_S = 30.0


class SharedIndex:
    """Searched in the place of the server's own library.

    Args:
        url: postgresql://... or duckdb:FILE; opened when it is first asked, and again after it was gone.

    Raises:
        UsageError: another kind of address.
    """

    def __init__(self, url: str) -> None:
        check_address(url)
        self._url = url
        self._place: Place | None = None
        self._rests_until = 0.0
        self._lock = threading.Lock()

    def rank(
        self, system: System, query: Query, alpha: float | None, k: int, filters: Filters
    ) -> tuple[RankedList | None, str]:
        """The list, and what there is to say of it; no list where this server's own is to be shown."""
        from mvr.retrieval.remote import rank_place

        if time.monotonic() < self._rests_until:
            return None, texts.INDEX_SILENT
        try:
            ranked = rank_place(self._opened(), system, query, alpha, k, filters=filters)
        except IndexUnreachable as error:
            logger.warning("%s", error)
            self._rests_until = time.monotonic() + _REST_S
            return None, texts.INDEX_SILENT
        except (UsageError, SettingsMismatch, ExtraMissing) as error:  # nothing of this system there
            logger.warning("%s", error)
            return None, texts.INDEX_LACKS
        if ranked.missing:
            return ranked, texts.INDEX_PARTLY.format(held=ranked.library_items, missing=ranked.missing)
        return ranked, ""

    def _opened(self) -> Place:
        with self._lock:
            if self._place is None:
                self._place = open_place(self._url, patience_s=_PATIENCE_S)
                self._place.finder = KeptCodes(self._place)
            return self._place

    def close(self) -> None:
        """Let go of connections."""
        with self._lock:
            if self._place is not None:
                self._place.close()
                self._place = None

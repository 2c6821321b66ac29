"""The list of the tab Library: one page of a library's items, by kind and by words. Knows nothing of Gradio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mvr.datatypes import Modality
from mvr.page import texts
from mvr.page.library.catalogue import OWN, Catalogue
from mvr.page.library.rows import item_row
from mvr.page.templates import render

if TYPE_CHECKING:
    from mvr.page.serving import Shelf

PAGE_ITEMS = 50


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What of a library is to be seen.

    Attributes:
        which: DEMO or OWN.
        kind: "all", or a modality.
        words: every one occurs in what is written about an item.
        page: from 0; one behind the last is the last.
    """

    which: str
    kind: str = "all"
    words: str = ""
    page: int = 0


def list_html(catalogue: Catalogue, shelf: Shelf, wish: Wish, whose: tuple[str, str | None]) -> str:
    """The page of the list that is wished; `whose`: key of the library, and the visit that alone may see its media."""
    key, owner = whose
    modality = None if wish.kind == "all" else Modality(wish.kind)
    found = catalogue.page(key, modality, wish.words or "", first=wish.page * PAGE_ITEMS, count=PAGE_ITEMS)
    title, hint = texts.LIBRARY_NONE, texts.LIBRARY_NONE_HINT
    if not found.total and not catalogue.has_items(key):
        title = texts.LIBRARY_EMPTY_OWN if wish.which == OWN else texts.LIBRARY_EMPTY_DEMO
        hint = texts.LIBRARY_EMPTY_OWN_HINT if wish.which == OWN else texts.LIBRARY_EMPTY_DEMO_HINT
    return render(
        "library.html",
        items=[(item_row(shelf, item, owner), item) for item in found.items],
        own=wish.which == OWN,
        total=found.total,
        page=found.first // PAGE_ITEMS,
        last_page=max(0, (found.total - 1) // PAGE_ITEMS),
        page_items=PAGE_ITEMS,
        title=title,
        hint=hint,
    )


def page_of(word: object) -> int:
    """The number of a page as the browser says it; the first where it is none.

    >>> page_of("2"), page_of("-1"), page_of("²"), page_of("9" * 30)
    (2, 0, 0, 0)
    """
    text = str(word)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0

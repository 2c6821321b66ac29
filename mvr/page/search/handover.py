"""The result on the desk for an editor: a timeline with the next best as muted alternates, and the music's papers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.datatypes import Direction
from mvr.delivery.laying import Found, cut_by, lay_file, lay_film, lay_item, lay_ranked
from mvr.delivery.pack import pack_files
from mvr.delivery.writing import TimelineSettings, write_timeline
from mvr.errors import NotInLibrary
from mvr.page import texts

if TYPE_CHECKING:
    from mvr.delivery.plan import Delivery
    from mvr.page.search.desk import Desk
    from mvr.page.search.preview import Preview

_TRACKS = 5  # the chosen one and its alternates


def delivery_of(desk: Desk, preview: Preview) -> Delivery:
    """What was put on the clip, with what else the list offers where music was looked for.

    Raises:
        NotInLibrary: the list is another one by now. MediaError, DataError: a file cannot be used (any more).
    """
    assert desk.clip is not None and desk.ranked is not None
    results = desk.ranked.results
    chosen = next((result for result in results if result.item.id == preview.item_id), None)
    if chosen is None:
        raise NotInLibrary(texts.UNKNOWN_ITEM)
    commercial = desk.asked is not None and desk.asked.filters.commercial
    origin = {"system": desk.ranked.system, "alpha": desk.ranked.alpha, "commercial": commercial}
    if desk.direction is Direction.MUSIC_TO_VIDEO:
        film = lay_film(chosen.item.path)
        asking = lay_file(desk.clip.path, film, preview.start_s)
        if preview.plan is not None:
            asking = cut_by(asking, preview.plan)
        return lay_ranked(film, [], asking, origin=origin, timing=Found.of(chosen).timing)
    film, first = lay_film(desk.clip.path), replace(Found.of(chosen), start_s=preview.start_s)
    others = [Found.of(result) for result in results if result is not chosen][: _TRACKS - 1]
    if preview.plan is None:
        return lay_ranked(film, [first, *others], origin=origin)
    sound = cut_by(lay_item(first.item, film, first.start_s, first.score), preview.plan)
    return lay_ranked(film, others, sound, origin=origin, timing=first.timing)


def write_page_timeline(desk: Desk, preview: Preview, out: Path) -> None:
    """Write an OTIOZ with the media inside: a browser cannot link to where files lie."""
    write_timeline(delivery_of(desk, preview), out, TimelineSettings())


def papers(desk: Desk, preview: Preview) -> dict[str, str]:
    """Cue sheet, credits, licences and claim evidence by name."""
    return pack_files(delivery_of(desk, preview))

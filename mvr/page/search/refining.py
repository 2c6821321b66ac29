"""Starts that are refined after a list is shown: what the page asks for while something is still being measured.

The list's HTML names an address; the page's script asks there every second, shows how far it is and lays the new starts
and time lines into the rows, which stay where they are. The first question starts the work, and without questions it
ends.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mvr.datatypes import Direction, JsonDict
from mvr.page import texts
from mvr.page.library import DEMO
from mvr.page.search.exports import list_links
from mvr.page.search.measuring import Measuring, Target, Told, Work
from mvr.page.serving import Shelf, ShelfItem
from mvr.retrieval.timed import place_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mvr.library import Library
    from mvr.page.library import Catalogue, Row
    from mvr.page.search.desk import Clip, Desk
    from mvr.page.search.search_view import View
    from mvr.page.serving import Visit


class Refining:
    """Answers of one direction's lists.

    Args:
        catalogue: libraries.
        shelf: serves the answers.
        measuring: the server's one worker.
        view: what is shown of a desk.
    """

    def __init__(self, catalogue: Catalogue, shelf: Shelf, measuring: Measuring, view: View) -> None:
        self._catalogue, self._shelf, self._measuring, self._view = catalogue, shelf, measuring, view

    def url(self, visit: Visit, desk: Desk) -> str:
        """Where the page asks how far it is; empty where nothing is left to measure for this list."""
        if desk.ranked is None or desk.asked is None or not desk.asked.timing or not desk.ranked.results:
            return ""
        placed = all(result.placing is not None for result in desk.ranked.results)
        if placed and desk.asked.library == DEMO:
            return ""
        visit.folder.mkdir(parents=True, exist_ok=True)
        path = visit.folder / f"{desk.direction}-timing.json"
        path.touch()
        return self._shelf.put(
            ShelfItem(
                path=path,
                name="timing.json",
                owner=visit.id,
                answer=lambda _: (json.dumps(self.answer(visit, desk)).encode(), lambda *_: None),
            )
        )

    def answer(self, visit: Visit, desk: Desk) -> JsonDict:
        """How far it is in words (`said`), whether that was all (`done`), and rows whose start is known now."""
        with desk.lock:
            clip, ranked, asked = desk.clip, desk.ranked, desk.asked
        if clip is None or ranked is None or asked is None or not asked.timing:
            return {"done": True, "said": "", "rows": {}}
        library = self._catalogue.retriever(asked.library, asked.system).library
        timings, query = library.timings, ranked.query
        work = Work(
            about=(clip.path, query.content, asked.library),
            timings=timings,
            find=lambda: _targets(library, clip, query.content, desk),
            wanted=lambda: desk.clip is clip and visit.left_at is None,
            first=frozenset(r.item.content for r in ranked.results if r.placing is None),
        )
        told = self._measuring.ask((visit.id, desk.direction), work)
        placed = place_list(ranked, timings)
        changed = sum(result.placing is not None for result in placed.results) > desk.sent
        with desk.lock:
            if desk.ranked is not ranked:  # a control moved meanwhile: its own list asks anew
                return {"done": False, "said": "", "rows": {}}
            desk.ranked = placed
            desk.measured = timings.of(query.content, desk.direction.query) or desk.measured
            rows = self._view.rows(desk) if changed or told.finished else []
            desk.sent = sum(result.placing is not None for result in placed.results)
            seen = self._view.seen(desk)
            if changed:  # the list that is taken away is the one that is seen
                list_links(self._shelf, visit, desk)
        return {
            "done": told.finished,
            "said": said(told, desk.direction),
            "seen": seen,
            "rows": {row.id: _shown(row) for row in rows},
        }


def _targets(library: Library, clip: Clip, content: str, desk: Desk) -> Iterator[Target]:
    """The clip, then the library's items of the modality that is searched, as far as they are not measured yet."""
    asking, searched = desk.direction.query, desk.direction.target
    if not library.timings.known(content, asking):
        yield Target(path=clip.path, content=content, modality=asking, on_disk=False)
    for item in library.timings.missing(library.items(searched)):
        yield Target(path=item.path, content=item.content, modality=searched)


def said(told: Told, direction: Direction) -> str:
    """How far measuring is, in words; at the end whether the clip could not be measured.

    >>> said(Told(clip_share=0.4, done=0, total=2), Direction.VIDEO_TO_MUSIC)
    'Looking at the whole clip: 40 %'
    >>> said(Told(clip_share=None, done=119, total=450), Direction.VIDEO_TO_MUSIC)
    'Measuring beats: 120 of 450'
    """
    if not told.looked:
        return ""
    if told.finished:
        return texts.UNMEASURED[direction] if told.failed else ""
    if told.clip_share is not None:
        looking = direction is Direction.VIDEO_TO_MUSIC
        return texts.LOOKING.format(percent=int(100 * told.clip_share)) if looking else texts.LISTENING
    return texts.MEASURING[direction].format(done=min(told.done + 1, told.total), total=told.total)


def _shown(row: Row) -> JsonDict:
    """What changes of a row whose start is known now; the browser leaves it where it is."""
    return {
        "from": f"{row.music_from_s:.3f}",
        "start": f"{row.play_from_s:.2f}",
        "sound": row.decoded_url,
        "excerpts": row.excerpts_url,
        "timing": row.timing,
        "why": row.why,
        "begins": row.begins,
        "placed": row.placed,
        "wave": [round(row.from_percent, 2), round(row.to_percent, 2)],
    }

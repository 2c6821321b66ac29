"""What a search tab shows for a desk: plain HTML, and the tuple of updates a handler yields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from mvr.datatypes import Direction, Modality
from mvr.errors import NotInLibrary
from mvr.library.item import UNKNOWN_LICENCE
from mvr.page import texts
from mvr.page.library.catalogue import DEMO
from mvr.page.search.exports import list_links, preview_links
from mvr.page.search.rows import Row, facts_of, media_url, poster_url, wave_url
from mvr.page.serving.shelf import Shelf, ShelfItem
from mvr.page.templates import clock, render

if TYPE_CHECKING:
    from mvr.library import Item
    from mvr.page.context import PageContext
    from mvr.page.search.desk import Clip, Desk
    from mvr.page.serving.visits import Visit

Updates = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class StageClip:
    """What the stage template draws."""

    name: str
    facts: str
    label: str
    picture: bool
    media_url: str = ""
    poster_url: str = ""
    captions_url: str = ""
    music: str = ""
    from_s: float | None = None
    play_now: bool = False


def status_html(kind: str, text: str) -> str:
    """The status line: kind is idle, busy, done, quiet (for screen readers) or error."""
    return render("status.html", kind=kind, text=text)


def results_html(
    words: texts.Words, state: str, rows: list[Row] | None = None, kind: str = "audio", note: str = ""
) -> str:
    """The list: state is empty, busy, bare (of a library without items), none (by the filters) or rows; a note says
    what votes did to its order.
    """
    return render("results.html", words=words, state=state, rows=rows or [], kind=kind, note=note)


def exports_html(words: texts.Words, kind: str, mp4: str | None, links: list[tuple[str, str, str]]) -> str:
    """Downloads; without an MP4 the button says what is missing."""
    return render("exports.html", words=words, kind=kind, mp4=mp4, links=links)


def examples_html(context: PageContext, direction: Direction, words: texts.Words) -> str:
    """The demo library's own items of the asking modality."""
    items = context.catalogue.examples(direction.query)
    video = direction.query is Modality.VIDEO
    shown = [
        {
            "id": item.id,
            "title": item.title,
            "poster_url": poster_url(context.shelf, item, None) if video else "",
            "wave_url": "" if video else wave_url(context.shelf, item, None),
        }
        for item in items
    ]
    return render("examples.html", items=shown, words=words, kind=str(direction.query))


def item_row(shelf: Shelf, item: Item, owner: str | None) -> Row:
    """An item of a library as a row without a rank; `owner` is the visit that alone may see it."""
    audio = item.modality is Modality.AUDIO
    return Row(
        rank=0, score=0.0, fit_percent=0.0, play_from_s=0.0, end_s=0.0, music_from_s=0.0,
        id=item.id, title=item.title, artist=item.artist, path=item.path, duration_s=item.duration_s,
        licence=licence_shown(item.licence), licence_url=licence_url(item.licence),
        credit=item.credit_line, facts=facts_of(item), media_url=media_url(shelf, item, owner),
        wave_url=wave_url(shelf, item, owner) if audio else "",
        poster_url="" if audio else poster_url(shelf, item, owner),
    )  # fmt: skip


class View:
    """Updates of (status, stage, results, exports, take, cancel) for one direction."""

    def __init__(self, context: PageContext, direction: Direction, words: texts.Words) -> None:
        self.context, self.direction, self.words = context, direction, words

    def error(self, sentence: str) -> Updates:
        """The sentence; everything else as it was."""
        return self._say("error", sentence, cancel=False)

    def busy(self, sentence: str) -> Updates:
        """The sentence, a spinner and a way out; everything else as it was."""
        return self._say("busy", sentence, cancel=True)

    def _say(self, kind: str, sentence: str, *, cancel: bool) -> Updates:
        skip = gr.skip()
        return status_html(kind, sentence), skip, skip, skip, skip, gr.Button(visible=cancel)

    def searching(self, clip: Clip) -> Updates:
        """A new clip is being embedded."""
        return (
            status_html("busy", texts.MATCHING),
            render("stage.html", clip=self._stage_of(clip), kind=str(self.direction.query)),
            results_html(self.words, "busy"),
            gr.skip(),
            gr.Column(visible=False),
            gr.Button(visible=True),
        )

    def full(
        self,
        visit: Visit,
        desk: Desk,
        sentence: str | None = None,
        *,
        play_now: bool = False,
        keep_list: bool = False,
    ) -> Updates:
        """Everything the desk holds. A sentence that is given while the player is being made is a busy one."""
        busy = desk.clip is not None and desk.player is None
        said = sentence if sentence is not None else self._ranked_sentence(desk)
        return (
            status_html("busy" if busy else "quiet" if sentence is None else "done", said),
            self._stage(visit, desk, play_now=play_now),
            gr.skip() if keep_list else self._results(desk),
            self._exports(visit, desk),
            gr.Column(visible=desk.clip is not None),
            gr.Button(visible=busy),
        )

    def list_again(self, visit: Visit, desk: Desk) -> Updates:
        """The list after a control moved; the stage stays, what plays goes on."""
        return (
            status_html("quiet", self._ranked_sentence(desk)),
            gr.skip(),
            self._results(desk),
            self._exports(visit, desk),
            gr.skip(),
            gr.Button(visible=False),
        )

    def _ranked_sentence(self, desk: Desk) -> str:
        if desk.ranked is None or desk.clip is None:
            return ""
        said = texts.RANKED.format(count=len(desk.ranked.results), name=desk.clip.name)
        return f"{said} {desk.note}".strip()

    def _results(self, desk: Desk) -> str:
        if desk.ranked is None:
            return results_html(self.words, "empty")
        rows = self.rows(desk)
        kind = str(self.direction.target)
        state = "rows" if rows else "none" if desk.ranked.library_items else "bare"
        return results_html(self.words, state, rows, kind, note=desk.note)

    def rows(self, desk: Desk) -> list[Row]:
        """The ranked list as rows."""
        assert desk.ranked is not None and desk.asked is not None
        owner = None if desk.asked.library == DEMO else desk.owner
        best = max([result.score for result in desk.ranked.results], default=1.0)
        rows = []
        for result in desk.ranked.results:
            row = item_row(self.context.shelf, result.item, owner)
            fit = max(0.0, 100 * result.score / best) if best > 0 else 0.0
            audio = self.direction.target is Modality.AUDIO
            rows.append(
                replace(
                    row,
                    rank=result.rank,
                    score=result.score,
                    fit_percent=fit,
                    play_from_s=result.start_s if audio else 0.0,
                    end_s=result.end_s,
                    music_from_s=result.start_s if audio else result.query_start_s,
                )
            )
        return rows

    def row(self, desk: Desk, item_id: str) -> Row:
        """One row of the list that is shown.

        Raises:
            NotInLibrary: it is not in the list (any more).
        """
        for row in self.rows(desk) if desk.ranked is not None else []:
            if row.id == item_id:
                return row
        raise NotInLibrary(texts.UNKNOWN_ITEM)

    def _stage(self, visit: Visit, desk: Desk, *, play_now: bool) -> str:
        if desk.clip is None:
            return ""
        clip = self._stage_of(desk.clip)
        if desk.player is not None:
            name = f"{desk.clip.path.stem}{desk.player.suffix}"
            url = self.context.shelf.put(ShelfItem(path=desk.player, name=name, owner=visit.id))
            clip = replace(clip, media_url=url)
        if desk.preview is not None:
            clip = self._with_preview(visit, desk, clip, play_now=play_now)
        return render("stage.html", clip=clip, kind=str(self.direction.query))

    def _with_preview(self, visit: Visit, desk: Desk, clip: StageClip, *, play_now: bool) -> StageClip:
        assert desk.preview is not None
        preview, shelf = desk.preview, self.context.shelf
        captions = ShelfItem(path=preview.captions, name="captions.vtt", owner=visit.id)
        return replace(
            clip,
            picture=True,
            media_url=shelf.put(ShelfItem(path=preview.path, name=preview.name, owner=visit.id)),
            captions_url=shelf.put(captions),
            music=preview.shown,
            from_s=preview.start_s,
            play_now=play_now,
        )

    def _stage_of(self, clip: Clip) -> StageClip:
        info = clip.info
        facts = [clock(info.duration_s)]
        if info.video is not None and self.direction.query is Modality.VIDEO:
            facts.append(f"{info.video.width_px} × {info.video.height_px}")
        return StageClip(
            name=clip.name,
            facts=" · ".join(facts),
            label=f"Your {self.words.file}: {clip.name}",
            picture=self.direction.query is Modality.VIDEO,
        )

    def _exports(self, visit: Visit, desk: Desk) -> str:
        if desk.clip is None or desk.ranked is None:
            return exports_html(self.words, str(self.direction), None, [])
        links = list_links(self.context, visit, desk)
        if desk.preview is None:
            return exports_html(self.words, str(self.direction), None, links)
        mp4, more = preview_links(self.context, visit, desk)
        return exports_html(self.words, str(self.direction), mp4, more + links)


def licence_shown(licence: str) -> str:
    """A licence in words that stand alone.

    >>> licence_shown("unknown"), licence_shown("CC0 1.0")
    ('licence unknown', 'CC0 1.0')
    """
    return texts.LICENCE_UNKNOWN if licence == UNKNOWN_LICENCE else licence


def licence_url(licence: str) -> str:
    """Where a Creative Commons licence is explained; empty for others.

    >>> licence_url("CC BY-NC 4.0"), licence_url("CC0 1.0"), licence_url("all rights reserved")
    ('https://creativecommons.org/licenses/by-nc/4.0/', 'https://creativecommons.org/publicdomain/zero/1.0/', '')
    """
    words = licence.lower().replace("-", " ").split()
    if not words or words[0] not in ("cc", "cc0"):
        return ""
    if words[0] == "cc0" or words[1:2] == ["zero"]:
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    terms = [word for word in words[1:] if word in ("by", "nc", "sa", "nd")]
    release = words[-1] if words[-1][0].isdigit() else "4.0"
    return f"https://creativecommons.org/licenses/{'-'.join(terms)}/{release}/" if terms else ""

"""What a search tab shows for a desk: plain HTML, and which parts of the tab change. Knows no Gradio."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mvr.datatypes import Direction, Modality
from mvr.errors import NotInLibrary
from mvr.page import texts
from mvr.page.library import DEMO, Catalogue, Row, item_row, poster_url, wave_url
from mvr.page.search.audition import LONGEST_DECODED_S, levels_url, sounds_of
from mvr.page.search.exports import list_links, preview_links
from mvr.page.search.fitted import fit_html
from mvr.page.search.reasons import (
    bar_percent,
    clip_words,
    music_start_words,
    music_words,
    placed_words,
    start_words,
    strength,
    strength_told,
)
from mvr.page.search.timeline import timeline_of
from mvr.page.serving import Shelf, ShelfItem, Visit
from mvr.page.templates import clock, render, status_html

if TYPE_CHECKING:
    from mvr.page.search.desk import Clip, Desk
    from mvr.page.search.refining import Refining
    from mvr.page.search.waiting import Progress
    from mvr.retrieval import RankedList, Result


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What changes on a search tab; None leaves a part as it is.

    Attributes:
        status, stage, results, exports, fit: HTML.
        take: whether the clip's own part (sound, downloads) is to be seen.
        cancel: whether there is something to cancel.
    """

    status: str | None
    stage: str | None = None
    results: str | None = None
    exports: str | None = None
    fit: str | None = None
    take: bool | None = None
    cancel: bool | None = None


# Gradio shows once more what a handler gave last when that ends; one that was overtaken ends with this
NOTHING = Shown(status=None)


@dataclass(frozen=True, kw_only=True)
class StageClip:
    """What the stage template draws."""

    name: str
    facts: str
    label: str
    picture: bool
    media_url: str = ""
    poster_url: str = ""
    key: str = ""
    duration_s: float = 0.0
    levels_url: str = ""
    gain_db: float = 0.0
    seen: str = ""
    width_px: int = 0
    height_px: int = 0


def results_html(
    words: texts.Words,
    state: str,
    rows: list[Row] | None = None,
    kind: str = "audio",
    *,
    note: str = "",
    ranked: RankedList | None = None,
    measuring: str = "",
) -> str:
    """The list: state is empty, busy, bare (of a library without items), none (by the filters) or rows; a note says
    what votes did to its order; `ranked` what its system sees and asks for; `measuring` is where the page asks how far
    the background has come.
    """
    return render(
        "results.html",
        words=words,
        state=state,
        rows=rows or [],
        kind=kind,
        note=note,
        sees=ranked.sees if ranked else (),
        asks_for=ranked.asks_for if ranked else (),
        measuring=measuring,
    )


def exports_html(
    words: texts.Words,
    mp4: tuple[str, str] | None,
    links: list[tuple[str, str, str]],
    *,
    now: bool = False,
) -> str:
    """Downloads. `mp4` is address and music of a file that was made; `now`: the browser saves it unasked, once."""
    return render("exports.html", words=words, mp4=mp4, links=links, now=now)


def examples_html(catalogue: Catalogue, shelf: Shelf, direction: Direction, words: texts.Words) -> str:
    """The demo library's own items of the asking modality."""
    items = catalogue.examples(direction.query)
    video = direction.query is Modality.VIDEO
    shown = [
        {
            "id": item.id,
            "title": item.title,
            "poster_url": poster_url(shelf, item, None) if video else "",
            "wave_url": "" if video else wave_url(shelf, item, None),
        }
        for item in items
    ]
    return render("examples.html", items=shown, words=words, kind=str(direction.query))


def why_of(result: Result, direction: Direction) -> str:
    """One line on a result."""
    if direction.target is Modality.VIDEO:
        return clip_words(result.facts)
    return music_words(result.facts)


class View:
    """What is shown in one direction."""

    def __init__(self, catalogue: Catalogue, shelf: Shelf, direction: Direction, words: texts.Words) -> None:
        self.catalogue, self.shelf, self.direction, self.words = catalogue, shelf, direction, words
        self.refining: Refining | None = None

    def error(self, sentence: str) -> Shown:
        """The sentence; everything else as it was."""
        return Shown(status=status_html("error", sentence), cancel=False)

    def busy(self, sentence: str, progress: Progress | None = None) -> Shown:
        """The sentence, a spinner and a way out, of a long work how far it is; everything else as it was."""
        told = () if progress is None else (progress.percent, progress.rest)
        return Shown(status=status_html("busy", sentence, *told), cancel=True)

    def searching(self, clip: Clip) -> Shown:
        """A new clip is being embedded."""
        return Shown(
            status=status_html("busy", texts.MATCHING),
            stage=render("stage.html", clip=self._stage_of(clip), kind=str(self.direction.query)),
            results=results_html(self.words, "busy"),
            take=False,
            cancel=True,
        )

    def full(
        self,
        visit: Visit,
        desk: Desk,
        sentence: str | None = None,
        *,
        keep_list: bool = False,
    ) -> Shown:
        """Everything the desk holds. A sentence that is given while the player is being made is a busy one."""
        busy = desk.clip is not None and desk.player is None
        said = sentence if sentence is not None else self._ranked_sentence(desk)
        return Shown(
            status=status_html("busy" if busy else "quiet" if sentence is None else "done", said),
            stage=self._stage(visit, desk),
            results=None if keep_list else self._results(visit, desk),
            exports=self._exports(visit, desk),
            fit=fit_html(self.shelf, visit, desk),
            take=desk.clip is not None,
            cancel=busy,
        )

    def list_again(self, visit: Visit, desk: Desk) -> Shown:
        """The list after a control moved; the stage stays, what plays goes on."""
        return Shown(
            status=status_html("quiet", self._ranked_sentence(desk)),
            results=self._results(visit, desk),
            exports=self._exports(visit, desk),
            cancel=False,
        )

    def _ranked_sentence(self, desk: Desk) -> str:
        if desk.ranked is None or desk.clip is None:
            return ""
        count = len(desk.ranked.results)
        said = (texts.RANKED_ONE if count == 1 else texts.RANKED).format(count=count, name=desk.clip.name)
        if desk.ranked.answer not in ("exact", "proven complete"):
            said = f"{said} {texts.NOT_EXACT.format(answer=desk.ranked.answer)}"
        return f"{said} {desk.note}".strip()

    def _results(self, visit: Visit, desk: Desk) -> str:
        if desk.ranked is None:
            return results_html(self.words, "empty")
        rows = self.rows(desk)
        kind = str(self.direction.target)
        state = "rows" if rows else "none" if desk.ranked.library_items else "bare"
        desk.sent = sum(result.placing is not None for result in desk.ranked.results)
        measuring = self.refining.url(visit, desk) if self.refining is not None else ""
        return results_html(
            self.words, state, rows, kind, note=desk.note, ranked=desk.ranked, measuring=measuring
        )

    def rows(self, desk: Desk) -> list[Row]:
        """The ranked list as rows."""
        assert desk.ranked is not None and desk.asked is not None and desk.clip is not None
        owner = None if desk.asked.library == DEMO else desk.owner
        rows = []
        for result in desk.ranked.results:
            row = item_row(self.shelf, result.item, owner)
            audio = self.direction.target is Modality.AUDIO
            sound, levels = sounds_of(self.shelf, desk, result, owner)
            rows.append(
                replace(
                    row,
                    rank=result.rank,
                    score=result.score,
                    because=result.because,
                    words=tuple(
                        dict.fromkeys([*result.because, *result.heard, *(g.word for g in result.guessed)])
                    ),
                    fit_percent=bar_percent(result.above or 0.0),
                    facts=(*result.item.genre[:2], clock(result.item.duration_s)),
                    why=why_of(result, self.direction),
                    begins=start_words(result.start_s) if audio else music_start_words(result.query_start_s),
                    placed=placed_words(result.placing),
                    strength=strength(result.above or 0.0),
                    strength_told=strength_told(result.score, result.above or 0.0, result.beats or 0.0),
                    play_from_s=result.start_s if audio else 0.0,
                    end_s=result.end_s,
                    music_from_s=result.music_start_s,
                    timing=timeline_of(result),
                    sound_url=sound,
                    streams=(desk.clip.info.duration_s if audio else result.item.duration_s)
                    > LONGEST_DECODED_S,
                    levels_url=levels,
                )
            )
        return rows

    def row(self, desk: Desk, item_id: str) -> Row:
        """One row of the list that is shown.

        Args:
            desk: whose list.
            item_id: id of the item, or `ID@SECOND` where the visitor moved the music to begin there.

        Raises:
            NotInLibrary: it is not in the list (any more), or its file is gone.
        """
        wanted, _, moved = item_id.partition("@")
        asking = desk.clip.info.duration_s if desk.clip is not None else 0.0
        for row in self.rows(desk) if desk.ranked is not None else []:
            if row.id == wanted:
                if not row.path.is_file():  # the library was changed since, perhaps by somebody else
                    raise NotInLibrary(texts.ITEM_GONE.format(title=row.title))
                music_s = row.duration_s if self.direction.target is Modality.AUDIO else asking
                return replace(row, music_from_s=_second(moved, music_s)) if moved else row
        raise NotInLibrary(texts.UNKNOWN_ITEM)

    def _stage(self, visit: Visit, desk: Desk) -> str:
        if desk.clip is None:
            return ""
        clip = self._stage_of(desk.clip)
        if desk.player is not None:
            name = f"{desk.clip.path.stem}{desk.player.suffix}"
            url = self.shelf.put(ShelfItem(path=desk.player, name=name, owner=visit.id))
            clip = replace(clip, media_url=url, key=url, seen=self.seen(desk))
            if clip.picture and desk.clip.info.audio is not None:
                kept = desk.clip.kept(desk.player.stem)
                clip = replace(
                    clip, levels_url=levels_url(self.shelf, desk.player, kept, visit.id, clip.duration_s)
                )
        return render("stage.html", clip=clip, kind=str(self.direction.query))

    def seen(self, desk: Desk) -> str:
        """One line on the clip itself; empty where the system measures nothing that has a name."""
        if desk.ranked is None:
            return ""
        picture = self.direction.query is Modality.VIDEO
        words = (clip_words if picture else music_words)(desk.ranked.query.facts)
        line = texts.CLIP_SEEN if picture else texts.MUSIC_HEARD
        return line.format(words=words) if words else ""

    def _stage_of(self, clip: Clip) -> StageClip:
        info = clip.info
        facts = [clock(info.duration_s)]
        if info.video is not None and self.direction.query is Modality.VIDEO:
            facts.append(f"{info.video.width_px} × {info.video.height_px}")
        return StageClip(
            name=clip.name,
            facts=" · ".join(facts),
            label=f"Your {self.words.file}: {clip.name}",
            duration_s=info.duration_s,
            picture=self.direction.query is Modality.VIDEO,
            gain_db=clip.gain_db,
            width_px=info.video.width_px if info.video is not None else 0,
            height_px=info.video.height_px if info.video is not None else 0,
        )

    def _exports(self, visit: Visit, desk: Desk) -> str:
        if desk.clip is None or desk.ranked is None:
            return exports_html(self.words, None, [])
        links = list_links(self.shelf, visit, desk)
        if desk.preview is None:
            return exports_html(self.words, None, links)
        mp4, more = preview_links(self.catalogue, self.shelf, visit, desk)
        return exports_html(self.words, (mp4, desk.preview.shown), more + links, now=desk.preview.fresh)

    def fitted(self, visit: Visit, desk: Desk, sentence: str) -> Shown:
        """A track was fitted; the stage and the list stay as they are."""
        return Shown(
            status=status_html("done", sentence), fit=fit_html(self.shelf, visit, desk), cancel=False
        )

    def exported(self, visit: Visit, desk: Desk, sentence: str) -> Shown:
        """The file to take away is there; the stage and the list stay as they are."""
        return Shown(status=status_html("done", sentence), exports=self._exports(visit, desk), cancel=False)


def _second(text: str, duration_s: float) -> float:
    """A second of a track that the browser names. Raises NotInLibrary: it is none of it."""
    try:
        second = float(text)
    except ValueError:
        raise NotInLibrary(texts.UNKNOWN_ITEM) from None
    if not 0 <= second < duration_s:  # NaN compares false
        raise NotInLibrary(texts.UNKNOWN_ITEM)
    return second

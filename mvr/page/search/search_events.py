"""What happens on a search tab: uploads, examples, controls, previews. Each handler ends in a full view or changes
nothing: an error is one sentence in the status line and leaves what was there.
"""

from __future__ import annotations

import functools
import logging
import math
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import Any

import gradio as gr

from mvr.datatypes import Direction
from mvr.errors import MvrError, UsageError
from mvr.page import texts
from mvr.page.context import PageContext
from mvr.page.search.desk import (
    Ask,
    Clip,
    Desk,
    desk_of,
    embed,
    make_player,
    media_limits,
    receive,
)
from mvr.page.search.learned import rank_by_taste
from mvr.page.search.preview import mux_preview
from mvr.page.search.search_view import View
from mvr.page.serving.uploads import Upload
from mvr.page.serving.visits import Visit

logger = logging.getLogger(__name__)
POLL_S = 0.1
SLOW_S = 5.0  # longer than this is announced

Updates = tuple[Any, ...]
Handler = Callable[..., Iterator[Updates]]


def speaking(handler: Handler) -> Handler:
    """Turn what a handler raises into a sentence in the status line; the view stays as it is."""

    @functools.wraps(handler)
    def told(self: SearchEvents, *args: Any, **kwargs: Any) -> Iterator[Updates]:
        try:
            yield from handler(self, *args, **kwargs)
        except MvrError as error:
            yield self.view.error(str(error))
        except Exception:
            logger.exception("a handler of the page failed")
            yield self.view.error(texts.INTERNAL)

    return told


def announcement(clip: Clip, system: str, direction: Direction) -> str | None:
    """What is said before a slow system starts; None for a quick one."""
    from mvr.config.cards import load_card
    from mvr.embeddings.expected import expected_seconds

    card = load_card(system)
    seconds = expected_seconds(card, direction.query, clip.info.duration_s)
    return (
        None if seconds is None or seconds < SLOW_S else texts.SLOW.format(title=card.title, seconds=seconds)
    )


class SearchEvents:
    """Handlers of one direction. Gradio puts request and event by position, so they come first."""

    def __init__(self, context: PageContext, direction: Direction, words: texts.Words) -> None:
        self.context, self.direction, self.words = context, direction, words
        self.limits = media_limits(context.manifest.app)
        self.view = View(context, direction, words)

    def _desk(self, request: gr.Request) -> tuple[Visit, Desk]:
        visit = self.context.visit(request.session_hash)
        return visit, desk_of(visit, self.direction)

    def upload(self, request: gr.Request, uploads: list[Upload] | None, *controls: Any) -> Iterator[Updates]:
        """A file arrived: take it over, then search. The upload box is emptied for the next one."""
        visit, desk = self._desk(request)
        for update in self._upload(visit, desk, uploads, controls):
            yield *update, None

    @speaking
    def _upload(
        self, visit: Visit, desk: Desk, uploads: list[Upload] | None, controls: Updates
    ) -> Iterator[Updates]:
        if not uploads:
            return
        yield self.view.busy(texts.READING.format(name=uploads[0].name))
        clip = receive(visit, uploads[0].path, uploads[0].name, self.direction.query, self.limits)
        yield from self._search(visit, desk, clip, self._ask(visit, controls), controls[-1])

    @speaking
    def pick(self, request: gr.Request, event: gr.EventData, *controls: Any) -> Iterator[Updates]:
        """An example was chosen."""
        visit, desk = self._desk(request)
        clip = self.context.example(str(event.id), self.direction.query)
        yield from self._search(visit, desk, clip, self._ask(visit, controls), controls[-1])

    def _search(self, visit: Visit, desk: Desk, clip: Clip, ask: Ask, cookie: str) -> Iterator[Updates]:
        """Embed, show the list, then make the clip playable: the list is what the visitor waits for."""
        query = self.context.pool.submit(embed, desk, clip, ask, self.context.catalogue)
        try:
            yield self.view.searching(clip)
            if slow := announcement(clip, ask.system, self.direction):
                yield self.view.busy(slow)
            yield from self._wait(query, lambda: None)
            found = query.result()
        except BaseException:  # refused, or the visitor cancelled: the old clip stays
            query.add_done_callback(lambda _: discard(clip))
            raise
        desk.put(clip)
        desk.queries[ask.system] = found
        rank_by_taste(self.context, desk, ask, cookie)
        listed = (
            desk.player is None
        )  # shown while the player is made; drawn again, the list would swallow a click
        yield from self._make_player(visit, desk, clip)
        yield self.view.full(visit, desk, keep_list=listed)

    def _make_player(self, visit: Visit, desk: Desk, clip: Clip) -> Iterator[Updates]:
        if desk.player is not None:
            return
        done = [0.0]
        player = self.context.pool.submit(
            make_player, visit, clip, self.limits, lambda fraction: done.__setitem__(0, fraction)
        )
        yield self.view.full(visit, desk, texts.CONVERTING.format(percent=0))
        yield from self._wait(
            player, lambda: self.view.busy(texts.CONVERTING.format(percent=int(100 * done[0])))
        )
        try:
            made = player.result()
        except MvrError:  # silence, or damage further on: nothing to hear the list with
            if desk.clip is clip:
                desk.put(None)
            yield self.view.full(visit, desk, "")
            raise
        if desk.clip is clip:
            desk.player = made

    def _wait(self, future: Future[Any], report: Callable[[], Updates | None]) -> Iterator[Updates]:
        told = None
        while not future.done():
            wait([future], timeout=POLL_S)
            update = report()
            if update is not None and update != told:
                told = update
                yield update

    @speaking
    def again(self, request: gr.Request, *controls: Any) -> Iterator[Updates]:
        """A control moved: rank again; embeds only when another system is asked."""
        visit, desk = self._desk(request)
        if desk.clip is None:
            return
        ask = self._ask(visit, controls)
        if ask.system not in desk.queries:
            yield self.view.busy(texts.MATCHING)
        rank_by_taste(self.context, desk, ask, controls[-1])
        yield self.view.list_again(visit, desk)

    @speaking
    def preview(self, request: gr.Request, event: gr.EventData, original: str) -> Iterator[Updates]:
        """Put a result on the clip."""
        visit, desk = self._desk(request)
        yield from self._mux(visit, desk, str(event.id), original)

    @speaking
    def remix(self, request: gr.Request, original: str) -> Iterator[Updates]:
        """The clip's own sound was set otherwise: mux the same result again."""
        visit, desk = self._desk(request)
        if desk.preview is not None and desk.preview.original != original:
            yield from self._mux(visit, desk, desk.preview.item_id, original)

    def _mux(self, visit: Visit, desk: Desk, item_id: str, original: str) -> Iterator[Updates]:
        row = self.view.row(desk, item_id)
        yield self.view.busy(texts.MUXING.format(title=row.title))
        desk.preview = mux_preview(self.context, visit, desk, row, original)
        yield self.view.full(visit, desk, texts.MUXED.format(title=row.title), play_now=True, keep_list=True)

    def cancel(self, request: gr.Request) -> Updates:
        """Stop waiting; show what was there."""
        visit, desk = self._desk(request)
        if desk.clip is not None and desk.player is None:  # it never became playable: nothing to go on with
            desk.put(None)
        return self.view.full(visit, desk, texts.CANCELLED)

    def choices(self, request: gr.Request, library: str) -> tuple[Any, Any]:
        """Genres and licences of another library."""
        key = self.context.library_key(library, self.context.visit(request.session_hash))
        genres, licences = self.context.catalogue.choices(key, self.direction.target)
        return gr.Dropdown(choices=genres, value=[]), gr.Dropdown(choices=licences, value=[])

    def helps(self, system: str) -> tuple[Any, Any]:
        """Show the words box and the alpha slider where the system knows them."""
        card = next(choice.card for choice in self.context.catalogue.ready() if choice.name == system)
        return gr.Textbox(visible=card.text), gr.Slider(interactive=card.alpha)

    def alpha_of_address(self, request: gr.Request) -> Any:
        """The slider as `?alpha=` says."""
        try:
            alpha = float(request.query_params.get("alpha", ""))
        except ValueError:
            return gr.skip()
        return round(alpha / 0.05) * 0.05 if 0 <= alpha <= 1 else gr.skip()

    def _ask(self, visit: Visit, controls: Updates) -> Ask:
        (
            alpha,
            library,
            system,
            words,
            genre,
            licence,
            tempo_min,
            tempo_max,
            duration_max,
            variety,
            taste,
            _,
        ) = controls
        from mvr.retrieval import Filters

        filters = Filters(
            genres=tuple(genre or ()),
            licences=tuple(licence or ()),
            min_tempo_bpm=number(texts.TEMPO_MIN_LABEL, tempo_min),
            max_tempo_bpm=number(texts.TEMPO_MAX_LABEL, tempo_max),
            max_duration_s=number(texts.DURATION_MAX_LABEL, duration_max),
        )
        return Ask(
            alpha=alpha,
            library=self.context.library_key(library, visit),
            system=system,
            filters=filters,
            diversity=variety,
            text=(words or "").strip(),
            count=self.context.manifest.app.results,
            taste=taste or "plain",
        )


def discard(clip: Clip) -> None:
    """Delete the file of a clip that did not get onto the desk."""
    if not clip.shared:
        shutil.rmtree(clip.path.parent, ignore_errors=True)


def number(label: str, typed: str | None) -> float | None:
    """A number as it was typed, None for an empty box.

    >>> number("Tempo", " 92,5 ")
    92.5

    Raises:
        UsageError: something else, or one that no filter can use.
    """
    words = (typed or "").strip().replace(",", ".")
    if not words:
        return None
    try:
        value = float(words)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UsageError(texts.NOT_A_NUMBER.format(label=label, typed=words))
    return value or None

"""What happens on a search tab: uploads, examples, controls, previews. Each handler ends in a full view or changes
nothing: an error is one sentence in the status line and leaves what was there. Knows no Gradio.
"""

from __future__ import annotations

import functools
import logging
import shutil
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from mvr.datatypes import Direction
from mvr.errors import MvrError
from mvr.media.stopping import Stopped, Wanted, while_wanted
from mvr.page import texts
from mvr.page.library import DEMO, OWN
from mvr.page.search.controls import Controls, ask_of
from mvr.page.search.desk import Ask, Clip, Desk, desk_of, embed, example_clip, make_player, receive
from mvr.page.search.fitted import Typed, fit_result, fitted_of
from mvr.page.search.fitted import discard as let_go
from mvr.page.search.learned import Teachers, rank_by_taste
from mvr.page.search.preview import Taken, mux_preview
from mvr.page.search.refining import Refining
from mvr.page.search.search_view import NOTHING, Shown, View
from mvr.page.search.waiting import Waiting
from mvr.page.serving import Upload, Visit, media_limits
from mvr.page.serving.room import fault_of_ours
from mvr.timing.fitting.plan import Method

if TYPE_CHECKING:
    from mvr.library.listing import Choices
    from mvr.page.context import PageContext
    from mvr.retrieval import Query

logger = logging.getLogger(__name__)
POLL_S = 0.1
SLOW_S = 5.0  # longer than this is announced

Handler = Callable[..., Iterator[Shown]]
T = TypeVar("T")


def speaking(handler: Handler) -> Handler:
    """Turn what a handler raises into a sentence in the status line; the view stays as it is."""

    @functools.wraps(handler)
    def told(self: SearchEvents, *args: Any, **kwargs: Any) -> Iterator[Shown]:
        try:
            yield from handler(self, *args, **kwargs)
        except Stopped:
            yield NOTHING
        except MvrError as error:
            yield self.view.error(str(error))
        except Exception as error:
            logger.exception("a handler of the page failed")
            yield self.view.error(fault_of_ours(error))

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
    """Handlers of one direction; `session` is whose page it is."""

    def __init__(self, context: PageContext, direction: Direction, words: texts.Words) -> None:
        self.context, self.direction, self.words = context, direction, words
        self.limits = media_limits(context.manifest.app)
        self.view = View(context.catalogue, context.shelf, direction, words)
        self.view.refining = Refining(context.catalogue, context.shelf, context.measuring, self.view)
        self.teachers = Teachers(
            catalogue=context.catalogue, learned=context.learned, ballots=lambda: context.ballots
        )

    def _desk(self, session: str | None) -> tuple[Visit, Desk]:
        visit = self.context.visit(session)
        return visit, desk_of(visit, self.direction)

    @speaking
    def upload(
        self, session: str | None, uploads: list[Upload] | None, controls: Controls
    ) -> Iterator[Shown]:
        """A file arrived: take it over, then search."""
        visit, desk = self._desk(session)
        if not uploads:
            return
        turn, desk.controls = desk.begin(), controls
        yield self.view.busy(texts.READING.format(name=uploads[-1].name))
        clip = receive(visit, uploads[-1].path, uploads[-1].name, self.direction.query, self.limits)
        yield from self._search(visit, desk, clip, controls, turn)

    @speaking
    def pick(self, session: str | None, item_id: str, controls: Controls) -> Iterator[Shown]:
        """An example was chosen."""
        visit, desk = self._desk(session)
        turn, desk.controls = desk.begin(), controls
        clip = example_clip(self.context.catalogue, item_id, self.direction.query)
        yield from self._search(visit, desk, clip, controls, turn)

    def _search(self, visit: Visit, desk: Desk, clip: Clip, controls: Controls, turn: int) -> Iterator[Shown]:
        """Embed, show the list, then make the clip playable: the list is what the visitor waits for. After a cancel, or
        with a newer search, nothing more is shown of this one.
        """
        found = self._found(visit, desk, clip, controls, turn)
        try:
            for shown in found:
                if desk.turn != turn:
                    yield NOTHING
                    return
                yield shown
        finally:
            found.close()

    def _found(
        self, visit: Visit, desk: Desk, clip: Clip, controls: Controls, turn: int
    ) -> Generator[Shown, None, None]:
        ask = self._ask(visit, controls)
        waiting = Waiting()
        query = self._embed(desk, clip, ask, waiting, lambda: desk.turn == turn)
        try:
            yield self.view.searching(clip)
            if slow := announcement(clip, ask.system, self.direction):
                yield self.view.busy(slow)
            yield from self._wait(query, waiting, texts.MATCHING)
            yield from self._read_library(ask)
            yield self.view.busy(
                texts.MATCHING
            )  # whoever cancelled meanwhile stops it here, before the desk changes
            found = query.result()
        except BaseException:  # refused, or the visitor cancelled: the old clip stays
            query.add_done_callback(lambda _: discard(clip))
            raise
        if not desk.put(clip, {ask.system: found}, turn):
            discard(clip)
            return
        try:
            controls = (
                desk.controls or controls
            )  # one may have moved meanwhile: the list is as they stand now
            rank_by_taste(self.teachers, desk, self._ask(visit, controls), controls.voter)
            listed = desk.player is None  # shown while that is made; drawn again, it would swallow a click
            yield from self._make_player(visit, desk, clip, turn)
        except Stopped:
            raise
        except Exception:  # no list, or, by silence or damage further on, nothing to hear it with
            desk.put_back(clip)
            yield self.view.full(visit, desk, "")
            raise
        yield self.view.full(visit, desk, keep_list=listed)
        desk.settle()  # the page has it: whoever cancelled before that is given back what was there

    def _embed(
        self, desk: Desk, clip: Clip, ask: Ask, waiting: Waiting, wanted: Wanted = lambda: True
    ) -> Future[Query]:
        catalogue = self.context.catalogue

        def work() -> Query:
            with while_wanted(wanted):
                return embed(desk, clip, ask, catalogue, waiting.done)

        return self.context.jobs.submit(lambda: catalogue.load(ask.library, ask.system), work)

    def _read_library(self, ask: Ask) -> Iterator[Shown]:
        """Embed what the library holds of another system or an earlier version; a large one takes a while."""
        retriever = self.context.catalogue.retriever(ask.library, ask.system)
        if not retriever.lacks(self.direction):
            return
        waiting = Waiting()
        yield self.view.busy(texts.READING_LIBRARY)
        reading = self.context.pool.submit(
            retriever.prepare, self.direction, lambda done, total, _: waiting.done(done / max(1, total))
        )
        yield from self._wait(reading, waiting, texts.READING_LIBRARY)
        reading.result()

    def _make_player(self, visit: Visit, desk: Desk, clip: Clip, turn: int) -> Iterator[Shown]:
        if desk.player is not None:
            return
        made = yield from self._made(
            lambda told: make_player(visit, clip, self.limits, told),
            lambda path: path.unlink(missing_ok=True),
            self.view.full(visit, desk, texts.CONVERTING),
            texts.CONVERTING,
            lambda: desk.turn == turn,
        )
        if desk.clip is clip:
            desk.player = made

    def _made(
        self,
        make: Callable[[Callable[[float], None]], T],
        drop: Callable[[T], None],
        first: Shown,
        sentence: str,
        wanted: Wanted,
    ) -> Generator[Shown, None, T]:
        """Have something made, show `first`, and say how far it is. The work stops as soon as it is wanted no more, or
        nobody waits; what was made all the same is dropped.
        """
        waiting, left = Waiting(), threading.Event()

        def work() -> T:
            with while_wanted(lambda: wanted() and not left.is_set()):
                return make(waiting.done)

        making = self.context.pool.submit(work)
        try:
            yield first
            yield from self._wait(making, waiting, sentence)
            made = making.result()
            if not wanted():
                raise Stopped
        except BaseException:
            left.set()
            making.add_done_callback(functools.partial(_drop, drop))
            raise
        return made

    def _wait(self, future: Future[Any], waiting: Waiting, sentence: str) -> Iterator[Shown]:
        """Say how far a work is until it is done."""
        while not future.done():
            wait([future], timeout=POLL_S)
            if (progress := waiting.told()) is not None:
                yield self.view.busy(sentence, progress)

    @speaking
    def again(self, session: str | None, controls: Controls) -> Iterator[Shown]:
        """A control moved: rank again; embeds only when another system is asked."""
        visit, desk = self._desk(session)
        ask = self._ask(visit, controls)
        desk.controls = controls  # first of all: a search that is going on ranks by the latest
        clip = desk.clip
        if clip is None:
            return
        if ask.system not in desk.queries:
            yield self.view.busy(announcement(clip, ask.system, self.direction) or texts.MATCHING)
            waiting = Waiting()
            query = self._embed(desk, clip, ask, waiting)
            yield from self._wait(query, waiting, texts.MATCHING)
            yield from self._read_library(ask)
            if desk.clip is not clip:  # another one came meanwhile, with a search of its own
                yield NOTHING
                return
            desk.queries[ask.system] = query.result()
        rank_by_taste(self.teachers, desk, ask, controls.voter)
        yield self.view.list_again(visit, desk)

    @speaking
    def download(self, session: str | None, item_id: str, original: str) -> Iterator[Shown]:
        """Write the MP4 of a result on the clip; the browser saves it when it is there. What is asked for while one is
        written follows it.
        """
        visit, desk = self._desk(session)
        fitted = fitted_of(desk, item_id)
        row = self.view.row(desk, item_id) if fitted is None else fitted.row
        if not desk.ask_for(Taken(row=row, original=original, fitted=fitted)):
            yield NOTHING
            return
        stops, clip, faults = desk.stops, desk.clip, []
        try:
            while (taken := desk.next_taken()) is not None:
                if desk.clip is not clip:
                    faults.append(texts.EXPORT_LEFT.format(title=taken.row.title))
                    continue
                try:  # Gradio's own cancel reaches the last click alone
                    yield from self._written(visit, desk, taken, lambda: desk.stops == stops)
                except MvrError as error:
                    faults.append(str(error))
        except BaseException:
            desk.leave_taken()
            raise
        if faults:
            yield self.view.error(" ".join(faults))

    def _written(self, visit: Visit, desk: Desk, taken: Taken, wanted: Wanted) -> Iterator[Shown]:
        made, title = desk.preview, taken.row.title
        if made is None or not taken.made(made):
            sentence = texts.MUXING.format(title=title)
            made = yield from self._made(
                lambda told: mux_preview(visit, desk, taken, told),
                lambda preview: preview.path.unlink(missing_ok=True),
                self.view.busy(sentence),
                sentence,
                wanted,
            )
            before, desk.preview = desk.preview, made
            if before is not None:
                before.path.unlink(missing_ok=True)
        yield self.view.exported(visit, desk, texts.MUXED.format(title=title))
        desk.preview = replace(made, fresh=False)

    @speaking
    def fit(self, session: str | None, item_id: str, typed: Typed) -> Iterator[Shown]:
        """Cut a result to the clip's length by whole bars; the browser plays it when it is there."""
        visit, desk = self._desk(session)
        row = self.view.row(desk, item_id)
        clip, turn = desk.clip, desk.begin_fit()
        sentence = texts.FITTING[self.direction].format(title=row.title)
        fitted = yield from self._made(
            lambda told: fit_result(visit, desk, row, typed),
            let_go,
            self.view.busy(sentence),
            sentence,
            lambda: desk.fit_turn == turn and desk.clip is clip,  # the latest click is shown, and its result
        )
        before, desk.fitted = desk.fitted, fitted
        let_go(before)
        said = texts.FIT_PLAINLY if fitted.plan.method is Method.PLAIN else texts.FITTED
        yield self.view.fitted(visit, desk, said[self.direction].format(title=row.title))

    @speaking
    def remix(self, session: str | None) -> Iterator[Shown]:
        """The clip's own sound was set otherwise: what was written is no longer what is heard."""
        visit, desk = self._desk(session)
        if desk.preview is not None:
            desk.preview.path.unlink(missing_ok=True)
            desk.preview = None
            yield self.view.exported(visit, desk, "")

    def cancel(self, session: str | None) -> Shown:
        """Stop waiting; show what was there."""
        visit, desk = self._desk(session)
        desk.begin()
        desk.begin_fit()
        desk.stops += 1
        desk.put_back(desk.clip)
        return self.view.full(visit, desk, texts.CANCELLED)

    def choices(self, session: str | None, library: str) -> Choices:
        """What one may choose from in a library."""
        key = self.context.library_key(library, self.context.visit(session))
        return self.context.catalogue.choices(key, self.direction.target)

    def resume(self, session: str | None, ticket: str) -> tuple[str, Controls | None, Shown | None]:
        """What was here before the page was loaded anew: the ticket to keep, the controls, the clip with its list."""
        visit = self.context.visits.resume(session or "", ticket)
        desk = desk_of(visit, self.direction)
        if desk.clip is None or desk.player is None or desk.ranked is None:
            return visit.ticket, desk.controls, None
        return visit.ticket, desk.controls, self.view.full(visit, desk)

    def first_library(self, session: str | None) -> str:
        """The library that a page starts with: one's own where it holds what is searched, as on the command line."""
        key = self.context.library_key(OWN, self.context.visit(session))
        return OWN if self.context.catalogue.has_items(key, self.direction.target) else DEMO

    def _ask(self, visit: Visit, controls: Controls) -> Ask:
        key = self.context.library_key(controls.library, visit)
        return ask_of(controls, key, self.context.manifest.app.results)


def discard(clip: Clip) -> None:
    """Delete the file of a clip that did not get onto the desk."""
    if not clip.shared:
        shutil.rmtree(clip.path.parent, ignore_errors=True)


def _drop(drop: Callable[[T], None], making: Future[T]) -> None:
    """Take back what was made for nobody."""
    if not making.cancelled() and making.exception() is None:
        drop(making.result())

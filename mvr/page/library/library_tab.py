"""Tab "Library": what is searched, and the visitor's own files."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from mvr.errors import MvrError, UsageError
from mvr.page import texts
from mvr.page.context import PageContext
from mvr.page.library import DEMO, OWN
from mvr.page.library.additions import Arrivals, added_words, arrivals_of
from mvr.page.library.browsing import Wish, list_html, page_of
from mvr.page.serving import TICKET, Upload
from mvr.page.serving.html_events import on_load_events
from mvr.page.serving.room import fault_of_ours
from mvr.page.serving.uploads import MEDIA_TYPES
from mvr.page.templates import render, status_html
from mvr.page.upload_box import create_upload_box

if TYPE_CHECKING:
    from mvr.library import Library

logger = logging.getLogger(__name__)
NOTHING_TOLD = status_html("idle", "")
LOOK_S = 0.5  # how often is looked how far an addition is
EDITED = ("title", "artist", "genre", "licence")
Updates = tuple[Any, ...]


def build_tab(context: PageContext, page: gr.Blocks) -> None:
    """Create the tab; see `mvr.page.app`."""
    LibraryTab(context, page)


class LibraryTab:
    """Components and events of the tab."""

    def __init__(self, context: PageContext, page: gr.Blocks) -> None:
        self.context, self._additions = context, context.additions
        gr.HTML(f'<h2 class="mv-title">{texts.LIBRARY_LEAD}</h2>')
        with gr.Row(elem_classes="mv-search"):
            with gr.Column(scale=4, min_width=300, elem_classes="mv-left"):
                self._adding()
            with gr.Column(scale=7, min_width=300, elem_classes="mv-right"):
                self._browsing()
        self._connect(page)

    def _adding(self) -> None:
        gr.HTML(f'<h3 class="mv-subtitle">{texts.LIBRARY_ADD}</h3>')
        self.upload = create_upload_box(
            label=texts.LIBRARY_UPLOAD,
            file_count="multiple",
            file_types=MEDIA_TYPES,
            height=150,
            elem_id="mv-upload-library",
        )
        with gr.Row(visible=self.context.local, elem_classes="mv-folder"):
            self.folder = gr.Textbox(
                label=texts.LIBRARY_FOLDER, placeholder=texts.LIBRARY_FOLDER_HINT, max_length=1000, scale=3
            )
            self.add_folder = gr.Button(texts.LIBRARY_FOLDER_BUTTON, scale=1, min_width=110)
        kept = texts.LIBRARY_KEPT_LOCAL if self.context.local else texts.LIBRARY_KEPT_SHARED
        self.status = gr.HTML(status_html("idle", ""), elem_classes="mv-status-box")
        self.stop = gr.Button(texts.LIBRARY_STOP, visible=False, size="sm", elem_classes="mv-cancel")
        self.clock = gr.Timer(LOOK_S, active=False)
        self.ticket = gr.Textbox(visible="hidden")
        self.report = gr.HTML("")
        gr.HTML(f'<p class="mv-hint">{kept}</p>')

    def _browsing(self) -> None:
        with gr.Row(elem_classes="mv-controls mv-browse"):
            self.which = gr.Radio(
                [(texts.LIBRARY_DEMO, DEMO), (texts.LIBRARY_OWN, OWN)],
                value=DEMO,
                label=texts.LIBRARY_LABEL,
                elem_classes="mv-segments mv-which",
            )
            self.kind = gr.Radio(
                list(texts.LIBRARY_KINDS), value="all", label=texts.LIBRARY_KIND, elem_classes="mv-segments"
            )
            self.words = gr.Textbox(
                label=texts.LIBRARY_SEARCH, placeholder=texts.LIBRARY_SEARCH_HINT, max_length=200
            )
        self.told = gr.HTML(
            NOTHING_TOLD, js_on_load=on_load_events("undo"), elem_classes="mv-status-box mv-told"
        )
        self.list = gr.HTML(
            "",
            js_on_load=on_load_events("remove", "edit", "turn"),
            elem_id="mv-library-list",
            elem_classes="mv-results",
        )

    def _connect(self, page: gr.Blocks) -> None:
        quick = {"api_visibility": "private", "show_progress": "hidden"}
        # past Gradio's queue: nothing here waits, and nothing is left out because something else is answered just now
        now = {**quick, "queue": False}
        put = {**now, "trigger_mode": "multiple"}
        filters = [self.which, self.kind, self.words]
        shown = [self.told, self.list]
        # not `change` of the choices: the page sets them itself, and a list drawn late would take a page back
        for happened in (self.which.input, self.kind.input, self.words.change):
            happened(self.show, filters, shown, trigger_mode="always_last", **quick)
        under_way = [self.status, self.clock, self.stop]
        self.upload.upload(self.add_uploads, self.upload, [self.upload, *under_way], **put)
        gr.on(
            [self.add_folder.click, self.folder.submit],
            self.add_folder_of_disk,
            self.folder,
            under_way,
            **put,
        )
        self.clock.tick(
            self.look, [self.kind, self.words], [*under_way, self.report, self.which, *shown], **now
        )
        self.stop.click(self.stop_adding, None, under_way, **now)
        # each click counts, in its order: Gradio's own way leaves out what comes before the last one is answered
        change = {
            **quick, "trigger_mode": "multiple", "concurrency_id": "library-change", "concurrency_limit": 1,
        }  # fmt: skip
        self.list.remove(self.remove, filters, [*shown, self.report], **change)
        self.told.undo(self.undo, filters, [*shown, self.report], **change)
        self.list.edit(self.edit, filters, shown, **change)
        self.list.turn(self.turn, filters, shown, **change)
        begun = [self.which, *under_way]
        first = page.load(self.start, self.ticket, begun, js=TICKET, **now)
        first.then(self.show, filters, shown, **now)

    def start(self, request: gr.Request, ticket: str) -> Updates:
        """The library of the address; else one's own where it holds anything. What was being added before a reload
        still is.
        """
        self.context.visits.resume(request.session_hash or "", ticket)
        arrivals, key = self._arrivals(request)
        asked = str(request.query_params.get("library", ""))
        if asked not in (DEMO, OWN):
            asked = OWN if self.context.catalogue.has_items(key) else DEMO
        return asked, *self._under_way(arrivals)

    def show(self, request: gr.Request, which: str, kind: str, words: str) -> Updates:
        """The list of one library, from its beginning."""
        return NOTHING_TOLD, self._list(request, Wish(which=which, kind=kind, words=words))

    def turn(self, request: gr.Request, event: gr.EventData, which: str, kind: str, words: str) -> Updates:
        """Another page of the list."""
        wish = Wish(which=which, kind=kind, words=words, page=page_of(event.page))
        return NOTHING_TOLD, self._list(request, wish)

    def _list(self, request: gr.Request, wish: Wish) -> str:
        visit = self.context.visit(request.session_hash)
        key = self.context.library_key(wish.which, visit)
        owner = visit.id if wish.which == OWN else None
        return list_html(self.context.catalogue, self.context.shelf, wish, (key, owner))

    def add_uploads(self, request: gr.Request, uploads: list[Upload] | None) -> Updates:
        """Uploaded files are to go into the own library; the box is empty for the next ones at once."""
        arrivals, key = self._arrivals(request)
        return None, *self._put(arrivals, lambda: self._additions.put_uploads(arrivals, key, uploads or []))

    def add_folder_of_disk(self, request: gr.Request, folder: str) -> Updates:
        """A folder of this computer is to go there."""
        arrivals, key = self._arrivals(request)
        return self._put(arrivals, lambda: self._additions.put_folder(arrivals, key, self._checked(folder)))

    def _checked(self, folder: str) -> Path:
        if not self.context.local:
            raise UsageError(texts.LIBRARY_LOCAL_ONLY)
        if not folder.strip():
            raise UsageError(texts.LIBRARY_NO_FOLDER)
        return Path(folder.strip()).expanduser()

    def _arrivals(self, request: gr.Request) -> tuple[Arrivals, str]:
        """What the visit brings, and the key of its library."""
        visits, visit = self.context.visits, self.context.visit(request.session_hash)
        return arrivals_of(visit, lambda: visits.touch(visit)), self.context.library_key(OWN, visit)

    def _put(self, arrivals: Arrivals, put: Callable[[], None]) -> Updates:
        """Status, clock and stop once something was put to what is added."""
        try:
            put()
        except MvrError as error:
            fault = str(error)
        except Exception as error:
            logger.exception("files cannot be taken")
            fault = fault_of_ours(error)
        else:
            return self._under_way(arrivals)
        if self._additions.refuse(arrivals, fault):
            return self._under_way(arrivals)
        return status_html("error", fault), gr.skip(), gr.skip()

    def _under_way(self, arrivals: Arrivals) -> Updates:
        told = self._additions.told(arrivals)
        status = status_html("busy", told) if told else gr.skip()
        return status, gr.Timer(active=bool(told) or arrivals.unseen), gr.Button(visible=bool(told))

    def look(self, request: gr.Request, kind: str, words: str) -> Updates:
        """How far the additions are; once all is done, what came of them, and the library with it, filtered."""
        arrivals, _ = self._arrivals(request)
        skip = gr.skip()
        if told := self._additions.told(arrivals):
            return status_html("busy", told), skip, skip, skip, skip, skip, skip
        arrivals.unseen = False
        return (
            status_html(*added_words(arrivals)), gr.Timer(active=False), gr.Button(visible=False),
            self._report(request), OWN, NOTHING_TOLD, self._list(request, Wish(which=OWN, kind=kind, words=words)),
        )  # fmt: skip

    def stop_adding(self, request: gr.Request) -> Updates:
        """No more of what the visit brought."""
        arrivals, _ = self._arrivals(request)
        self._additions.stop(arrivals)
        return self._under_way(arrivals)

    def _report(self, request: gr.Request) -> str:
        """What came of adding files last, with what is still there of it."""
        arrivals, key = self._arrivals(request)
        ids = [item.id for item in arrivals.report.added]
        added = self.context.catalogue.library(key).listing.of(ids) if ids else []
        return render("report.html", report=arrivals.report, added=added)

    def _own(self, request: gr.Request, which: str) -> Library:
        if which != OWN:
            raise UsageError(texts.LIBRARY_NOT_OWN)
        visit = self.context.visit(request.session_hash)
        return self.context.catalogue.library(self.context.library_key(OWN, visit))

    def remove(self, request: gr.Request, event: gr.EventData, which: str, kind: str, words: str) -> Updates:
        """Take an item out of the own library; until files are added it can come back."""
        try:
            library = self._own(request, which)
            item = library.item(str(event.id))
            library.remove([item.id])
        except MvrError as error:
            return status_html("error", str(error)), gr.skip(), gr.skip()
        wish = Wish(which=which, kind=kind, words=words, page=page_of(event.page))
        said = texts.LIBRARY_REMOVED.format(title=item.title)
        told = render("told.html", text=said, removed=item.id, page=wish.page)
        return told, self._list(request, wish), self._report(request)

    def undo(self, request: gr.Request, event: gr.EventData, which: str, kind: str, words: str) -> Updates:
        """Bring a removed item back."""
        try:
            [item] = self._own(request, which).restore([str(event.id)])
        except MvrError as error:
            return status_html("error", str(error)), gr.skip(), gr.skip()
        wish = Wish(which=which, kind=kind, words=words, page=page_of(event.page))
        said = status_html("done", texts.LIBRARY_RESTORED.format(title=item.title))
        return said, self._list(request, wish), self._report(request)

    def edit(self, request: gr.Request, event: gr.EventData, which: str, kind: str, words: str) -> Updates:
        """Lay the visitor's own words over an item of theirs."""
        try:
            typed = {name: str(getattr(event, name))[:300] for name in EDITED}
            item = self._own(request, which).edit(str(event.id), **typed)
        except MvrError as error:
            return status_html("error", str(error)), gr.skip()
        wish = Wish(which=which, kind=kind, words=words, page=page_of(event.page))
        said = status_html("done", texts.LIBRARY_EDITED.format(title=item.title))
        return said, self._list(request, wish)

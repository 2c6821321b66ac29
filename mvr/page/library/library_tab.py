"""Tab "Library": what is searched, and the visitor's own files."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from mvr.config.paths import DEFAULT_SYSTEM
from mvr.errors import MvrError, UsageError
from mvr.page import texts
from mvr.page.context import PageContext
from mvr.page.library import DEMO, OWN
from mvr.page.library.browsing import Wish, list_html, page_of
from mvr.page.library.rows import delete_made
from mvr.page.serving import Upload, safe_name, take_over
from mvr.page.serving.html_events import on_load_events
from mvr.page.serving.room import fault_of_ours
from mvr.page.serving.uploads import MEDIA_TYPES
from mvr.page.templates import render, status_html
from mvr.page.upload_box import create_upload_box

if TYPE_CHECKING:
    from mvr.library import AddReport, Library

logger = logging.getLogger(__name__)
NOTHING_TOLD = status_html("idle", "")
REPORT = "library-report"  # of the visit's desk: what came of adding files last
EDITED = ("title", "artist", "genre", "licence")
Updates = tuple[Any, ...]


def build_tab(context: PageContext, page: gr.Blocks) -> None:
    """Create the tab; see `mvr.page.app`."""
    LibraryTab(context, page)


class LibraryTab:
    """Components and events of the tab."""

    def __init__(self, context: PageContext, page: gr.Blocks) -> None:
        self.context = context
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
            elem_classes="mv-upload",
        )
        with gr.Row(visible=self.context.local, elem_classes="mv-folder"):
            self.folder = gr.Textbox(
                label=texts.LIBRARY_FOLDER, placeholder=texts.LIBRARY_FOLDER_HINT, max_length=1000, scale=3
            )
            self.add_folder = gr.Button(texts.LIBRARY_FOLDER_BUTTON, scale=1, min_width=110)
        kept = texts.LIBRARY_KEPT_LOCAL if self.context.local else texts.LIBRARY_KEPT_SHARED
        self.status = gr.HTML(status_html("idle", ""), elem_classes="mv-status-box")
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
        slow = {**quick, "concurrency_id": "embed", "concurrency_limit": self.context.manifest.app.embed_jobs}
        filters = [self.which, self.kind, self.words]
        shown = [self.told, self.list]
        # not `change` of the choices: the page sets them itself, and a list drawn late would take a page back
        for happened in (self.which.input, self.kind.input, self.words.change):
            happened(self.show, filters, shown, trigger_mode="always_last", **quick)
        added = [self.status, self.report, self.which, *shown]
        self.upload.upload(self.add_uploads, self.upload, [*added, self.upload], **slow)
        gr.on(
            [self.add_folder.click, self.folder.submit], self.add_folder_of_disk, self.folder, added, **slow
        )
        self.list.remove(self.remove, filters, [*shown, self.report], **quick)
        self.told.undo(self.undo, filters, [*shown, self.report], **quick)
        self.list.edit(self.edit, filters, shown, **quick)
        self.list.turn(self.turn, filters, shown, **quick)
        first = page.load(self.start, None, self.which, queue=False, **quick)
        first.then(self.show, filters, shown, queue=False, **quick)

    def start(self, request: gr.Request) -> str:
        """The library of the address; else one's own where it holds anything."""
        asked = str(request.query_params.get("library", ""))
        if asked in (DEMO, OWN):
            return asked
        key = self.context.library_key(OWN, self.context.visit(request.session_hash))
        return OWN if self.context.catalogue.has_items(key) else DEMO

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

    def add_uploads(self, request: gr.Request, uploads: list[Upload] | None) -> Iterator[Updates]:
        """Take uploaded files over into the own library."""
        for update in self._add(request, lambda: self._take_over(uploads or [], request)):
            yield *update, None

    def add_folder_of_disk(self, request: gr.Request, folder: str) -> Iterator[Updates]:
        """Add a folder of this computer."""
        yield from self._add(request, lambda: [self._checked(folder)])

    def _checked(self, folder: str) -> Path:
        if not self.context.local:
            raise UsageError(texts.LIBRARY_LOCAL_ONLY)
        if not folder.strip():
            raise UsageError(texts.LIBRARY_NO_FOLDER)
        return Path(folder.strip()).expanduser()

    def _take_over(self, uploads: list[Upload], request: gr.Request) -> list[Path]:
        visit = self.context.visit(request.session_hash)
        media = Path(self.context.library_key(OWN, visit)) / "media"
        taken = []
        for number, upload in enumerate(uploads):
            folder = media / f"{time.time_ns():x}-{number}"
            folder.mkdir(parents=True)
            take_over(upload.path, folder / safe_name(upload.name))
            taken.append(folder / safe_name(upload.name))
        return taken

    def _add(self, request: gr.Request, paths: Any) -> Iterator[Updates]:
        skip = gr.skip()
        told: list[tuple[int, int, str]] = [(0, 0, "")]
        try:
            wanted = paths()
            visit = self.context.visit(request.session_hash)
            library = self.context.catalogue.library(self.context.library_key(OWN, visit))
            for item in library.purge():  # from now on they cannot come back
                self._delete_upload(item.path)
                delete_made(item, visit.id)
            system = self.context.catalogue.system(DEFAULT_SYSTEM)
            job = self.context.pool.submit(
                library.add, wanted, system, progress=lambda *step: told.__setitem__(0, step)
            )
            shown = None
            while not job.done():
                if told[0] != shown:
                    shown = told[0]
                    yield status_html("busy", adding(*shown)), "", skip, skip, skip
                time.sleep(0.1)
            report = job.result()
            self._discard_refused(report, {item.path for item in library.items()})
            visit.desk[REPORT] = report
            yield (
                status_html(
                    "done" if report.added or report.known or report.updated else "error", added_words(report)
                ),
                self._report(request),
                OWN,
                NOTHING_TOLD,
                self._list(request, Wish(which=OWN)),
            )
        except MvrError as error:
            yield status_html("error", str(error)), skip, skip, skip, skip
        except Exception as error:
            logger.exception("adding to a library failed")
            yield status_html("error", fault_of_ours(error)), skip, skip, skip, skip

    def _report(self, request: gr.Request) -> str:
        """What came of adding files last, with what is still there of it."""
        visit = self.context.visit(request.session_hash)
        report: AddReport | None = visit.desk.get(REPORT)
        if report is None:
            return ""
        listing = self.context.catalogue.library(self.context.library_key(OWN, visit)).listing
        return render("report.html", report=report, added=listing.of([item.id for item in report.added]))

    def _discard_refused(self, report: AddReport, kept: set[Path]) -> None:
        """Delete uploads that the library did not keep; files of the user's folders are never touched."""
        for path in [entry.path for entry in report.skipped] + report.known:
            if Path(path) not in kept:  # a known one may stand in for a file that was gone
                self._delete_upload(Path(path))

    def _delete_upload(self, path: Path) -> None:
        if path.parent.parent.name == "media" and (path.parent.parent.parent / "catalogue.sqlite").exists():
            path.unlink(missing_ok=True)

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


def added_words(report: AddReport) -> str:
    """What came of adding, for whoever dropped the files."""
    parts = [texts.ADDED.format(count=len(report.added))]
    if report.known:
        parts.append(texts.ADDED_KNOWN.format(count=len(report.known)))
    if report.skipped:
        parts.append(texts.ADDED_SKIPPED.format(count=len(report.skipped)))
    if report.same_music:
        parts.append(texts.ADDED_SAME.format(count=len(report.same_music)))
    return f"{', '.join(parts)}."


def adding(done: int, total: int, name: str) -> str:
    """The progress sentence."""
    return texts.LIBRARY_ADDING.format(name=name or "…", done=min(done + 1, total), total=total)

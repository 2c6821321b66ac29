"""Tab "Library": what is searched, and the visitor's own files."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from mvr.config.paths import DEFAULT_SYSTEM
from mvr.datatypes import Modality
from mvr.errors import MvrError, UsageError
from mvr.page import texts
from mvr.page.context import PageContext
from mvr.page.library import DEMO, OWN, item_row
from mvr.page.library.rows import delete_made
from mvr.page.serving import Upload, safe_name, take_over
from mvr.page.serving.html_events import on_load_events
from mvr.page.serving.uploads import MEDIA_TYPES
from mvr.page.templates import render, status_html
from mvr.page.upload_box import create_upload_box

if TYPE_CHECKING:
    from mvr.library import AddReport, Item, Library

logger = logging.getLogger(__name__)
PAGE_ITEMS = 50
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
        self.list = gr.HTML(
            "",
            js_on_load=on_load_events("remove", "undo", "edit", "turn"),
            elem_id="mv-library-list",
            elem_classes="mv-results",
        )

    def _connect(self, page: gr.Blocks) -> None:
        quick = {"api_visibility": "private", "show_progress": "hidden"}
        slow = {**quick, "concurrency_id": "embed", "concurrency_limit": self.context.manifest.app.embed_jobs}
        filters = [self.which, self.kind, self.words]
        for control in filters:
            control.change(self.show, filters, self.list, trigger_mode="always_last", **quick)
        told = [self.status, self.report, self.which, self.list]
        self.upload.upload(self.add_uploads, self.upload, [*told, self.upload], **slow)
        gr.on([self.add_folder.click, self.folder.submit], self.add_folder_of_disk, self.folder, told, **slow)
        for event, handler in (("remove", self.remove), ("undo", self.undo), ("edit", self.edit)):
            getattr(self.list, event)(handler, filters, [self.status, self.list], **quick)
        self.list.turn(self.turn, filters, self.list, **quick)
        page.load(self.start, None, self.which, **quick).then(self.show, filters, self.list, **quick)

    def start(self, request: gr.Request) -> str:
        """The library of the address; else one's own where it holds anything."""
        asked = str(request.query_params.get("library", ""))
        if asked in (DEMO, OWN):
            return asked
        key = self.context.library_key(OWN, self.context.visit(request.session_hash))
        has = self.context.catalogue.has_items
        return OWN if any(has(key, modality) for modality in Modality) else DEMO

    def show(self, request: gr.Request, which: str, kind: str, words: str) -> str:
        """The list of one library."""
        return self._list(request, which, kind, words)

    def turn(self, request: gr.Request, event: gr.EventData, which: str, kind: str, words: str) -> str:
        """Another page of the list."""
        page = str(event.page)
        return self._list(request, which, kind, words, Notice(page=int(page) if page.isdecimal() else 0))

    def _list(
        self,
        request: gr.Request,
        which: str,
        kind: str = "all",
        words: str = "",
        notice: Notice | None = None,
    ) -> str:
        notice = notice or Notice()
        visit = self.context.visit(request.session_hash)
        key = self.context.library_key(which, visit)
        everything = self.context.catalogue.items(key, None if kind == "all" else Modality(kind))
        found = [item for item in everything if matches(item, words)]
        title, hint = texts.LIBRARY_NONE, texts.LIBRARY_NONE_HINT
        if not everything and kind == "all":
            title = texts.LIBRARY_EMPTY_OWN if which == OWN else texts.LIBRARY_EMPTY_DEMO
            hint = texts.LIBRARY_EMPTY_OWN_HINT if which == OWN else texts.LIBRARY_EMPTY_DEMO_HINT
        owner = visit.id if which == OWN else None
        last_page = max(0, (len(found) - 1) // PAGE_ITEMS)
        page = min(notice.page, last_page)
        here = found[page * PAGE_ITEMS : (page + 1) * PAGE_ITEMS]
        rows = [(item_row(self.context.shelf, item, owner), item) for item in here]
        return render(
            "library.html",
            items=rows,
            own=which == OWN,
            total=len(found),
            page=page,
            last_page=last_page,
            page_items=PAGE_ITEMS,
            title=title,
            hint=hint,
            removed=notice.removed,
        )

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
                    yield status_html("busy", adding(*shown)), "", skip, skip
                time.sleep(0.1)
            report = job.result()
            self._discard_refused(report, {item.path for item in library.items()})
            yield (
                status_html(
                    "done" if report.added or report.known or report.updated else "error", added_words(report)
                ),
                render("report.html", report=report),
                OWN,
                self._list(request, OWN),
            )
        except MvrError as error:
            yield status_html("error", str(error)), skip, skip, skip
        except Exception:
            logger.exception("adding to a library failed")
            yield status_html("error", texts.INTERNAL), skip, skip, skip

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
            return status_html("error", str(error)), gr.skip()
        said = status_html("done", texts.LIBRARY_REMOVED.format(title=item.title))
        return said, self._list(request, which, kind, words, Notice(removed=item))

    def undo(self, request: gr.Request, event: gr.EventData, which: str, kind: str, words: str) -> Updates:
        """Bring a removed item back."""
        try:
            [item] = self._own(request, which).restore([str(event.id)])
        except MvrError as error:
            return status_html("error", str(error)), gr.skip()
        said = status_html("done", texts.LIBRARY_RESTORED.format(title=item.title))
        return said, self._list(request, which, kind, words)

    def edit(self, request: gr.Request, event: gr.EventData, which: str, kind: str, words: str) -> Updates:
        """Lay the visitor's own words over an item of theirs."""
        try:
            typed = {name: str(getattr(event, name))[:300] for name in EDITED}
            item = self._own(request, which).edit(str(event.id), **typed)
        except MvrError as error:
            return status_html("error", str(error)), gr.skip()
        said = status_html("done", texts.LIBRARY_EDITED.format(title=item.title))
        return said, self._list(request, which, kind, words, Notice(page=int(str(event.page))))


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What a list says beside its items: which page it is, and what was just removed."""

    page: int = 0
    removed: Item | None = None


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


def matches(item: Item, words: str | None) -> bool:
    """Whether every word occurs in what is written about an item."""
    text = " ".join([item.title, item.artist, item.album, item.name, item.licence, *item.genre, *item.mood])
    return all(word in text.casefold() for word in (words or "").casefold().split())

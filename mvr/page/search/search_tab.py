"""The two search tabs: components and events of one direction; what they do is in `search_events.py`, which knows no
Gradio.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import gradio as gr

from mvr.arena.reranking.files import promoted_path
from mvr.datatypes import Direction, Modality
from mvr.page import texts
from mvr.page.context import PageContext
from mvr.page.library import DEMO, OWN
from mvr.page.search import SearchEvents
from mvr.page.search.controls import Controls, alpha_of
from mvr.page.search.fitted import Typed
from mvr.page.search.search_view import NOTHING, Shown, examples_html, exports_html, results_html
from mvr.page.serving import TICKET
from mvr.page.serving.html_events import on_load_events
from mvr.page.serving.uploads import MEDIA_TYPES, Upload
from mvr.page.templates import render, status_html
from mvr.page.upload_box import create_upload_box
from mvr.retrieval.filters import INSTRUMENTS

Values = dict[Any, Any]  # component -> value

_VOTER = (
    "() => localStorage.getItem('mv_voter') || ''"  # the signed id of the tab Vote; only "my taste" uses it
)

_KEEP_TICKET = "(ticket) => { if (ticket) sessionStorage.setItem('mv_visit', ticket); }"


class SearchTab:
    """One direction's tab.

    Args:
        context: what the tabs share.
        page: the page, for what happens when it loads.
        direction: who asks whom.
    """

    def __init__(self, context: PageContext, page: gr.Blocks, direction: Direction) -> None:
        self.context, self.direction = context, direction
        self.words = words_of(direction)
        self.events = SearchEvents(context, direction, self.words)
        gr.HTML(f'<h2 class="mv-title">{self.words.lead}</h2>')
        with gr.Row(elem_classes="mv-search"):
            with gr.Column(scale=5, min_width=300, elem_classes="mv-left"):
                self._left()
            with gr.Column(scale=7, min_width=300, elem_classes="mv-right"):
                self._right()
        self._connect(page)

    def _left(self) -> None:
        with gr.Column(elem_classes="mv-desk"):
            self._clip()
        self.upload = create_upload_box(
            label=self.words.upload,
            file_types=MEDIA_TYPES,
            height=150,
            elem_id=f"mv-upload-{self.direction}",
        )
        gr.HTML(f'<p class="mv-hint mv-centre">{self._limits()}</p>')
        self.examples = gr.HTML(
            examples_html(self.context.catalogue, self.context.shelf, self.direction, self.words),
            js_on_load=on_load_events("pick"),
            elem_id=f"mv-examples-{self.direction}",
            elem_classes="mv-examples-box",
        )

    def _clip(self) -> None:
        self.stage = gr.HTML("", elem_classes="mv-stage-box")
        with gr.Column(visible=False, elem_classes="mv-take") as self.take:
            self.original = gr.Radio(
                list(texts.ORIGINALS), value="mute", label=texts.ORIGINAL_LABEL, elem_classes="mv-segments"
            )
            self.fit = gr.HTML("", js_on_load=on_load_events("fit"))
            self.exports = gr.HTML(exports_html(self.words, None, []), js_on_load=on_load_events("download"))
        self.status = gr.HTML(status_html("idle", ""), elem_classes="mv-status-box")
        self.cancel = gr.Button(texts.CANCEL, visible=False, size="sm", elem_classes="mv-cancel")

    def _limits(self) -> str:
        app = self.context.manifest.app
        longest_s = app.max_video_s if self.direction.query is Modality.VIDEO else app.max_music_s
        return texts.UPLOAD_HINT.format(minutes=longest_s / 60, size=app.max_upload_mb)

    def _right(self) -> None:
        with gr.Column(elem_classes="mv-controls"):
            self.alpha = gr.Slider(
                0,
                1,
                value=self.context.first_alpha(),
                step=0.05,
                label=texts.ALPHA_LABEL,
                elem_classes="mv-alpha",
            )
            gr.HTML(
                f'<p class="mv-ends" aria-hidden="true"><span>{texts.ALPHA_LEFT}</span>'
                f"<span>{texts.ALPHA_RIGHT}</span></p>"
            )
            self._chips()
            with gr.Accordion(texts.REFINE, open=False, elem_classes="mv-refine"):
                self._refine()
                self._order()
        self.results = gr.HTML(
            results_html(self.words, "empty"),
            elem_id=f"mv-results-{self.direction}",
            elem_classes="mv-results",
        )
        self.anew = gr.Button(visible="hidden", elem_classes="mv-anew")  # the page's script presses it

    def _order(self) -> None:
        """Whether votes may change the order; a re-ranking that passed its gates is on until it is switched off."""
        names = [choice.name for choice in self.context.catalogue.ready()]
        taught = any(promoted_path(name, self.direction).is_file() for name in names)
        orders = [(texts.TASTE_PLAIN_NAME, "plain"), (texts.TASTE_MINE_NAME, "mine")]
        if taught:
            orders.insert(1, (texts.TASTE_VOTES_NAME, "votes"))
        self.taste = gr.Radio(
            orders,
            value="votes" if taught else "plain",
            label=texts.TASTE_LABEL,
            elem_classes="mv-segments",
            elem_id=f"mv-order-{self.direction}",
        )
        self.voter = gr.Textbox(visible="hidden")
        self.ticket = gr.Textbox(visible="hidden")

    def _chips(self) -> None:
        """Filters of one click: mood where the library knows any, and tempo."""
        moods = self.context.catalogue.choices(DEMO, self.direction.target).moods
        music = self.direction.target is Modality.AUDIO
        with gr.Row(elem_classes="mv-chip-row"):
            self.library = gr.Radio(
                [(texts.LIBRARY_DEMO, DEMO), (texts.LIBRARY_OWN, OWN)], value=DEMO, label=texts.LIBRARY_LABEL,
                elem_classes="mv-segments mv-which",
            )  # fmt: skip
            self.pace = gr.Radio(
                list(texts.PACES), value="any", label=texts.PACE_LABEL, elem_classes="mv-chips", visible=music
            )
            self.mood = gr.CheckboxGroup(
                moods, label=texts.MOOD_LABEL, elem_classes="mv-chips", visible=bool(moods)
            )

    def _refine(self) -> None:
        catalogue = self.context.catalogue
        systems = [(choice.title, choice.name) for choice in catalogue.ready()]
        choices = catalogue.choices(DEMO, self.direction.target)
        with gr.Row():
            self.system = gr.Dropdown(
                systems, value=systems[0][1] if systems else None, label=texts.SYSTEM_LABEL
            )
        self.text = gr.Textbox(
            label=texts.TEXT_LABEL, placeholder=texts.TEXT_HINT, max_length=200, visible=self._words_help()
        )
        with gr.Row():
            many = {"multiselect": True, "elem_classes": "mv-any"}
            self.genre = gr.Dropdown(choices.genres, label=texts.GENRE_LABEL, **many)
            self.instrument = gr.Dropdown(
                list(INSTRUMENTS),
                label=texts.INSTRUMENT_LABEL,
                visible=self.direction.target is Modality.AUDIO,
                **many,
            )
            self.licence = gr.Dropdown(choices.licences, label=texts.LICENCE_LABEL, **many)
        with gr.Row():
            self.tempo_min = number_box(texts.TEMPO_MIN_LABEL)
            self.tempo_max = number_box(texts.TEMPO_MAX_LABEL)
            self.duration_max = number_box(texts.DURATION_MAX_LABEL)
        self.earn = gr.Checkbox(label=texts.EARN_LABEL, info=texts.EARN_INFO, elem_classes="mv-earn")
        self.variety = gr.Slider(0, 1, value=0, step=0.1, label=texts.VARIETY_LABEL)
        self.timing = gr.Checkbox(
            value=True, label=texts.TIMING_LABEL, info=texts.TIMING_INFO, elem_classes="mv-earn mv-timing"
        )
        gr.HTML(self._not_ready())

    def _words_help(self) -> bool:
        ready = self.context.catalogue.ready()
        return bool(ready) and ready[0].card.text

    def _not_ready(self) -> str:
        return render("not_ready.html", systems=[c for c in self.context.catalogue.systems() if not c.ready])

    def _connect(self, page: gr.Blocks) -> None:
        self.controls = {
            "alpha": self.alpha, "library": self.library, "system": self.system, "text": self.text,
            "genre": self.genre, "mood": self.mood, "pace": self.pace, "licence": self.licence,
            "tempo_min": self.tempo_min, "tempo_max": self.tempo_max, "duration_max": self.duration_max,
            "earn": self.earn,
            "variety": self.variety, "taste": self.taste, "voter": self.voter, "timing": self.timing,
            "instrument": self.instrument,
        }  # fmt: skip
        controls = set(self.controls.values())
        self.view = [
            self.status, self.stage, self.results, self.exports, self.fit, self.take, self.cancel,
        ]  # fmt: skip
        view = self.view
        quick: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        # they wait here, and work where only so many do at a time: see `Jobs`
        slow = {**quick, "concurrency_id": "search", "concurrency_limit": MOST_SEARCHING}
        # nothing is left without a word because something goes on already: the latest clip, fit and state of the
        # controls wins, and files that are asked for are written one after the other
        last = {**quick, "trigger_mode": "always_last"}
        search = {**slow, "trigger_mode": "multiple"}
        write = {**search, "concurrency_id": "mux"}
        uploaded = self.upload.upload(
            self.on_upload, {self.upload, *controls}, [*view, self.upload], **search
        )
        picked = self.examples.pick(self.on_pick, controls, view, **search)
        for control in (self.alpha, self.variety):
            control.input(self.on_change, controls, view, **last)
        filters = (
            self.genre,
            self.licence,
            self.mood,
            self.instrument,
            self.pace,
            self.tempo_min,
            self.tempo_max,
            self.duration_max,
            self.earn,
            self.timing,
        )
        for control in (self.library, *filters):
            control.change(self.on_change, controls, view, **last)
        self.anew.click(self.on_change, controls, view, **last)
        changed = self.system.change(self.on_change, controls, view, **slow)
        self.system.change(self.on_system, self.system, [self.text, self.alpha], **quick)
        who = self.taste.input(None, None, self.voter, js=_VOTER, **quick)
        who.then(self.on_change, controls, view, **last)
        self.text.submit(self.on_change, controls, view, **last)
        self.library.change(self.on_library, self.library, [self.genre, self.licence, self.mood], **quick)
        taken = self.exports.download(self.on_download, self.original, view, **write)
        fitted = self.fit.fit(self.on_fit, None, view, **write)
        self.original.input(self.on_original, None, view, **last)
        running = [uploaded, picked, changed, taken, fitted]
        self.cancel.click(self.on_cancel, None, view, cancels=running, **quick)
        restored = [*self.controls.values(), *view, self.ticket]
        loaded = page.load(self.on_load, self.ticket, restored, js=TICKET, queue=False, **quick)
        loaded.then(None, self.ticket, None, js=_KEEP_TICKET, **quick)

    def _by_name(self, values: Values) -> Controls:
        return Controls(**{name: values[component] for name, component in self.controls.items()})

    def on_upload(self, values: Values, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """A file arrived; the box is emptied for the next one."""
        uploads: list[Upload] | None = values[self.upload]
        for updates in _all(self.events.upload(request.session_hash, uploads, self._by_name(values))):
            yield *updates, None

    def on_pick(self, values: Values, event: gr.EventData, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """An example was chosen."""
        yield from _all(self.events.pick(request.session_hash, str(event.id), self._by_name(values)))

    def on_change(self, values: Values, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """A control moved."""
        yield from _all(self.events.again(request.session_hash, self._by_name(values)))

    def on_download(
        self, original: str, event: gr.EventData, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """A result on the clip is to be taken away."""
        yield from _all(self.events.download(request.session_hash, str(event.id), original))

    def on_fit(self, event: gr.EventData, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """A result is to be cut to the clip's length."""
        typed = Typed(hit=str(event.hit)[:20], ending=str(event.ending)[:20])
        yield from _all(self.events.fit(request.session_hash, str(event.id), typed))

    def on_original(self, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """The clip's own sound was set otherwise."""
        yield from _all(self.events.remix(request.session_hash))

    def on_cancel(self, request: gr.Request) -> tuple[Any, ...]:
        """Stop waiting."""
        return updates_of(self.events.cancel(request.session_hash))

    def on_library(self, library: str, request: gr.Request) -> tuple[Any, Any, Any]:
        """Genres, licences and moods of another library."""
        of = self.events.choices(request.session_hash, library)
        return (
            gr.Dropdown(choices=of.genres, value=[]),
            gr.Dropdown(choices=of.licences, value=[]),
            gr.CheckboxGroup(choices=of.moods, value=[], visible=bool(of.moods)),
        )

    def on_system(self, system: str) -> tuple[Any, Any]:
        """Show the words box and the alpha slider where the system knows them."""
        card = next(choice.card for choice in self.context.catalogue.ready() if choice.name == system)
        return gr.Textbox(visible=card.text), gr.Slider(interactive=card.alpha, value=card.alpha_default)

    def on_load(self, ticket: str, request: gr.Request) -> dict[Any, Any]:
        """The clip, list and controls of before a reload; alpha and library as the address says; else one's own library
        where there is one.
        """
        ticket, known, shown = self.events.resume(request.session_hash, ticket)
        updates: dict[Any, Any] = {self.ticket: ticket}
        if known is not None:
            updates |= {part: getattr(known, name) for name, part in self.controls.items()}
        if shown is not None:
            updates |= dict(zip(self.view, updates_of(shown), strict=True))
        alpha, library = (
            alpha_of(request.query_params.get("alpha", "")),
            request.query_params.get("library", ""),
        )
        if alpha is not None:
            updates[self.alpha] = alpha
        if library in (DEMO, OWN):
            updates[self.library] = library
        elif known is None:
            updates[self.library] = self.events.first_library(request.session_hash)
        return updates


MOST_SEARCHING = 32  # of the threads that answer; the others stay free for quick questions


def updates_of(shown: Shown) -> tuple[Any, ...]:
    """Gradio's updates of (status, stage, results, exports, fit, take, cancel); None leaves a part as it is."""
    parts = (shown.status, shown.stage, shown.results, shown.exports, shown.fit)
    return (
        *(gr.skip() if part is None else part for part in parts),
        gr.skip() if shown.take is None else gr.Column(visible=shown.take),
        gr.skip() if shown.cancel is None else gr.Button(visible=shown.cancel),
    )


def _all(shown: Iterable[Shown]) -> Iterator[tuple[Any, ...]]:
    """Updates of each; of none one that leaves everything: Gradio empties the outputs of who yields nothing."""
    nothing = True
    for one in shown:
        nothing = False
        yield updates_of(one)
    if nothing:
        yield updates_of(NOTHING)


def words_of(direction: Direction) -> texts.Words:
    """The texts of one direction."""
    return texts.VIDEO_TO_MUSIC if direction is Direction.VIDEO_TO_MUSIC else texts.MUSIC_TO_VIDEO


def number_box(label: str) -> gr.Textbox:
    """A number that may be left out; `gr.Number` shows 0 for one that nobody gave."""
    return gr.Textbox(label=label, placeholder=texts.ANY, max_length=8)

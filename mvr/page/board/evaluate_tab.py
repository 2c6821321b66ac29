"""Tab "Evaluate": the committed retrieval results, alpha curves beside people's preference, one's own system."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr

from mvr.datatypes import Direction, JsonDict
from mvr.errors import MvrError
from mvr.page import texts
from mvr.page.board.curves import Panel, metric_panel, panel
from mvr.page.board.evaluation import (
    Place,
    chance_cells,
    committed_results,
    headings,
    places,
    preference_points,
    read_uploads,
    table_lines,
)
from mvr.page.context import PageContext
from mvr.page.serving import Upload
from mvr.page.serving.room import fault_of_ours
from mvr.page.templates import render, status_html
from mvr.page.upload_box import create_upload_box

logger = logging.getLogger(__name__)
DESK = "evaluate"  # where a visit keeps its own rows


def build_tab(context: PageContext, page: gr.Blocks) -> None:
    """Create the tab; see `mvr.page.app`."""
    EvaluateTab(context, page)


class EvaluateTab:
    """Components and events of the tab."""

    def __init__(self, context: PageContext, page: gr.Blocks) -> None:
        self.context = context
        self.sets = {one.name: one for one in committed_results()}
        gr.HTML(f'<h2 class="mv-title">{texts.EVALUATE_LEAD}</h2>')
        with gr.Row(elem_classes="mv-search"):
            with gr.Column(scale=4, min_width=300, elem_classes="mv-left"):
                self._choosing()
            with gr.Column(scale=7, min_width=300, elem_classes="mv-right"):
                self.report = gr.HTML("", elem_id="mv-evaluate")
        self._connect(page)

    def _choosing(self) -> None:
        names = [(one.title, one.name) for one in self.sets.values()]
        first = next(iter(self.sets), None)
        self.which = gr.Dropdown(names, value=first, label=texts.EVALUATE_SET, elem_id="mv-evaluate-set")
        self.place = gr.Dropdown(
            self._place_choices(first), value=0 if first else None, label=texts.EVALUATE_TASK
        )
        gr.HTML(f'<h3 class="mv-subtitle">{texts.EVALUATE_UPLOAD_TITLE}</h3>')
        gr.HTML(f'<p class="mv-hint">{texts.EVALUATE_UPLOAD_HINT}</p>')
        self.upload = create_upload_box(
            label=texts.EVALUATE_UPLOAD,
            file_count="multiple",
            file_types=[".json", ".csv", ".npy"],
            height=130,
            elem_id="mv-upload-evaluate",
        )
        self.status = gr.HTML(status_html("idle", ""), elem_classes="mv-status-box")

    def _connect(self, page: gr.Blocks) -> None:
        quick: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        chosen = [self.which, self.place]
        last = {**quick, "trigger_mode": "always_last"}
        self.which.input(self.choose, self.which, [self.place, self.report], **last)
        self.place.input(self.show, chosen, self.report, **last)
        slow = {**quick, "concurrency_id": "embed", "concurrency_limit": self.context.manifest.app.embed_jobs}
        self.upload.upload(
            self.take,
            [self.upload, *chosen],
            [self.status, self.which, self.place, self.report, self.upload],
            trigger_mode="multiple",
            **slow,
        )
        page.load(self.show, chosen, self.report, queue=False, **quick)

    def _place_choices(self, name: str | None, own: list[JsonDict] | None = None) -> list[tuple[str, int]]:
        rows = self._rows(name, own or [])
        return [(place_title(place), number) for number, place in enumerate(places(rows))]

    def _rows(self, name: str | None, own: list[JsonDict]) -> list[JsonDict]:
        return own if name == DESK else self.sets[name].rows if name in self.sets else []

    def _own(self, request: gr.Request) -> list[JsonDict]:
        rows: list[JsonDict] = self.context.visit(request.session_hash).desk.get(DESK, [])
        return rows

    def choose(self, name: str, request: gr.Request) -> tuple[Any, str]:
        """Another results set: its tasks, and the first of them."""
        choices = self._place_choices(name, self._own(request))
        return gr.Dropdown(choices=choices, value=0 if choices else None), self.show(name, 0, request)

    def show(self, name: str | None, number: int | None, request: gr.Request) -> str:
        """Table and curves of one task, direction and pool."""
        own = self._own(request)
        rows = self._rows(name, own)
        if not rows:
            return f'<p class="mv-empty">{texts.EVALUATE_NONE}</p>'
        known = places(rows)
        place = known[number] if number is not None and 0 <= number < len(known) else known[0]
        note = texts.EVALUATE_OWN_NOTE if name == DESK else self.sets[str(name)].note
        return self._report([] if name == DESK else rows, own, place, note)

    def _report(self, rows: list[JsonDict], own: list[JsonDict], place: Place, note: str) -> str:
        people = self._people()
        here = [row for row in [*rows, *own] if (row["task"], row["direction"], row["pool"]) == place]
        return render(
            "evaluate.html",
            note=note,
            caption=place_title(place),
            headings=headings(here[0]),
            lines=table_lines(rows, own, place),
            chance=chance_cells(here[0]),
            panels=[metric_panel(here, place_title(place)), *people],
            people=bool(people),
        )

    def _people(self) -> list[Panel]:
        from mvr.votes.store import VoteStore

        try:
            with VoteStore.open(self.context.votes_url) as store:
                points = preference_points(store)
        except MvrError:
            logger.exception("the votes cannot be read")
            return []
        if not points:
            return []
        series = [(alpha, 100 * share, 100 * low, 100 * high) for alpha, share, low, high in points]
        return [panel(texts.EVALUATE_PEOPLE, texts.EVALUATE_PEOPLE_AXIS, {texts.EVALUATE_VOTES: series})]

    def take(
        self, uploads: list[Upload] | None, name: str | None, number: int | None, request: gr.Request
    ) -> tuple[Any, ...]:
        """A visitor's results: beside the committed ones where they may be compared, else on their own."""
        skip = gr.skip()
        try:
            rows = read_uploads(uploads or [])
        except MvrError as error:
            return status_html("error", str(error)), skip, skip, skip, None
        except Exception as error:
            logger.exception("an uploaded result cannot be read")
            return status_html("error", fault_of_ours(error)), skip, skip, skip, None
        self.context.visit(request.session_hash).desk[DESK] = rows
        sets = [(one.title, one.name) for one in self.sets.values()] + [(texts.EVALUATE_YOURS, DESK)]
        matching = [place for place in places(rows) if place in places(self._rows(name, []))]
        if matching:
            said = texts.EVALUATE_BESIDE.format(count=len(rows), places=len(matching))
            number = places(self._rows(name, [])).index(matching[0])
            shown: str | None = name
        else:
            said = texts.EVALUATE_ALONE.format(count=len(rows))
            shown, number = DESK, 0
        choices = self._place_choices(shown, rows)
        return (
            status_html("done", said),
            gr.Dropdown(choices=sets, value=shown),
            gr.Dropdown(choices=choices, value=number),
            self.show(shown, number, request),
            None,
        )


def place_title(place: Place) -> str:
    """A task, direction and pool in words.

    >>> place_title(("label:genre", "v2m", 50))
    'Video to music, same genre, 50 candidates'
    """
    task, direction, pool = place
    what = "true pair" if task == "pair" else f"same {task.partition(':')[2]}"
    return f"{Direction(direction).words.capitalize()}, {what}, {pool} candidates"

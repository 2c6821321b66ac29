"""Tab "Leaderboard": the board of the vote store, the same numbers as `python -m eval.votes` gives on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import gradio as gr
from markupsafe import Markup

from mvr.arena.board.board import PROVISIONAL, Board
from mvr.arena.board.forest import forest_plot
from mvr.arena.board.orders import SAID
from mvr.arena.board.original import PUBLISHED
from mvr.arena.board.tables import (
    METHOD,
    SECTION_TITLES,
    campaign_lines,
    differences_csv,
    ratings_csv,
    report,
)
from mvr.datatypes import JsonDict
from mvr.page import texts
from mvr.page.context import PageContext
from mvr.page.names import shown_name, with_names
from mvr.page.serving.shelf import ShelfItem
from mvr.page.templates import render, status_html


def build_tab(context: PageContext, page: gr.Blocks) -> Callable[[gr.Tab], None]:
    """Create the tab; see `mvr.page.app`. Returned is what makes it count again whenever it is opened."""
    gr.HTML(f'<h2 class="mv-title">{texts.BOARD_LEAD}</h2>')
    with gr.Row(elem_classes="mv-pick"):
        which = gr.Dropdown(
            [(title, name) for name, title in SECTION_TITLES.items()], value="all", label=texts.BOARD_WHICH
        )
        again = gr.Button(texts.BOARD_AGAIN, size="sm", elem_classes="mv-use mv-refresh")
    board = gr.HTML("", elem_id="mv-board")

    def show(name: str | None) -> tuple[str, dict[str, object]]:
        latest = context.ballots.boards.latest()
        if latest.board is None:
            return status_html("busy", texts.BOARD_COUNTING), gr.skip()
        names = [section["name"] for section in latest.board.sections]
        chosen = name if name is not None and name in names else "all"
        choices = [(SECTION_TITLES.get(n, n.capitalize()), n) for n in names]
        html = board_html(context, latest.board, chosen, newer=latest.newer)
        return html, gr.Dropdown(choices=choices, value=chosen)

    page.load(show, [which], [board, which], api_visibility="private", show_progress="hidden", queue=False)
    # the choice is left as it is: set by an answer to the last one, it would take back one that was made since
    which.input(
        lambda name: show(name)[0], which, board, api_visibility="private", trigger_mode="always_last"
    )
    again.click(show, [which], [board, which], api_visibility="private")

    def when_opened(tab: gr.Tab) -> None:
        tab.select(show, [which], [board, which], api_visibility="private", show_progress="hidden")

    return when_opened


def board_html(context: PageContext, board: Board, name: str, *, newer: int = 0) -> str:
    """One section of a board with its downloads; `newer` votes came after it."""
    section = board.section(name)
    section = with_names(section, [row["system"] for row in section["rows"]])
    inputs = board.document["inputs"]
    return render(
        "leaderboard.html",
        section=section,
        plot=Markup(forest_plot(section, SECTION_TITLES.get(name, name))),  # noqa: S704 -- made and escaped by forest_plot
        comparable=_comparable(section),
        said_without=SAID,
        alphas=_of_systems(board.document["alphas"]),
        original=_of_systems(board.document["original"]),
        published=PUBLISHED,
        became=_became(board.document["votes"]),
        newer=texts.BOARD_NEWER.format(votes=newer) if newer else "",
        campaigns=campaign_lines(board.document),
        window=texts.BOARD_TO.join(
            dict.fromkeys(inputs[key] for key in ("first_vote", "last_vote") if inputs.get(key))
        ),
        links=downloads(context, board),
        method=METHOD,
    )


def _of_systems(rows: list[JsonDict]) -> list[JsonDict]:
    return [row | {"system": shown_name(row["system"])} for row in rows]


def _comparable(section: JsonDict) -> list[JsonDict]:
    """Differences of two that met, directly or by others: between groups that never met there are none."""
    group = {name: row["group"] for row in section["groups"] for name in row["systems"]}
    return [gap for gap in section["differences"] if group.get(gap["better"]) == group.get(gap["worse"])]


def _became(tallies: Mapping[str, int]) -> str:
    """What became of all saved votes, in one sentence that adds up."""
    saved = tallies["votes cast"] - tallies["votes taken back"]
    left_out = [
        words.format(votes=tallies[name]) for name, words in texts.BOARD_LEFT_OUT.items() if tallies[name]
    ]
    said = texts.BOARD_SAVED.format(saved=saved, board=tallies["votes on the board"])
    provisional = tallies[PROVISIONAL]
    new = texts.BOARD_PROVISIONAL.format(votes=provisional) if provisional else ""
    return said + (f"; {', '.join(left_out)}" if left_out else "") + "." + new


def downloads(context: PageContext, board: Board) -> list[tuple[str, str]]:
    """Labels and addresses of the whole board: JSON, both tables, the report; written when they are asked for.

    One board has one set of addresses, however often its page is opened; those of older boards go with the next one.
    """
    contents = {
        "leaderboard.json": ("JSON", board.to_bytes),
        "leaderboard.csv": (texts.BOARD_RATINGS, lambda: ratings_csv(board).encode()),
        "pairs.csv": (texts.BOARD_PAIRS, lambda: differences_csv(board).encode()),
        "leaderboard.txt": (texts.BOARD_REPORT, lambda: report(board).encode()),
    }
    owner = f"board/{hashlib.sha256(board.to_bytes()).hexdigest()[:16]}"
    folder = context.ballots.media.board_folder(owner)
    links = []
    for name, (label, make) in contents.items():
        item = ShelfItem(
            path=folder / name, name=name, owner=owner, download=True, make=partial(_write, make)
        )
        links.append((label, context.shelf.put(item)))
    return links


def _write(make: Callable[[], bytes], path: Path) -> None:
    path.write_bytes(make())

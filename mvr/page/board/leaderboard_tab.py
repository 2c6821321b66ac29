"""Tab "Leaderboard": the board of the vote store, the same numbers as `python -m eval.votes` gives on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import gradio as gr
from markupsafe import Markup

from mvr.arena.board.board import Board
from mvr.arena.board.forest import forest_plot
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
from mvr.page.templates import render


def build_tab(context: PageContext, page: gr.Blocks) -> None:
    """Create the tab; see `mvr.page.app`."""
    gr.HTML(f'<h2 class="mv-title">{texts.BOARD_LEAD}</h2>')
    with gr.Row(elem_classes="mv-pick"):
        which = gr.Dropdown(
            [(title, name) for name, title in SECTION_TITLES.items()], value="all", label=texts.BOARD_WHICH
        )
        again = gr.Button(texts.BOARD_AGAIN, size="sm", elem_classes="mv-use mv-refresh")
    board = gr.HTML("", elem_id="mv-board")

    def show(name: str | None) -> tuple[str, dict[str, object]]:
        built = context.ballots.boards.current()
        names = [section["name"] for section in built.sections]
        chosen = name if name is not None and name in names else "all"
        choices = [(SECTION_TITLES.get(n, n.capitalize()), n) for n in names]
        return board_html(context, built, chosen), gr.Dropdown(choices=choices, value=chosen)

    page.load(show, [which], [board, which], api_visibility="private", show_progress="hidden")
    which.input(show, [which], [board, which], api_visibility="private")
    again.click(show, [which], [board, which], api_visibility="private")


def board_html(context: PageContext, board: Board, name: str) -> str:
    """One section of a board with its downloads."""
    section = board.section(name)
    section = with_names(section, [row["system"] for row in section["rows"]])
    inputs = board.document["inputs"]
    return render(
        "leaderboard.html",
        section=section,
        plot=Markup(forest_plot(section, SECTION_TITLES.get(name, name))),  # noqa: S704 -- made and escaped by forest_plot
        alphas=_of_systems(board.document["alphas"]),
        original=_of_systems(board.document["original"]),
        published=PUBLISHED,
        campaigns=campaign_lines(board.document),
        window=texts.BOARD_TO.join(
            dict.fromkeys(inputs[key] for key in ("first_vote", "last_vote") if inputs.get(key))
        ),
        links=downloads(context, board),
        method=METHOD,
    )


def _of_systems(rows: list[JsonDict]) -> list[JsonDict]:
    return [row | {"system": shown_name(row["system"])} for row in rows]


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

"""Compute the leaderboard of a vote store: report, tables, interval plots; same votes in, same bytes out.

`attack`, `audit`, `coverage` and `media` as first argument print what the leaderboard is worth and what a battle costs
(`--help` after them).
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

from mvr.arena.board.board import Board, BoardSettings, build_board
from mvr.arena.board.source import open_votes
from mvr.arena.board.tables import differences_csv, forest_plots, ratings_csv, report
from mvr.config.outputs import check_output_folder
from mvr.datatypes import JsonDict
from mvr.errors import DataError, MvrError, UsageError
from mvr.votes.copies import note_on_nothing
from mvr.votes.records import Aspect

COMMANDS = ("attack", "audit", "coverage", "media")  # each a module of this folder with a main


def create_parser() -> argparse.ArgumentParser:
    """The command line of `python -m eval.votes`."""
    parser = argparse.ArgumentParser(prog="python -m eval.votes", description=__doc__)
    parser.add_argument("--db", required=True, help="database URL, SQLite file, or folder of exported tables")
    parser.add_argument("--out", type=Path, required=True, help="folder for the report")
    parser.add_argument("--json", action="store_true", help="print board.json on stdout and nothing else")
    parser.add_argument("--aspect", choices=list(Aspect), default=Aspect.FIT, help="fit (default) or quality")
    parser.add_argument(
        "--retrieval", type=Path, help="results.json of eval.retrieval, to compare the orders"
    )
    parser.add_argument(
        "--reranker", nargs="+", action="extend", default=[], help="SYSTEM=FILE: whose votes trained a system"
    )
    return parser


def board_of(options: argparse.Namespace) -> Board:
    """The board that a command line asks for.

    Raises:
        UsageError: no votes at this place.
        DataError: a file that cannot be read.
    """
    training = {}
    for pair in options.reranker:
        name, _, file = pair.partition("=")
        training[name] = frozenset(_read_json(Path(file))["training_groups"])
    settings = BoardSettings(aspect=options.aspect, training_groups=training)
    offline = _read_json(options.retrieval) if options.retrieval else None
    with open_votes(options.db) as store:
        if nothing := note_on_nothing(store):
            sys.stderr.write(f"eval.votes: {nothing}\n")
        return build_board(store, settings, offline=offline)


def write_report(board: Board, out: Path) -> list[Path]:
    """board.json, report.md, ratings.csv, differences.csv and one SVG per rating table."""
    out.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.md": report(board),
        "ratings.csv": ratings_csv(board),
        "differences.csv": differences_csv(board),
    }
    for name, text in (texts | forest_plots(board)).items():
        (out / name).write_text(text, encoding="utf-8", newline="\n")
    (out / "board.json").write_bytes(board.to_bytes())
    return sorted(out.iterdir())


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 when the input is at fault (2 for wrong usage), with one sentence on stderr."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if given[:1] and given[0] in COMMANDS:
            return int(importlib.import_module(f"eval.votes.{given[0]}").main(given[1:]))
        options = create_parser().parse_args(given)
        check_output_folder(options.out, ("board.json",))
        board = board_of(options)
        write_report(board, options.out)
    except MvrError as error:
        sys.stderr.write(f"eval.votes: {error}\n")
        return 2 if isinstance(error, UsageError) else 1
    sys.stdout.write(board.to_bytes().decode() if options.json else report(board))
    return 0


def _read_json(path: Path) -> JsonDict:
    try:
        document: JsonDict = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}") from error
    return document


if __name__ == "__main__":
    sys.exit(main())

"""Evaluate heads and systems on one feature store; CCA and chance are always in the table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from eval.provenance import one_thread
from eval.retrieval.evaluation import Request, default_tasks, evaluate
from eval.retrieval.report import as_json, write_report
from mvr.config.outputs import check_output_folder
from mvr.datatypes import JsonDict
from mvr.embeddings.store import FeatureStore
from mvr.errors import MvrError, UsageError
from mvr.metrics.retrieval.plan import Plan
from mvr.metrics.significance import Resampling


def create_parser() -> argparse.ArgumentParser:
    """The command line of `python -m eval.retrieval`."""
    parser = argparse.ArgumentParser(prog="python -m eval.retrieval", description=__doc__)
    parser.add_argument("--features", type=Path, required=True, help="folder of the feature store")
    parser.add_argument(
        "--head", nargs="+", action="extend", default=[], help="head files, PATH or NAME=PATH"
    )
    parser.add_argument(
        "--system", nargs="+", action="extend", default=[], help="systems with a shipped head"
    )
    parser.add_argument(
        "--alphas", default="", help="comma-separated values between 0 and 1 (default 0,0.1,...,1)"
    )
    parser.add_argument("--split", default="test", help="rows that are queries and candidates (default test)")
    parser.add_argument("--tasks", default="", help="pair, label:TAXONOMY, comma-separated (default all)")
    parser.add_argument(
        "--pool", nargs="+", action="extend", type=int, default=[], help="smaller pools as well"
    )
    parser.add_argument("--ks", default="1,5,10", help="depths K, comma-separated (default 1,5,10)")
    parser.add_argument("--draws", type=int, default=10_000, help="redraws of every interval and test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--title", default="Retrieval", help="heading of the report")
    parser.add_argument("--media", type=Path, help="folder of media named after the ids, for the gallery")
    parser.add_argument("--out", type=Path, required=True, help="folder for the report")
    parser.add_argument("--json", action="store_true", help="print results.json on stdout and nothing else")
    return parser


def request_of(options: argparse.Namespace) -> Request:
    """The request that a command line asks for.

    Raises:
        UsageError: a number that is none, an unknown task.
        DataError: the store cannot be opened.
    """
    tasks = tuple(filter(None, options.tasks.split(",")))
    if not tasks:
        store = FeatureStore.open(options.features)
        tasks = default_tasks(store, store.rows(options.split))
    given = {"alphas": _numbers(options.alphas, "--alphas")} if options.alphas else {}
    plan = Plan(
        tasks=tasks,
        ks=tuple(int(k) for k in _numbers(options.ks, "--ks")),
        pools=tuple(options.pool),
        resampling=Resampling(draws=options.draws, seed=options.seed),
        **given,  # type: ignore[arg-type]
    )
    return Request(
        features=str(options.features),
        heads=tuple(options.head),
        systems=tuple(options.system),
        split=options.split,
        plan=plan,
        title=options.title,
    )


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 when the input is at fault, with one sentence on stderr; argparse exits 2 on wrong usage."""
    options = create_parser().parse_args(arguments)
    try:
        check_output_folder(options.out, ("results.json",))
        with one_thread():
            evaluation = evaluate(request_of(options))
        command = [
            f"--{name}={value}"
            for name, value in sorted(vars(options).items())
            if value not in (None, [], "")
        ]
        write_report(evaluation, options.out, command, media=options.media)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except MvrError as error:
        print(error, file=sys.stderr)
        return 1
    for note in evaluation.document["notes"]:
        print(f"note: {note}", file=sys.stderr)
    if options.json:
        print(as_json(evaluation.document), end="")
    else:
        print_tables(evaluation.document)
        print(f"report in {options.out}", file=sys.stderr)
    return 0


def print_tables(document: JsonDict) -> None:
    """The tables on stdout; a pipe gets lines of 140 columns."""
    from rich.console import Console

    from eval.retrieval.tables import rich_tables

    console = Console()
    if not console.is_terminal:
        console = Console(width=140)  # a file or a pipe has no width of its own
    for table in rich_tables(document):
        console.print(table)


def _numbers(text: str, option: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"{option} takes numbers with commas between, not {text!r}") from error


if __name__ == "__main__":
    sys.exit(main())

"""List the protocols, run one from features to report, or one of the further tests that its file declares."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eval.protocols.protocol import Protocol, load_protocol, protocol_names, with_heads
from eval.provenance import describe_run, one_thread
from mvr.config.outputs import check_output_folder
from mvr.datatypes import JsonDict
from mvr.errors import MvrError, UsageError

if TYPE_CHECKING:
    from eval.protocols.run import Places


def create_parser() -> argparse.ArgumentParser:
    """The command line of `python -m eval.protocols`."""
    parser = argparse.ArgumentParser(prog="python -m eval.protocols", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="names and titles")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("name", help="a protocol's name, or a .yaml file")
    shared.add_argument("--features", type=Path, help="a store to use in place of the protocol's")
    shared.add_argument("--data", type=Path, help="folder of public data (holds yt8m/, emomv/)")
    shared.add_argument(
        "--work", type=Path, help="folder for built stores and trained heads (default OUT/work)"
    )
    shared.add_argument("--only", nargs="+", default=[], help="train and measure these heads alone")
    shared.add_argument("--out", type=Path, required=True, help="folder for the report")
    shared.add_argument("--json", action="store_true", help="print the results as JSON and nothing else")
    commands.add_parser("run", parents=[shared], help="features, heads, evaluation, report")
    for name, about in EXTRAS.items():
        commands.add_parser(name, parents=[shared], help=about)
    return parser


EXTRAS = {
    "folds": "cross-validation by shard, tests over all queries",
    "mixing": "is the mixed model, at an alpha chosen on validation rows, worse than a branch alone",
    "hubs": "the pair task with test-time normalisation by training rows",
}
"""Command and module of this package, which has `run` and `as_markdown` -> help."""


def main(arguments: list[str] | None = None) -> int:
    """0, 1 when the input is at fault, 2 on wrong usage."""
    options = create_parser().parse_args(arguments)
    if options.command == "list":
        for name in protocol_names():
            print(f"{name:16} {load_protocol(name).title}")
        return 0
    try:
        with one_thread():
            return _run(options)
    except MvrError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def _run(options: argparse.Namespace) -> int:
    from eval.protocols.run import Places, run_protocol
    from eval.retrieval.__main__ import print_tables
    from eval.retrieval.report import as_json, write_report

    check_output_folder(options.out, ("results.json", "work", *(f"{name}.json" for name in EXTRAS)))
    work = options.work or options.out / "work"
    places = Places(work=work, features=options.features, data=options.data)
    protocol = with_heads(load_protocol(options.name), options.only)
    chosen = ["--only", *options.only] if options.only else []
    command = ["python", "-m", "eval.protocols", options.command, options.name, *chosen]
    if options.command in EXTRAS:
        return _run_extra(options, protocol, places, command)
    evaluation = run_protocol(protocol, places)
    write_report(evaluation, options.out, command)
    if options.json:
        print(as_json(evaluation.document), end="")
    else:
        print_tables(evaluation.document)
    return 0


def _run_extra(options: argparse.Namespace, protocol: Protocol, places: Places, command: list[str]) -> int:
    from eval.retrieval.report import as_json

    module = importlib.import_module(f"eval.protocols.{options.command}")
    document: JsonDict = module.run(protocol, places)
    text: str = module.as_markdown(document)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in (
        (f"{options.command}.json", as_json(document)),
        (f"{options.command}.md", text),
        (f"{options.command}.run.json", as_json(describe_run(command))),
    ):
        (options.out / name).write_text(content, encoding="utf-8")
    print(as_json(document) if options.json else text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())

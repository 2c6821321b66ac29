"""List the protocols, or run one from features to report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from eval.protocols.protocol import load_protocol, protocol_names, with_heads
from eval.provenance import one_thread
from mvr.errors import MvrError, UsageError


def create_parser() -> argparse.ArgumentParser:
    """The command line of `python -m eval.protocols`."""
    parser = argparse.ArgumentParser(prog="python -m eval.protocols", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="names and titles")
    run = commands.add_parser("run", help="features, heads, evaluation, report")
    run.add_argument("name", help="a protocol's name, or a .yaml file")
    run.add_argument("--features", type=Path, help="a store to use in place of the protocol's")
    run.add_argument("--data", type=Path, help="folder of public data (holds yt8m/, emomv/)")
    run.add_argument("--work", type=Path, help="folder for built stores and trained heads (default OUT/work)")
    run.add_argument(
        "--only", nargs="+", default=[], help="train and measure these heads of the protocol alone"
    )
    run.add_argument("--out", type=Path, required=True, help="folder for the report")
    run.add_argument("--json", action="store_true", help="print results.json on stdout and nothing else")
    return parser


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

    work = options.work or options.out / "work"
    places = Places(work=work, features=options.features, data=options.data)
    evaluation = run_protocol(with_heads(load_protocol(options.name), options.only), places)
    chosen = ["--only", *options.only] if options.only else []
    write_report(evaluation, options.out, ["python", "-m", "eval.protocols", "run", options.name, *chosen])
    if options.json:
        print(as_json(evaluation.document), end="")
    else:
        print_tables(evaluation.document)
    return 0


if __name__ == "__main__":
    sys.exit(main())

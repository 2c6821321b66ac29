"""Command line of the benchmarks: see the package's docstring."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
from pathlib import Path

from eval.speed.inputs import Inputs
from eval.speed.machine import machine
from eval.speed.parts import PARTS, contests_of
from eval.speed.report import document, markdown
from eval.speed.rounds import Result, run_contest
from mvr.config.outputs import check_output_folder
from mvr.errors import MvrError


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen parts and write `speed.md` and `speed.json`."""
    options = _parser().parse_args(arguments)
    try:
        check_output_folder(options.out, ("speed.json",))
    except MvrError as error:
        _parser().error(str(error))
    parts = options.part or [name for name, part in PARTS.items() if options.all or not part.heavy]
    inputs = Inputs(options.inputs, options.short)
    # one round of everything takes about nine minutes on two cores, inputs to be made included
    usual = 2 if options.short else 1 if options.all else 5
    rounds = options.rounds or usual
    results: list[Result] = []
    for part in parts:
        for contest in contests_of(part, inputs):
            print(f"{part}: {contest.title} ...", file=sys.stderr, flush=True)
            results.append(run_contest(part, contest, inputs, rounds))
    command = "python -m eval.speed " + " ".join(sys.argv[1:] if arguments is None else arguments)
    report = document(results, machine(), command.strip(), datetime.date.today().isoformat())
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "speed.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    (options.out / "speed.md").write_text(markdown(report), encoding="utf-8")
    print(markdown(report))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m eval.speed", description="Benchmarks, side by side in one run."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for speed.md and speed.json")
    parser.add_argument("--all", action="store_true", help="the heavy parts, too, in one round")
    parser.add_argument("--short", action="store_true", help="smallest inputs, 2 rounds")
    parser.add_argument(
        "--part", action="append", choices=sorted(PARTS), help="only this part (may be repeated)"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each contest (default 5, with --all 1)")
    default = Path(tempfile.gettempdir()) / "mvr-speed-inputs"
    parser.add_argument("--inputs", type=Path, default=default, help="where generated inputs are kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())

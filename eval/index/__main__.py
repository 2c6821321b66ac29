"""How every kind of index grows: each at each size in a process of its own, one table and one chart.

    python -m eval.index --out eval/results/index                        # 10,000 to 1,000,000 rows, every kind
    python -m eval.index --out eval/results/index --rows 10000000 --kinds duckdb

Rows are those of `eval.index.rows`. What is in `growth.json` of the folder already is kept and shown; a kind and size
that is asked for again is measured again. A graph that is not built in 20 minutes is given up and said to be.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from eval.index.cell import KINDS
from eval.index.report import draw, markdown
from mvr.datatypes import JsonDict
from mvr.training.provenance import git_revision

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Measure, then write `growth.json`, `growth.md` and `growth.png`."""
    options = _parser().parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    kept = options.out / "growth.json"
    lines: list[JsonDict] = json.loads(kept.read_text(encoding="utf-8"))["cells"] if kept.exists() else []
    with tempfile.TemporaryDirectory(prefix="mvr-growth-") as folder:
        for rows in options.rows:
            for kind in options.kinds:
                print(f"{kind}, {rows:,} rows ...", file=sys.stderr, flush=True)
                fresh = measured(kind, rows, Path(folder))
                names = {(line["kind"], line["rows"]) for line in fresh}
                lines = [line for line in lines if (line["kind"], line["rows"]) not in names] + fresh
                write(options.out, lines)
    print(markdown(lines))


def measured(kind: str, rows: int, folder: Path) -> list[JsonDict]:
    """The lines of one cell, with the load of the machine and the revision."""
    place = folder / f"{kind}-{rows}"
    command = [sys.executable, "-m", "eval.index.cell", kind, str(rows), str(place)]
    load = os.getloadavg()[0]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    shutil.rmtree(place, ignore_errors=True)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [line | {"load": round((load + os.getloadavg()[0]) / 2, 1)} for line in said]


def write(out: Path, lines: list[JsonDict]) -> None:
    """The three files."""
    lines.sort(key=lambda line: (line["kind"], line["rows"]))
    document = {"revision": git_revision(), "cells": lines}
    (out / "growth.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (out / "growth.md").write_text(markdown(lines), encoding="utf-8")
    draw(out / "growth.png", lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eval.index", description="How indexes grow.")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for growth.json, growth.md, growth.png"
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--kinds", nargs="+", choices=sorted(KINDS), default=sorted(KINDS))
    return parser


if __name__ == "__main__":
    main()

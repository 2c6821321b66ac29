"""How every kind of index grows: each at each size in a process of its own, one table and one chart.

    python -m eval.index --out eval/results/index                        # 10,000 to 1,000,000 rows, every kind
    python -m eval.index --out eval/results/index --rows 10000000 --kinds half

Rows are those of `eval.index.rows`. A kind and size that `growth.json` of the folder holds is kept as it is; `--again`
measures it anew. Each is written as soon as it is measured. With `--keep FOLDER` what was built stays there, and is
asked again without being built again. Beyond a million rows the local index reads its vectors from a file.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from eval.index.cell import KINDS
from eval.index.report import draw, markdown
from mvr.datatypes import JsonDict
from mvr.training.provenance import git_revision

ROOT = Path(__file__).parents[2]
NAMES = {
    "half": ("half",), "rabitq": ("rabitq",), "duckdb": ("DuckDB file, every row", "DuckDB file, codes"),
    "pgvector": ("pgvector, every row", "pgvector, codes", "pgvector, HNSW"),
}  # fmt: skip


def main() -> None:
    """Measure, then write `growth.json`, `growth.md` and `growth.png`."""
    options = _parser().parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    kept = options.out / "growth.json"
    lines: list[JsonDict] = json.loads(kept.read_text(encoding="utf-8"))["cells"] if kept.exists() else []
    with tempfile.TemporaryDirectory(prefix="mvr-growth-") as folder:
        place = folder if options.keep is None else options.keep
        for kind, rows in missing(lines, options):
            print(f"{kind}, {rows:,} rows ...", file=sys.stderr, flush=True)
            for line in measured(kind, rows, Path(place).resolve(), keep=options.keep is not None):
                same = (line["kind"], line["rows"])
                lines = [old for old in lines if (old["kind"], old["rows"]) != same] + [line]
                write(options.out, lines)
    write(options.out, lines)
    print(markdown(lines))


def missing(lines: list[JsonDict], options: argparse.Namespace) -> list[tuple[str, int]]:
    """Kinds and sizes that were asked for and are not measured yet, or all of them, again."""
    there = {(line["kind"], line["rows"]) for line in lines if "p50_ms" in line}
    return [
        (kind, rows)
        for rows in options.rows
        for kind in options.kinds
        if options.again or any((name, rows) not in there for name in NAMES[kind])
    ]


def measured(kind: str, rows: int, folder: Path, *, keep: bool) -> Iterator[JsonDict]:
    """The lines of one cell as they come, with the revision."""
    place = folder / f"{kind}-{rows}"
    command = [sys.executable, "-m", "eval.index.cell", kind, str(rows), str(place)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as cell:
        assert cell.stdout is not None
        for line in cell.stdout:
            if line.startswith("{"):
                yield json.loads(line) | {"revision": git_revision()}
    if cell.returncode:
        raise SystemExit(
            f"{kind} at {rows:,} rows ended with {cell.returncode}; what was measured before is kept"
        )
    if not keep:
        shutil.rmtree(place, ignore_errors=True)


def write(out: Path, lines: list[JsonDict]) -> None:
    """The three files."""
    lines.sort(key=lambda line: (line["kind"], line["rows"]))
    document = {"cells": lines}
    (out / "growth.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (out / "growth.md").write_text(markdown(lines), encoding="utf-8")
    draw(out / "growth.png", lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eval.index", description="How indexes grow.")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for growth.json, growth.md, growth.png"
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 300_000, 1_000_000])
    parser.add_argument("--kinds", nargs="+", choices=sorted(KINDS), default=sorted(KINDS))
    parser.add_argument("--again", action="store_true", help="measure anew what was measured")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where databases stay, to be asked again")
    return parser


if __name__ == "__main__":
    main()

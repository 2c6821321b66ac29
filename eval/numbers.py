"""The tables of docs/numbers.md, from `eval/results`: `python -m eval.numbers` writes them, `--check` only compares.

A table stands between `<!-- results:NAME -->` and `<!-- /results:NAME -->`, where `eval/results/NAME` holds the
`results.json` of a retrieval report, or a Markdown file whose first table is taken over.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from eval.provenance import ROOT
from eval.retrieval.tables import markdown_lines
from mvr.datatypes import JsonDict
from mvr.errors import DataError, MvrError
from mvr.metrics.retrieval.plan import PAIR

RESULTS = ROOT / "eval" / "results"
_BLOCK = re.compile(
    r"(<!-- results:(?P<name>[\w-]+) -->\n)(?P<body>.*?)(<!-- /results:(?P=name) -->)", re.DOTALL
)
_SHOWN_ALPHAS = (None, 0.0, 0.5, 1.0)


def fill(text: str, results: Path = RESULTS) -> str:
    """The text with every marked table generated anew.

    Raises:
        DataError: a marker without results, or one that is not closed.
    """
    opened = re.findall(r"<!-- results:([\w-]+) -->", text)
    closed = [match["name"] for match in _BLOCK.finditer(text)]
    if opened != closed:
        missing = sorted(set(opened) ^ set(closed)) or opened
        raise DataError(f"the marker results:{missing[0]} is not closed by <!-- /results:{missing[0]} -->")
    return _BLOCK.sub(lambda match: f"{match[1]}{table(match['name'], results)}\n{match[4]}", text)


def table(name: str, results: Path = RESULTS) -> str:
    """The Markdown table of one results folder.

    Raises:
        DataError: no such folder, or nothing in it that is a table.
    """
    folder = results / name
    if (folder / "results.json").is_file():
        document = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        if "features" in document:
            return retrieval_table(document)
    for path in sorted(folder.glob("*.md")):
        lines = path.read_text(encoding="utf-8").splitlines()
        found = [line for line in lines if line.startswith("|")]
        if found:
            start = lines.index(found[0])
            end = next((n for n in range(start, len(lines)) if not lines[n].startswith("|")), len(lines))
            return "\n".join(lines[start:end])
    raise DataError(
        f"the page shows results:{name}, but {folder} holds no results.json and no Markdown table"
    )


def retrieval_table(document: JsonDict) -> str:
    """Systems as lines; both directions of the pair task and of the first label task as columns; chance last."""
    rows = [row for row in document["rows"] if row["pool"] == _largest_pool(document, row)]
    label = next((row["task"] for row in rows if row["task"] != PAIR), None)
    cells = {(row["system"], row["alpha"], row["task"], row["direction"]): row for row in rows}
    systems = list(
        dict.fromkeys((row["system"], row["alpha"]) for row in rows if row["alpha"] in _SHOWN_ALPHAS)
    )
    columns = ["system", "alpha", *_headings(cells, label)]
    lines = [
        [system, "" if alpha is None else f"{alpha:g}", *_values(cells, (system, alpha), label, chance=False)]
        for system, alpha in systems
    ]
    lines.append(["chance", "", *_values(cells, systems[0], label, chance=True)])
    return "\n".join(markdown_lines(columns, lines))


def _largest_pool(document: JsonDict, row: JsonDict) -> int:
    place = (row["task"], row["direction"])
    pools: list[int] = [one["pool"] for one in document["rows"] if (one["task"], one["direction"]) == place]
    return max(pools)


def _headings(cells: dict[tuple[str, float | None, str, str], JsonDict], label: str | None) -> list[str]:
    pools = {(task, direction): row["pool"] for (_, _, task, direction), row in cells.items()}
    names = []
    for direction, arrow in (("v2m", "V→M"), ("m2v", "M→V")):
        if (PAIR, direction) in pools:
            names += [f"{arrow} R@1", f"{arrow} R@10 (of {pools[PAIR, direction]})", f"{arrow} median rank"]
        if label is not None:
            names.append(f"{arrow} same {label.partition(':')[2]} P@10")
    return names


def _values(
    cells: dict[tuple[str, float | None, str, str], JsonDict],
    key: tuple[str, float | None],
    label: str | None,
    *,
    chance: bool,
) -> list[str]:
    values: list[str] = []
    for direction in ("v2m", "m2v"):
        if any(task == PAIR for _, _, task, _ in cells):
            row = cells[(*key, PAIR, direction)]
            of = row["chance"] if chance else row
            recall = f"{100 * of['recall']['10']:.1f}"
            if not chance:
                recall += _interval(row, "recall@10")
            values += [f"{100 * of['recall']['1']:.1f}", recall, f"{of['median_rank']:.1f}"]
        if label is not None:
            row = cells[(*key, label, direction)]
            of = row["chance"] if chance else row
            values.append(
                f"{100 * of['precision']['10']:.1f}" + ("" if chance else _interval(row, "precision@10"))
            )
    return values


def _interval(row: JsonDict, name: str) -> str:
    low, high = row["intervals"][name]
    return f" [{100 * low:.1f}, {100 * high:.1f}]"


def main(arguments: list[str] | None = None) -> int:
    """0 when the page shows what the results say (or was written so), 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m eval.numbers", description=__doc__)
    parser.add_argument("--file", type=Path, default=ROOT / "docs" / "numbers.md")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a table differs")
    options = parser.parse_args(arguments)
    text = options.file.read_text(encoding="utf-8")
    try:
        filled = fill(text)
    except MvrError as error:
        print(error, file=sys.stderr)
        return 1
    if filled == text:
        return 0
    if options.check:
        print(
            f"{options.file.name} shows other numbers than eval/results; run python -m eval.numbers",
            file=sys.stderr,
        )
        return 1
    options.file.write_text(filled, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

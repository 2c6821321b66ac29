"""The rows of a report as tables: terminal, Markdown, LaTeX, CSV. Chance stands beside every block, N in its
heading."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mvr.config.cells import spreadsheet_cell
from mvr.datatypes import Direction, JsonDict
from mvr.metrics.retrieval.plan import PAIR

if TYPE_CHECKING:
    from rich.table import Table

DIRECTIONS = {str(direction): direction.words for direction in Direction}


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows of one task, direction and pool; the last line is chance.

    Attributes:
        heading: one sentence.
        columns: names of the columns.
        lines: cells, one list per row.
    """

    heading: str
    columns: list[str]
    lines: list[list[str]]


def blocks(document: JsonDict) -> list[Block]:
    """The rows of a report in blocks that may be compared: never across pools or tasks."""
    together: dict[tuple[str, str, int], list[JsonDict]] = defaultdict(list)
    for row in document["rows"]:
        together[row["task"], row["direction"], row["pool"]].append(row)
    return [_block(rows) for rows in together.values()]


def _block(rows: Sequence[JsonDict]) -> Block:
    first = rows[0]
    measure = "recall" if first["task"] == PAIR else "precision"
    letter = "R" if first["task"] == PAIR else "P"
    ks = list(first[measure])
    columns = ["system", "alpha", *(f"{letter}@{k} %" for k in ks), *_tail_columns(first)]
    lines = [_line(row, measure, ks) for row in rows]
    lines.append(
        ["chance", "", *(_percent(first["chance"][measure][k]) for k in ks), *_tail(first["chance"], first)]
    )
    what = (
        "find the true pair" if first["task"] == PAIR else f"find the same {first['task'].partition(':')[2]}"
    )
    heading = (
        f"{DIRECTIONS[first['direction']].capitalize()}, {what}: "
        f"{first['queries']:g} queries, {first['pool']} candidates"
    )
    return Block(heading=heading, columns=columns, lines=lines)


def _tail_columns(row: JsonDict) -> list[str]:
    return (
        ["median rank", "MRR"]
        if row["task"] == PAIR
        else ["MAP", "macro P@10 %" if "10" in row["precision"] else "macro MAP"]
    )


def _tail(values: JsonDict, row: JsonDict) -> list[str]:
    if row["task"] == PAIR:
        return [f"{values['median_rank']:.1f}", f"{values['mrr']:.3f}"]
    macro = values["macro"]
    last = _percent(macro["precision"]["10"]) if "10" in macro["precision"] else f"{macro['map']:.3f}"
    return [f"{values['map']:.3f}", last]


def _line(row: JsonDict, measure: str, ks: Sequence[str]) -> list[str]:
    alpha = "" if row["alpha"] is None else f"{row['alpha']:g}"
    cells = [_with_interval(row, f"{measure}@{k}", row[measure][k]) for k in ks]
    return [row["system"], alpha, *cells, *_tail(row, row)]


def _with_interval(row: JsonDict, name: str, value: float) -> str:
    if name not in row["intervals"]:
        return _percent(value)
    low, high = row["intervals"][name]
    return f"{_percent(value)} [{_percent(low)}, {_percent(high)}]"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def rich_tables(document: JsonDict) -> list[Table]:
    """Tables for the terminal."""
    from rich.table import Table

    tables = []
    for block in blocks(document):
        table = Table(title=block.heading, title_justify="left")
        for number, name in enumerate(block.columns):
            table.add_column(name, justify="left" if number == 0 else "right", no_wrap=True)
        for line in block.lines:
            table.add_row(*line, style="dim" if line[0] == "chance" else None)
        tables.append(table)
    return tables


def markdown(document: JsonDict) -> str:
    """The report as Markdown, intervals in brackets."""
    parts = [f"# {document['title']}", "", _preamble(document), ""]
    for block in blocks(document):
        parts += [f"**{block.heading}**", "", *markdown_lines(block.columns, block.lines), ""]
    if document["comparisons"]:
        parts += [
            "## Differences between systems",
            "",
            _COMPARISON_TEXT,
            "",
            *_comparison_lines(document),
            "",
        ]
    parts += [f"- {note}" for note in document["notes"]]
    return "\n".join(parts).rstrip() + "\n"


_COMPARISON_TEXT = (
    "Paired sign-flip permutation over groups; p is adjusted by Holm over this whole table. A difference counts where "
    "the adjusted p is below 0.05 and it is at least two points."
)


def _preamble(document: JsonDict) -> str:
    features, settings = document["features"], document["settings"]
    source = f" ({features['source']})" if features["source"] else ""
    return (
        f"Features: {features['video']} and {features['audio']}{source}; split {settings['split']}, "
        f"{features['rows']} pairs in {features['groups']} groups. In brackets: {_percent(settings['level'])} % "
        f"intervals from {settings['draws']} redraws of groups, seed {settings['seed']}. "
        "Ties are averaged over their orders."
    )


def _comparison_lines(document: JsonDict) -> list[str]:
    lines = [
        [
            f"{entry['task']}, {entry['direction']}",
            entry["metric"],
            entry["first"],
            entry["second"],
            f"{100 * entry['difference']:+.1f} [{100 * entry['interval'][0]:+.1f}, {100 * entry['interval'][1]:+.1f}]",
            f"{entry['p_holm']:.4f}",
            "yes" if entry["claim"] else "no",
        ]
        for entry in document["comparisons"]
    ]
    return markdown_lines(
        ["task", "metric", "first", "second", "difference (points)", "p (Holm)", "counts"], lines
    )


def markdown_lines(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, the first column left and the others right; `|` in a cell is escaped."""
    cells = [[cell.replace("|", "\\|") for cell in line] for line in [columns, *lines]]
    rule = ["---", *(["---:"] * (len(columns) - 1))]
    return ["| " + " | ".join(line) + " |" for line in [cells[0], rule, *cells[1:]]]


def latex(document: JsonDict) -> str:
    """The report as LaTeX tables (package booktabs)."""
    parts = ["% needs \\usepackage{booktabs}"]
    for block in blocks(document):
        parts += [
            "\\begin{table}",
            f"\\caption{{{_tex(block.heading)}}}",
            f"\\begin{{tabular}}{{l{'r' * (len(block.columns) - 1)}}}",
            "\\toprule",
            " & ".join(map(_tex, block.columns)) + " \\\\",
            "\\midrule",
            *(" & ".join(map(_tex, line)) + " \\\\" for line in block.lines[:-1]),
            "\\midrule",
            " & ".join(map(_tex, block.lines[-1])) + " \\\\",
            "\\bottomrule",
            "\\end{tabular}",
            "\\end{table}",
        ]
    return "\n".join(parts) + "\n"


_TEX = {
    **{sign: "\\" + sign for sign in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(sign, sign) for sign in text)


def csv_table(document: JsonDict) -> str:
    """Every value of every row, one line per row; nested names are joined by a dot."""
    flat = [_flatten(row) for row in document["rows"]]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: spreadsheet_cell(value) for name, value in row.items()} for row in flat)
    return out.getvalue()


def _flatten(values: JsonDict, prefix: str = "") -> JsonDict:
    flat: JsonDict = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            flat |= {f"{prefix}{name}.low": value[0], f"{prefix}{name}.high": value[1]}
        else:
            flat[prefix + name] = "" if value is None else value
    return flat

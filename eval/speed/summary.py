"""Contests that belong together, side by side in one table: what was built, how fast it answers, what it misses."""

from __future__ import annotations

from typing import Any


def tables(report: dict[str, Any]) -> list[str]:
    """Lines of Markdown: one section for every `table` that contests of a report name."""
    lines: list[str] = []
    for heading in dict.fromkeys(c["table"] for c in report["contests"] if c.get("table")):
        chosen = [contest for contest in report["contests"] if contest.get("table") == heading]
        lines += ["", f"## {heading}", "", *_table(chosen)]
    return lines


def _table(contests: list[dict[str, Any]]) -> list[str]:
    facts = list(dict.fromkeys(key for c in contests for row in c["rows"] for key in row["facts"]))
    facts = [name for name in facts if name != "queries"]
    head = ["", "candidate", *facts, "queries/s", "peak MB, mapped files included"]
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for contest in contests:
        for row in contest["rows"]:
            bold = "**" if row["candidate"] == contest["ours"] else ""
            cells = [contest["title"], f"{bold}{row['candidate']}{bold}"]
            cells += [shown(row["facts"].get(name, "")) for name in facts]
            cells += [_rate(row), f"{row['peak_mb']:.0f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _rate(row: dict[str, Any]) -> str:
    queries = row["facts"].get("queries")
    return "" if queries is None else f"{queries / row['wall_s']['min']:.3g}"


def shown(value: Any) -> str:
    """A number with three digits, anything else as it is."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)

"""From timings to one Markdown report and one JSON document that say the same."""

from __future__ import annotations

import statistics
from typing import Any

from eval.speed.contest import Aim, Contest
from eval.speed.rounds import Result
from eval.speed.summary import shown, tables
from eval.speed.worker import LONG_S


def rows(result: Result) -> list[dict[str, Any]]:
    """One row for each candidate: minimum and median times, ratios to ours, peak memory, facts."""
    ours = result.timings[result.contest.ours]
    best_cpu, best_wall = min(t.cpu_s for t in ours), min(t.wall_s for t in ours)
    table: list[dict[str, Any]] = []
    for name, timings in result.timings.items():
        wall, cpu = [t.wall_s for t in timings], [t.cpu_s for t in timings]
        table.append(
            {
                "candidate": name,
                "wall_s": {"min": min(wall), "median": statistics.median(wall)},
                "cpu_s": {"min": min(cpu), "median": statistics.median(cpu)},
                "cpu_ratio": min(cpu) / best_cpu if best_cpu > 0 else None,
                "wall_ratio": min(wall) / best_wall,
                "realtime": result.contest.media_s / min(wall) if result.contest.media_s else None,
                "peak_mb": max(t.peak_mb for t in timings),
                "child_peak_mb": max(t.child_peak_mb for t in timings),
                "facts": dict(timings[-1].facts),
            }
        )
    if result.contest.derive is not None:
        further = result.contest.derive({str(row["candidate"]): row for row in table})
        table = [row | {"facts": row["facts"] | further.get(str(row["candidate"]), {})} for row in table]
    return table


def verdict(aim: Aim, contest: Contest, table: list[dict[str, Any]], quiet: bool) -> dict[str, Any]:
    """How far an aim is reached: the measured value, and "met", "not met" or "not judged" on a busy machine."""
    by_name = {str(row["candidate"]): row for row in table}
    row = by_name[aim.of or contest.ours]
    timed = _timed_checks(aim, row, by_name.get(aim.against or ""))
    checks = timed + _sized_checks(aim, row, by_name.get(aim.against or ""))
    met = "met" if all(ok for _, ok in checks) else "not met"
    return {
        "aim": aim.text,
        "measured": [value for value, _ in checks],
        "verdict": met if quiet or not timed else "not judged",
    }


_Checks = list[tuple[float, bool]]


def _timed_checks(aim: Aim, row: dict[str, Any], peer: dict[str, Any] | None) -> _Checks:
    """Values that a busy machine changes, each with whether it is reached."""
    checks: _Checks = []
    for clock, ratio, most in (
        ("cpu_s", aim.cpu_ratio_at_most, aim.cpu_s_at_most),
        ("wall_s", aim.wall_ratio_at_most, aim.wall_s_at_most),
    ):
        if ratio is not None and peer is not None:
            checks.append((value := row[clock]["min"] / peer[clock]["min"], value <= ratio))
        if most is not None:
            checks.append((row[clock]["min"], row[clock]["min"] <= most))
    if aim.realtime_at_least is not None and row["realtime"] is not None:
        checks.append((row["realtime"], row["realtime"] >= aim.realtime_at_least))
    return checks


def _sized_checks(aim: Aim, row: dict[str, Any], peer: dict[str, Any] | None) -> _Checks:
    """Values that do not depend on what else a machine does."""
    checks: _Checks = []
    if aim.fact is not None and aim.fact_ratio_at_most is not None and peer is not None:
        checks.append(
            (value := row["facts"][aim.fact] / peer["facts"][aim.fact], value <= aim.fact_ratio_at_most)
        )
    for name, most in (("peak_mb", aim.peak_mb_at_most), ("child_peak_mb", aim.child_peak_mb_at_most)):
        if most is not None:
            checks.append((row[name], row[name] <= most))
    return checks


def document(results: list[Result], machine: dict[str, Any], command: str, date: str) -> dict[str, Any]:
    """The JSON form of the report."""
    contests = []
    for result in results:
        table = rows(result)
        quiet = (
            max(result.load_before, result.load_after) <= machine["cores"] + 0.5
        )  # our own run counts for one or two
        contests.append(
            {
                "part": result.part,
                "name": result.contest.name,
                "title": result.contest.title,
                "work": result.contest.work,
                "ours": result.contest.ours,
                "table": result.contest.table,
                "rounds": len(next(iter(result.timings.values()))),
                "load": {"before": result.load_before, "after": result.load_after},
                "rows": table,
                "aims": [verdict(aim, result.contest, table, quiet) for aim in result.contest.aims],
            }
        )
    return {"command": command, "date": date, "machine": machine, "contests": contests}


def markdown(report: dict[str, Any]) -> str:
    """The report to read."""
    machine = report["machine"]
    versions = ", ".join(f"{name} {found}" for name, found in machine["versions"].items())
    lines = [
        "# Speed",
        "",
        f"`{report['command']}` on {report['date']}",
        "",
        f"{machine['processor']} ({', '.join(machine['flags'])}), {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}, ffmpeg {machine['ffmpeg']}; {versions}.",
        "",
        "Candidates take turns; times are the minimum (median) over the rounds, processor time includes children; "
        f"a work of up to {LONG_S:g} s ran once before. "
        "Compare ratios within a table, not seconds between machines.",
    ]
    lines += tables(report)
    for contest in report["contests"]:
        lines += _section(contest)
    return "\n".join(lines) + "\n"


def _section(contest: dict[str, Any]) -> list[str]:
    load = contest["load"]
    realtime = any(row["realtime"] for row in contest["rows"])
    multiples = ["x real time"] if realtime else []
    head = ["candidate", "CPU s", "x CPU", "wall s", "x wall", *multiples, "peak MB", "facts"]
    work = f"{contest['work']}. {contest['rounds']} rounds"
    loads = f"load {load['before']:.1f} before and {load['after']:.1f} after"
    lines = ["", f"## {contest['title']}", "", f"{work}, {loads}.", ""]
    lines += [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for row in contest["rows"]:
        name = f"**{row['candidate']}**" if row["candidate"] == contest["ours"] else row["candidate"]
        child = f" + {row['child_peak_mb']:.0f}" if row["child_peak_mb"] > 1 else ""
        facts = ", ".join(f"{key} {shown(value)}" for key, value in row["facts"].items())
        cells = [
            name,
            f"{row['cpu_s']['min']:.3g} ({row['cpu_s']['median']:.3g})",
            "" if row["cpu_ratio"] is None else f"{row['cpu_ratio']:.2f}",
            f"{row['wall_s']['min']:.3g} ({row['wall_s']['median']:.3g})",
            f"{row['wall_ratio']:.2f}",
            *([f"{row['realtime']:.1f}"] if realtime else []),
            f"{row['peak_mb']:.0f}{child}",
            facts,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    for aim in contest["aims"]:
        measured = ", ".join(shown(value) for value in aim["measured"])
        lines += ["", f"Aim: {aim['aim']}: {measured}, **{aim['verdict']}**."]
    return lines

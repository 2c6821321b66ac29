"""The report of `eval.timing`: every number of the document in tables, with its aim and a word whether it is met."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eval.timing.verdicts import verdicts
from mvr.datatypes import JsonDict

TITLE = "# Timing: tempo, beats, cuts, placing and fitting against known answers\n"


def write_report(document: JsonDict, out: Path) -> str:
    """Write `README.md` into a folder and give its text back."""
    parts = [TITLE]
    for name, write in _WRITERS.items():
        if name in document:
            parts.append(write(document[name]))
    text = "\n".join(parts)
    (out / "README.md").write_text(text, encoding="utf-8")
    return text


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list):
        return f"[{value[0]:.2f}, {value[1]:.2f}]"
    return "-" if value is None else str(value)


TRIED = (
    "54 ways of adding the curves were tried on planted films of other seeds (LOG.md: windows at their own spread, "
    'trends taken off, ranks, weights by peaks, fewer curves, evidence from fewer nats on); "sum" is the one taken.'
)
_FORM_HEAD = [
    "form",
    "works",
    "windows",
    "percentile",
    "95 %",
    "best tenth",
    "95 %",
    "foreign sounds",
    "95 %",
]


def _forms(forms: dict[str, JsonDict]) -> str:
    """Tables of forms with their intervals and controls, and of every variant that was tried on them."""
    rows, tried = [], []
    for name, form in forms.items():
        rows.append(_form_row(name, form))
        for variant, row in form.get("variants", {}).items():
            tried.append([name, variant, *_scores(row), row.get("control_best_tenth")])
        if "sum_less_five" in form:
            tried.append([name, "sum less sum of five", *_scores(form["sum_less_five"]), None])
    head = ["form", "variant", "percentile", "95 %", "best tenth", "95 %", "foreign sounds"]
    tables = _table(_FORM_HEAD, rows) + "\nEverything tried:\n\n" + _table(head, tried)
    return tables + _worth(forms)


def _worth(forms: dict[str, JsonDict]) -> str:
    """What the words of a list are worth, where it searched the whole sound."""
    names = ["words", "windows", "said", "found", "best_tenth", "said_of_foreign"]
    rows = [
        [name, *(row[each] for each in names)]
        for name, form in forms.items()
        for row in form.get("words", ())
    ]
    if not rows:
        return ""
    head = [
        "form",
        "words",
        "windows",
        "share",
        "within 0.5 s of the true start",
        "best tenth",
        "share of foreign sounds",
    ]
    return "\nWhat the words are worth, the whole sound searched:\n\n" + _table(head, rows)


def _form_row(name: str, form: JsonDict) -> list[Any]:
    foreign = [form["control_best_tenth"], form.get("control_best_tenth_interval")]
    return [name, form["works"], form.get("windows"), *_scores(form), *foreign]


def _scores(row: JsonDict) -> list[Any]:
    return [row[name] for name in ("percentile", "interval", "best_tenth", "best_tenth_interval")]


def _of_real(part: JsonDict) -> dict[str, JsonDict]:
    return {"circular": part, "2 s off both ends": part["trimmed"], "strict": part["strict"]}


def _real(part: JsonDict) -> str:
    left_out = "".join(f"\n* left out: {sentence}" for sentence in part.get("skipped", []))
    left_out += "\n" if left_out else ""
    if not part.get("works"):
        return f"## Placing, real clips\n\nNot measured: {part['note']}.\n{left_out}"
    text = "## Placing, real clips (chance: percentile 0.50, best tenth 0.105)\n\n" + _forms(_of_real(part))
    text += verdicts(part)
    if "sets" in part:
        text += "\n### Sets of works\n\n" + _sets(part["sets"])
    return text + left_out


def _sets(sets: dict[str, JsonDict]) -> str:
    """What is used and the plain sum of five on each set of works alone and on all but it."""
    rows = []
    for name, part in sets.items():
        if not part.get("works"):
            continue
        for title, form in _of_real(part).items():
            if not form["works"]:
                continue
            rows.append(_form_row(f"{name}: {title}", form))
            five, less = form["variants"]["sum of five"], form["sum_less_five"]
            rows.append(["the five alone", None, None, *_scores(five), five["control_best_tenth"], None])
            rows.append(["sum less five", None, None, *_scores(less), None, None])
    return _table(_FORM_HEAD, rows)


def _rhythm(part: JsonDict) -> str:
    columns = ["tempo", "octave", "beat_f", "lag_ms", "downbeat_f", "bar_length"]
    rows = [
        [row, name, *(values.get(column) for column in columns)]
        for row in part["rows"]["mvr"]
        for name, by in part["rows"].items()
        if (values := by[row])
    ]
    cost = ", ".join(f"{name} {value:.3f}" for name, value in part["cpu_s_per_minute"].items())
    text = "## Tempo, beats, downbeats\n\n" + _table(["pieces", "by", *columns], rows)
    text += "".join(f"\nNot installed, so without a row: {name}.\n" for name in part["not_installed"])
    return text + f"\nCPU s per minute of music: {cost}. The beat is, {part['what_counts_as_the_beat']}.\n"


def _cuts(part: JsonDict) -> str:
    rows = [
        [kind, name, row["hits"], row["false"], row["missed"], row["f1"]]
        for kind in part["films"]["mvr"]
        for name, by in part["films"].items()
        if (row := by[kind])
    ]
    windows = part["windows_without_a_cut"]
    false = ", ".join(f"{name} {value}" for name, value in windows.items() if name != "windows")
    text = "## Cuts\n\n" + _table(["films", "by", "hits", "false", "missed", "F1"], rows)
    return text + f"\nFalse cuts in {windows['windows']} windows of 1 s without one: {false}.\n"


def _planted(part: JsonDict) -> str:
    names = ["films", "starts", "found", "by_five_curves", "missed_by_whole_bars"]
    rows = [[name, *(row[each] for each in names)] for name, row in part.items()]
    head = [
        "changes",
        "films",
        "starts",
        "found within 0.5 s",
        "by the five curves alone",
        "missed by whole bars",
    ]
    return "## Placing, planted\n\n" + _table(head, rows)


def _planted_strict(part: JsonDict) -> str:
    text = "## Placing, planted, strict form (10 s of a corrupted picture over a track of 52 s)\n\n"
    return text + _forms({name.replace("_", " "): form for name, form in part.items()}) + f"\n{TRIED}\n"


def _nearness(part: JsonDict) -> str:
    if not part["films"]:
        return f"## Cuts near beats\n\nNot measured: {part['note']}.\n"
    kinds = [("", part), (", real music", part.get("excerpts", {}))]
    rows = [
        [name.replace("_", " ") + kind, found["tracks"], found[name]["one_track"], found[name]["best_of_ten"]]
        for kind, found in kinds
        if found.get("films")
        for name in ("cuts", "random_cuts")
    ]
    kind = "real" if part["real_clips"] else "painted"
    text = f"## Cuts near beats ({part['films']} {kind} films)\n\n"
    return (
        text + _table(["", "tracks", "one track", "best of ten"], rows) + f"\n{part['note'].capitalize()}.\n"
    )


def _fit(part: JsonDict) -> str:
    names = {
        name: None for form in part.values() for name in form if name not in ("notes", "skipped", "note")
    }
    rows = [[name.replace("_", " "), *(form.get(name) for form in part.values())] for name in names]
    return "## Fit\n\n" + _table(["", *part], rows)


_WRITERS = {
    "real_offset": _real, "rhythm": _rhythm, "cuts": _cuts, "planted": _planted, "planted_strict": _planted_strict,
    "nearness": _nearness, "fit": _fit
}  # fmt: skip

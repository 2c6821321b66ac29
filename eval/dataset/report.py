"""The results as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from eval.dataset.scores import Score
from mvr.datasets.svm10k.builder import BuildReport
from mvr.datasets.svm10k.filters import REASONS
from mvr.datatypes import JsonDict

_NAMES = REASONS | {
    "borders": "black borders, each side within 4 pixels",
    "same music": "pairs with the same music",
    "same pictures": "pairs with the same pictures",
}


def planted_document(scores: Sequence[Score], forms: Sequence[JsonDict], report: BuildReport) -> JsonDict:
    """Scores, forms and what the builder says of itself."""
    named = [
        {**asdict(score), "precision": score.precision, "recall": score.recall, "title": _NAMES[score.name]}
        for score in scores
    ]
    return {"scores": named, "forms": list(forms), "build": report.to_json()}


def planted_markdown(document: JsonDict) -> str:
    """Two tables: every finder, every form of what was planted."""
    lines = ["| finder | planted | named | right | precision | recall |", "|---|---|---|---|---|---|"]
    for score in document["scores"]:
        counts = f"{score['planted']} | {score['found']} | {score['right']}"
        lines.append(
            f"| {score['title']} | {counts} | {_share(score['precision'])} | {_share(score['recall'])} |"
        )
    lines += ["", "| planted | form | clips | treated as they should |", "|---|---|---|---|"]
    for form in document["forms"]:
        lines.append(f"| {form['kind']} | {form['how']} | {form['clips']} | {form['right']} |")
    return "\n".join(lines) + "\n"


def real_markdown(build: JsonDict) -> str:
    """What became of a real folder's clips."""
    lines = ["| clips | |", "|---|---|", f"| looked at | {build['clips']} |", f"| kept | {build['kept']} |"]
    lines += [f"| {REASONS[reason]} | {count} |" for reason, count in build["dropped"].items()]
    lines.append(f"| close to a threshold, to be looked at | {build['borderline']} |")
    return "\n".join(lines) + "\n"


def write(out: Path, name: str, title: str, document: JsonDict, table: str) -> None:
    """Write NAME.json and NAME.md, with the command and the settings."""
    out.mkdir(parents=True, exist_ok=True)
    settings = ", ".join(f"`{key}` {value}" for key, value in document["build"]["settings"].items())
    text = f"# {title}\n\n{document['about']}\n\nMade by `{document['command']}`.\n\n{table}\nSettings: {settings}.\n"
    (out / f"{name}.md").write_text(text, encoding="utf-8")
    plain = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (out / f"{name}.json").write_text(plain, encoding="utf-8")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

"""The results as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from eval.dataset.scores import Score
from mvr.datasets.svm10k.filters import REASONS
from mvr.datasets.svm10k.judged import BuildReport
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


def real_markdown(document: JsonDict) -> str:
    """What became of a real folder's clips: counts, then every clip with what was measured."""
    build = document["build"]
    lines = ["| clips | |", "|---|---|", f"| looked at | {build['clips']} |", f"| kept | {build['kept']} |"]
    lines += [f"| {REASONS[reason]} | {count} |" for reason, count in build["dropped"].items()]
    lines.append(f"| close to a threshold, to be looked at | {build['borderline']} |")
    lines.append(f"| different pieces of music among the kept | {build['music_groups']} |")
    lines.append(f"| different pictures among the kept | {build['video_groups']} |")
    head = ["file", "s", "motion", "voice", "noise", "LUFS", "borders", "became"]
    lines += ["", f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    names = {clip["id"]: clip["file"] for clip in reversed(document["clips"])}
    lines += [f"| {' | '.join(_clip_cells(clip, names))} |" for clip in document["clips"]]
    return "\n".join(lines) + "\n"


def _clip_cells(clip: JsonDict, names: Mapping[str, str]) -> list[str]:
    became = f"kept, {clip['split']}" if clip["reason"] is None else REASONS[clip["reason"]]
    became += f": {clip['detail']}" if clip["detail"] else ""
    became += " (borderline)" if clip["borderline"] else ""
    for what in ("music", "video"):
        first = clip[f"{what}_group"]
        became += f"; {what} of {names[first]}" if first not in (None, clip["id"]) else ""
    measures = clip["measures"]
    if measures is None:
        return [clip["file"], *[""] * 6, became]
    box, whole = tuple(measures["borders"]), (0, 0, measures["width_px"], measures["height_px"])
    loudness = "-" if measures["loudness_lufs"] is None else f"{measures['loudness_lufs']:.0f}"
    numbers = [f"{measures[name]:.2f}" for name in ("motion", "speech_share", "noise")]
    borders = "" if box == whole else f"{box} of {whole[2]} x {whole[3]}"
    return [clip["file"], f"{measures['duration_s']:.1f}", *numbers, loudness, borders, became]


def write(out: Path, name: str, title: str, document: JsonDict, table: str) -> None:
    """Write NAME.json and NAME.md, with the command and the settings."""
    out.mkdir(parents=True, exist_ok=True)
    text = f"# {title}\n\n{document['about']}\n\nMade by `{document['command']}`.\n\n{table}"
    if "build" in document:
        settings = ", ".join(f"`{key}` {value}" for key, value in document["build"]["settings"].items())
        text += f"\nSettings: {settings}.\n"
    (out / f"{name}.md").write_text(text, encoding="utf-8")
    plain = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (out / f"{name}.json").write_text(plain, encoding="utf-8")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

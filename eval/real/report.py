"""The report of the real-media check: results.json and report.md."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from eval.real.clips import Clip
from eval.real.directions import Shift
from eval.real.matching import Matching
from mvr.datatypes import JsonDict
from mvr.metrics.significance import Interval

EXPECTED = {
    ("faster", "onset rate"): "up",
    ("faster", "tempo"): "up",
    ("faster", "sustain"): "down",
    ("dark and slow", "onset rate"): "down",
    ("dark and slow", "tempo"): "down",
    ("dark and slow", "sustain"): "up",
    ("grey", "tempo"): "about 0",
}


def as_json(clips: list[Clip], music: list[Clip], matchings: list[Matching], moved: list[Shift]) -> JsonDict:
    """Everything that was measured."""
    return {
        "clips": {clip.path.name: {"source": clip.source, "segments": len(clip.segments)} for clip in clips},
        "music": [track.path.name for track in music],
        "matching": [
            {
                "system": m.system,
                "alpha": m.alpha,
                "queries": len(m.values),
                "percentile": asdict(m.interval),
                "by_source": m.by_source(),
                "works_needed": m.needed,
            }
            for m in matchings
        ],
        "directions": [
            {
                "system": s.system,
                "alpha": s.alpha,
                "change": s.change,
                "measure": s.measure,
                "expected": EXPECTED.get((s.change, s.measure), ""),
                "shift": asdict(s.interval),
                "as_expected": agreement(s),
                "per_clip": s.per_clip,
            }
            for s in moved
        ],
    }


def agreement(shift: Shift) -> float | None:
    """Share of clips that moved in the expected direction; None where none is expected."""
    sign = {"up": 1, "down": -1}.get(EXPECTED.get((shift.change, shift.measure), ""))
    if sign is None:
        return None
    values = list(shift.per_clip.values())
    return sum(value * sign > 0 for value in values) / len(values)


def as_markdown(values: JsonDict, command: str) -> str:
    """The report for readers."""
    sources = sorted({clip["source"] for clip in values["clips"].values()})
    lines = [
        "# Real clips",
        "",
        f"Made by `{command}`. {len(values['clips'])} videos of {len(sources)} sources, {len(values['music'])} "
        f"other musics; no system was trained on any of them. Intervals: 95 %, redrawing works. "
        f"Music is: {values['music_rule']}; "
        f"left out: {'; '.join(values['left_out']) or 'none'}. The means and spreads that centre `bridge-mini` come "
        "from the developers' clips and sounds (`python -m eval.bridge --reference`): on those very files they flatter "
        "it. The rows centred on other works take every reference item out that is like a clip of that work.",
        "",
        "## Own soundtrack from another time, among other music",
        "",
        "Percentile of the true soundtrack's other segments among the music and one sound of every other work, given "
        "the pictures of one segment; 0.5 is chance. Needed: works that would show a mean .05 above chance in four of "
        "five repetitions (two-sided, 5 %), by the spread between works here. Every variant that was scored is shown.",
        "",
        f"| system | alpha | queries | percentile | interval | needed | {' | '.join(sources)} |",
        f"|---|---|---|---|---|---|{'---|' * len(sources)}",
    ]
    for row in values["matching"]:
        cells = " | ".join(f"{row['by_source'][source]:.2f}" for source in sources)
        lines.append(
            f"| {row['system']} | {row['alpha']:g} | {row['queries']} | {row['percentile']['point']:.3f} | "
            f"{_span(row['percentile'])} | {row['works_needed']} | {cells} |"
        )
    lines += [
        "",
        "## Known directions",
        "",
        "Mean of the ten best tracks, changed clip less unchanged clip.",
        "",
        "| system | alpha | change | measure | shift | interval | expected | clips as expected |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in values["directions"]:
        share = "" if row["as_expected"] is None else f"{row['as_expected']:.0%}"
        lines.append(
            f"| {row['system']} | {row['alpha']:g} | {row['change']} | {row['measure']} | "
            f"{row['shift']['point']:+.2f} | {_span(row['shift'])} | {row['expected']} | {share} |"
        )
    return "\n".join(lines) + "\n"


def _span(interval: JsonDict) -> str:
    return f"{Interval(**interval).low:.3f} .. {Interval(**interval).high:.3f}"


def write_report(out: Path, values: JsonDict, command: str) -> None:
    """Write results.json and report.md into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (out / "results.json").write_text(text, encoding="utf-8")
    (out / "report.md").write_text(as_markdown(values, command), encoding="utf-8")

"""The report of a build as a page: counts by reason, settings, and every clip with what was measured."""

from __future__ import annotations

from html import escape
from pathlib import Path

from mvr.datasets.svm10k.filters import REASONS
from mvr.datasets.svm10k.judged import BuildReport, Judged

_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884}
td.n{text-align:right}
.drop{opacity:.75}
.look{background:#fa03}
"""
_HEAD = ("file", "decision", "why", "seconds", "voice", "noise", "motion", "LUFS", "borders")


def write_report(out: Path, report: BuildReport) -> None:
    """Write `report.html`; names are escaped, nothing is loaded from elsewhere."""
    numbers = report.to_json()
    reasons = "".join(
        f"<tr><td>{escape(REASONS[reason])}</td><td class=n>{count}</td></tr>"
        for reason, count in report.dropped.items()
    )
    splits = ", ".join(f"{count} {split}" for split, count in report.splits.items())
    settings = "".join(
        f"<tr><td>{escape(name)}</td><td class=n>{escape(str(value))}</td></tr>"
        for name, value in numbers["settings"].items()
    )
    missing = "".join(f"<li>{escape(name)}</li>" for name in report.missing)
    head = "".join(f"<th scope=col>{name}</th>" for name in _HEAD)
    page = f"""<!doctype html><html lang=en><meta charset=utf-8><title>Dataset build</title>
<meta name=viewport content="width=device-width"><style>{_STYLE}</style>
<h1>Dataset build</h1>
<p>{numbers["kept"]} of {numbers["clips"]} clips kept ({splits}); {numbers["music_groups"]} different pieces of music.
{numbers["borderline"]} are close to a threshold: look at them with <code>mvr dataset review</code>.</p>
<h2>Dropped</h2><table>{reasons or "<tr><td>none</td></tr>"}</table>
{f"<h2>Listed but missing</h2><ul>{missing}</ul>" if missing else ""}
<h2>Clips</h2><table><tr>{head}</tr>{"".join(_clip(item) for item in report.judged)}</table>
<h2>Settings</h2><table>{settings}</table></html>"""
    (out / "report.html").write_text(page, encoding="utf-8")


def _clip(item: Judged) -> str:
    measures, decision = item.inspection.measures, item.decision
    kind = "look" if decision.borderline else "drop" if decision.reason else ""
    cells = [escape(item.clip.path.name), "dropped" if decision.reason else "kept"]
    cells.append(
        escape(": ".join(part for part in (REASONS.get(decision.reason or "", ""), decision.detail) if part))
    )
    numbers: list[str] = []
    if measures is not None:
        left, top, right, bottom = measures.borders
        cut = (left, top, right, bottom) != (0, 0, measures.width_px, measures.height_px)
        numbers = [
            f"{measures.duration_s:.1f}",
            f"{measures.speech_share:.2f}",
            f"{measures.noise:.2f}",
            f"{measures.motion:.1f}",
            "" if measures.loudness_lufs is None else f"{measures.loudness_lufs:.0f}",
            f"{right - left} x {bottom - top} of {measures.width_px} x {measures.height_px}" if cut else "",
        ]
    plain = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr class='{kind}'>{plain}{''.join(f'<td class=n>{n}</td>' for n in numbers)}</tr>"

"""The interval plot of a rating table as SVG: readable by screen readers, printable, the same bytes every time."""

from __future__ import annotations

from html import escape

from mvr.datatypes import JsonDict

# name and numbers stand above their line, so that the whole fits a phone and can still be read there
ROW_PX, WIDTH_PX, TOP_PX, BOTTOM_PX = 50, 400, 8, 40


def forest_plot(section: JsonDict, title: str) -> str:
    """SVG of one rating section (see `sections.rating_section`): a dot and an interval line per system.

    The picture has a title and a description with every number, and does not use colour to say anything.
    """
    rows = section["rows"]
    height = TOP_PX + ROW_PX * max(len(rows), 1) + BOTTOM_PX
    low, high = _bounds(rows)
    scale = _Scale(low, high)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height}" role="img" '
        f'aria-labelledby="forest-title forest-text" font-family="sans-serif" font-size="14" fill="currentColor">',
        f'<title id="forest-title">{escape(title)}</title>',
        f'<desc id="forest-text">{escape(forest_text(section))}</desc>',
        _axis(scale, height - BOTTOM_PX),
    ]
    parts += [_row(row, scale, TOP_PX + ROW_PX * number + 34) for number, row in enumerate(rows)]
    if not rows:
        parts.append(f'<text x="12" y="{TOP_PX + 16}">{escape(section["note"])}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def forest_text(section: JsonDict) -> str:
    """The same numbers in words, one sentence per system."""
    if not section["rows"]:
        return str(section["note"])
    sentences = [_sentence(row) for row in section["rows"]]
    return " ".join(([section["note"] + "."] if section["note"] else []) + sentences)


def _sentence(row: JsonDict) -> str:
    if row["elo_low"] is None:
        interval = "no interval yet"
    else:
        interval = f"95 % interval {row['elo_low']:.0f} to {row['elo_high']:.0f}"
    few = ", preliminary" if row["preliminary"] else ""
    return f"{row['system']}: {row['elo']:.0f} Elo, {interval}, {row['votes']} votes{few}."


class _Scale:
    """Elo to pixels."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def x(self, elo: float) -> float:
        share = (min(max(elo, self.low), self.high) - self.low) / (self.high - self.low)
        return round(14 + share * (WIDTH_PX - 28), 1)


def _bounds(rows: list[JsonDict]) -> tuple[float, float]:
    values = [row[key] for row in rows for key in ("elo", "elo_low", "elo_high") if row[key] is not None]
    low, high = min(values, default=900.0), max(values, default=1100.0)
    # an interval of thousands of Elo (few voters) is cut at the edge: it would flatten all others
    centre = sum(row["elo"] for row in rows) / len(rows) if rows else 1000.0
    low, high = max(low, centre - 800), min(high, centre + 800)
    return (low // 50) * 50, (high // 50 + 1) * 50


def _axis(scale: _Scale, bottom: int) -> str:
    step = 50 if scale.high - scale.low <= 500 else 200
    first = int(-(-scale.low // step) * step)
    lines = []
    for elo in range(first, int(scale.high) + 1, step):
        x = scale.x(elo)
        weight = 1.5 if elo == 1000 else 0.5
        lines.append(
            f'<line x1="{x}" x2="{x}" y1="{TOP_PX}" y2="{bottom}" stroke="currentColor" '
            f'stroke-width="{weight}" opacity="0.4"/>'
            f'<text x="{x}" y="{bottom + 18}" text-anchor="middle" font-size="12">{elo}</text>'
        )
    lines.append(f'<text x="{WIDTH_PX / 2}" y="{bottom + 34}" text-anchor="middle" font-size="12">Elo</text>')
    return "\n".join(lines)


def _row(row: JsonDict, scale: _Scale, y: int) -> str:
    name = escape(row["system"]) + (" *" if row["preliminary"] else "")
    low, high = row["elo_low"], row["elo_high"]
    number = f"{row['elo']:.0f}" + ("" if low is None else f" ({low:.0f} to {high:.0f})")
    parts = [
        f'<text x="4" y="{y - 12}">{name}</text>',
        f'<text x="{WIDTH_PX - 4}" y="{y - 12}" text-anchor="end" font-size="13">{number}</text>',
    ]
    if low is not None:
        x1, x2 = scale.x(low), scale.x(high)
        parts.append(
            f'<line x1="{x1}" x2="{x2}" y1="{y}" y2="{y}" stroke="currentColor" stroke-width="2"/>'
            f'<line x1="{x1}" x2="{x1}" y1="{y - 5}" y2="{y + 5}" stroke="currentColor" stroke-width="2"/>'
            f'<line x1="{x2}" x2="{x2}" y1="{y - 5}" y2="{y + 5}" stroke="currentColor" stroke-width="2"/>'
        )
    parts.append(f'<circle cx="{scale.x(row["elo"])}" cy="{y}" r="5"/>')
    return "".join(parts)

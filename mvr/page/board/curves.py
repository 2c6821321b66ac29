"""Alpha curves as points of an SVG drawing: the template draws them in the page's own colours, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mvr.datatypes import JsonDict
from mvr.page import texts
from mvr.page.board.evaluation import main_metric

LEFT, TOP, WIDTH, HEIGHT = 46, 12, 400, 190


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line; `points` and `band` are SVG coordinate lists, `style` picks colour, dash and marker."""

    name: str
    points: str
    band: str
    marks: list[tuple[float, float]]
    style: int


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A drawing: curves over alpha, ticks as (position, label), a caption that says it in words."""

    title: str
    axis: str
    curves: list[Curve]
    ticks: list[tuple[float, str]]
    caption: str


def metric_panel(rows: Sequence[JsonDict], title: str) -> Panel:
    """The main metric of one place over alpha; systems without alpha are flat lines, chance is the last curve."""
    name, ks = main_metric(rows[0])
    k = ks[-1]
    series: dict[str, list[tuple[float, float, float, float]]] = {}
    for row in rows:
        value = 100 * row[name][k]
        low, high = row.get("intervals", {}).get(f"{name}@{k}", (row[name][k], row[name][k]))
        for alpha in (0.0, 1.0) if row["alpha"] is None else (row["alpha"],):
            series.setdefault(row["system"], []).append((alpha, value, 100 * low, 100 * high))
    chance = [100 * row["chance"][name][k] for row in rows if "chance" in row][:1]
    if chance:
        series["chance"] = [(alpha, chance[0], chance[0], chance[0]) for alpha in (0.0, 1.0)]
    axis = f"{'Recall' if name == 'recall' else 'Precision'}@{k} (%)"
    return panel(title, axis, series)


def panel(title: str, axis: str, series: dict[str, list[tuple[float, float, float, float]]]) -> Panel:
    """Curves from (alpha, value, low, high) in per cent."""
    top = _round_up(max((high for points in series.values() for *_, high in points), default=1.0))
    curves = [
        _curve(name, sorted(points), top, number) for number, (name, points) in enumerate(series.items())
    ]
    ticks = [(_y(share * top, top), f"{share * top:g}") for share in (0, 0.5, 1)]
    said = "; ".join(f"{name}: {_said(sorted(points))}" for name, points in series.items())
    return Panel(title=title, axis=axis, curves=curves, ticks=ticks, caption=f"{title}. {axis}. {said}.")


def _said(points: list[tuple[float, float, float, float]]) -> str:
    if len({point[1] for point in points}) == 1:
        said = texts.CURVE_FLAT if len(points) > 1 else texts.CURVE_POINT
        return said.format(value=points[0][1], alpha=points[0][0])
    return ", ".join(texts.CURVE_POINT.format(value=end[1], alpha=end[0]) for end in (points[0], points[-1]))


def _curve(name: str, points: list[tuple[float, float, float, float]], top: float, number: int) -> Curve:
    marks = [(_x(alpha), _y(value, top)) for alpha, value, _, _ in points]
    upper = [(_x(alpha), _y(high, top)) for alpha, _, _, high in points]
    lower = [(_x(alpha), _y(low, top)) for alpha, _, low, _ in reversed(points)]
    flat = len(points) == 2 and points[0][1] == points[1][1]
    return Curve(
        name=name,
        points=_joined(marks),
        band="" if flat else _joined(upper + lower),
        marks=[] if flat else marks,
        style=6 if name == "chance" else number % 6,
    )


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _x(alpha: float) -> float:
    return LEFT + WIDTH * alpha


def _y(value: float, top: float) -> float:
    return TOP + HEIGHT * (1 - value / top)


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50, ... that is at least `value`."""
    step = 1.0
    while True:
        for factor in (1, 2, 5):
            if factor * step >= value:
                return factor * step
        step *= 10

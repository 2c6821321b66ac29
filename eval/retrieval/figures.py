"""Alpha curves and rank histograms, readable in print: marker and line style tell systems apart, not colour alone.

Seeds of one head ("NAME-seed1" beside "NAME") look alike and share its line in the legend. The same rows give the same
bytes: no date, no software name, and ids salted with a constant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from eval.retrieval.tables import DIRECTIONS
from mvr.datatypes import JsonDict
from mvr.metrics.retrieval.plan import PAIR
from mvr.metrics.retrieval.values import Measured

# Okabe and Ito's palette for colour-blind readers, with a marker and a dash of its own for each system
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vPX"
_DASHES = ("-", "--", "-.", ":")
_STYLE: Any = {
    "svg.hashsalt": "mvr",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write `stem`.svg and `stem`.png."""
    with mpl.rc_context(_STYLE):
        figure.savefig(stem.with_suffix(".svg"), metadata={"Date": None, "Creator": None})
        figure.savefig(stem.with_suffix(".png"), dpi=150, metadata={"Software": None})
    return [stem.with_suffix(".svg"), stem.with_suffix(".png")]


def alpha_curves(document: JsonDict) -> Figure:
    """One panel per task and direction: the main metric over alpha, with intervals; flat lines for systems without
    alpha, a dotted line for chance."""
    rows = _whole_pool(document["rows"])
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    systems = list(dict.fromkeys(row["system"] for row in rows))
    with mpl.rc_context(_STYLE):
        figure = _figure((8.0, 2.9 * len(tasks) + 0.5))
        axes = figure.subplots(len(tasks), 2, squeeze=False)
        for line, task in zip(axes, tasks, strict=True):
            for panel, direction in zip(line, DIRECTIONS, strict=True):
                own = [row for row in rows if (row["task"], row["direction"]) == (task, direction)]
                _alpha_panel(panel, own, systems)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), frameon=False)
    return figure


def _alpha_panel(panel: Axes, rows: Sequence[JsonDict], systems: Sequence[str]) -> None:
    looks = _looks(systems)
    if not rows:
        panel.set_axis_off()
        return
    pair = rows[0]["task"] == PAIR
    measure = "recall" if pair else "precision"
    k = "10" if "10" in rows[0][measure] else list(rows[0][measure])[-1]
    for system in systems:
        own = [row for row in rows if row["system"] == system]
        values = [100 * row[measure][k] for row in own]
        style = looks[system].line
        if own and own[0]["alpha"] is None:
            panel.axhline(values[0], linewidth=1.2, **style)
        elif own:
            alphas = [row["alpha"] for row in own]
            bounds = 100 * np.array([row["intervals"][f"{measure}@{k}"] for row in own])
            panel.plot(alphas, values, marker=looks[system].marker, markersize=4, **style)
            panel.fill_between(
                alphas, bounds[:, 0], bounds[:, 1], color=style["color"], alpha=0.15, linewidth=0
            )
    panel.axhline(100 * rows[0]["chance"][measure][k], color="grey", linestyle=(0, (1, 3)), label="chance")
    panel.set_ylim(bottom=0)
    panel.set_xlim(0, 1)
    panel.set_xlabel("alpha")
    panel.set_ylabel(f"{'Recall' if pair else 'Precision'}@{k} (%)")
    task = "true pair" if pair else f"same {rows[0]['task'].partition(':')[2]}"
    panel.set_title(f"{DIRECTIONS[rows[0]['direction']]}, {task}, N = {rows[0]['pool']}", fontsize=9)


def rank_histograms(measured: Sequence[Measured]) -> Figure:
    """Pair task: how many queries have their truth at which rank, in bins that double; one panel per direction."""
    rows = [row for row in measured if row.key.task == PAIR and len(row.columns)]
    pool = max(row.key.pool for row in rows)
    rows = [row for row in rows if row.key.pool == pool]
    edges = np.unique(
        np.minimum(np.concatenate([[0], 2 ** np.arange(0, int(np.ceil(np.log2(pool))) + 1)]), pool)
    )
    with mpl.rc_context(_STYLE):
        figure = _figure((8.0, 3.4))
        panels = figure.subplots(1, 2, sharey=True)
        for panel, direction in zip(panels, DIRECTIONS, strict=True):
            own = _lowest_alpha([row for row in rows if str(row.key.direction) == direction])
            _histogram_panel(panel, own, edges)
            panel.set_title(f"{DIRECTIONS[direction]}, N = {pool}", fontsize=9)
        panels[0].set_ylabel("queries (%)")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), frameon=False)
    return figure


def _histogram_panel(panel: Axes, rows: Sequence[Measured], edges: np.ndarray) -> None:
    places = np.arange(len(edges) - 1)
    looks = _looks([row.key.system for row in rows])
    for row in rows:
        look = looks[row.key.system]
        counts = np.histogram(np.ceil(row.ranks), bins=edges + 0.5)[0]
        panel.plot(
            places,
            100 * counts / len(row.ranks),
            drawstyle="steps-mid",
            marker=look.marker,
            markersize=4,
            **{**look.line, "label": row.key.name if look.named else None},
        )
    chance = 100 * np.diff(edges) / edges[-1]
    panel.plot(places, chance, color="grey", linestyle=(0, (1, 3)), drawstyle="steps-mid", label="chance")
    names = [f"{a + 1}-{b}" if b > a + 1 else f"{b}" for a, b in pairwise(edges)]
    panel.set_xticks(places, names, rotation=60, fontsize=7)
    panel.set_xlabel("rank of the true pair")


@dataclass(frozen=True, kw_only=True)
class _Look:
    """How a system is drawn; `named` is False for further seeds, which share a line of the legend."""

    line: dict[str, Any]
    marker: str
    named: bool


def _looks(systems: Sequence[str]) -> dict[str, _Look]:
    families = list(dict.fromkeys(_family(system) for system in systems))
    looks: dict[str, _Look] = {}
    for system in systems:
        number = families.index(_family(system))
        named = _family(system) not in map(_family, looks)
        line = {
            "color": _COLOURS[number % 7],
            "linestyle": _DASHES[number % 4],
            "label": system if named else None,
        }
        looks[system] = _Look(line=line, marker=_MARKERS[number % 7], named=named)
    return looks


def _family(system: str) -> str:
    """The name without the seed.

    >>> _family("mvbind-seed2"), _family("mvbind")
    ('mvbind', 'mvbind')
    """
    return re.sub(r"-seed\d+$", "", system)


def _lowest_alpha(rows: Sequence[Measured]) -> list[Measured]:
    lowest: dict[str, Measured] = {}
    for row in rows:
        kept = lowest.setdefault(row.key.system, row)
        if (row.key.alpha or 0) < (kept.key.alpha or 0):
            lowest[row.key.system] = row
    return list(lowest.values())


def _whole_pool(rows: Sequence[JsonDict]) -> list[JsonDict]:
    largest: dict[tuple[str, str], int] = {}
    for row in rows:
        place = (row["task"], row["direction"])
        largest[place] = max(largest.get(place, 0), row["pool"])
    return [row for row in rows if row["pool"] == largest[row["task"], row["direction"]]]


def _figure(size: tuple[float, float]) -> Figure:
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure

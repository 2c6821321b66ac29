"""All cells in one table: means over seeds, intervals over groups, chance beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from eval.ablation.grid import Grid
from eval.retrieval.tables import DIRECTIONS, markdown_lines
from mvr.datatypes import JsonDict
from mvr.metrics.retrieval.plan import PAIR
from mvr.metrics.significance import Resampling, cluster_bootstrap


def merge(results: Sequence[JsonDict], grid: Grid) -> JsonDict:
    """One row per configuration, task, direction and alpha.

    Per-query values are averaged over the seeds before groups are redrawn, so the interval is that of the mean over
    seeds; `seed_spread` is the standard deviation of the seeds' own means.
    """
    together: dict[tuple[str, ...], list[tuple[JsonDict, JsonDict]]] = defaultdict(list)
    for result in results:
        cell = result["cell"]
        for row in result["rows"]:
            configuration = (cell["store"], cell["head"], repr(sorted(cell["settings"].items())))
            place = (*configuration, row["task"], row["direction"], str(row["alpha"]), str(row["pool"]))
            together[place].append((cell, row))
    rows = [_merged(entries, grid) for entries in together.values()]
    return {"title": grid.title, "about": grid.about, "split": grid.split, "draws": grid.draws, "rows": rows}


def _merged(entries: Sequence[tuple[JsonDict, JsonDict]], grid: Grid) -> JsonDict:
    cell, first = entries[0]
    metric = _metric(first, grid)
    columns = np.array([row["columns"][metric] for _, row in entries])
    interval = cluster_bootstrap(columns.mean(axis=0), first["groups"], Resampling(draws=grid.draws))[0]
    measure, _, k = metric.partition("@")
    return {
        "store": cell["store"],
        "head": cell["head"],
        **cell["settings"],
        "task": first["task"],
        "direction": first["direction"],
        "alpha": first["alpha"],
        "pool": first["pool"],
        "metric": metric,
        "value": round(interval.point, 6),
        "interval": [round(interval.low, 6), round(interval.high, 6)],
        "chance": first["chance"][measure][k],
        "median_rank": round(float(np.mean([row["median_rank"] for _, row in entries])), 6),
        "seeds": len(entries),
        "seed_spread": round(float(columns.mean(axis=1).std(ddof=1)), 6) if len(entries) > 1 else None,
    }


def _metric(row: JsonDict, grid: Grid) -> str:
    return f"{'recall' if row['task'] == PAIR else 'precision'}@{max(grid.ks)}"


def as_markdown(merged: JsonDict, grid: Grid) -> str:
    """The merged table, one block per task and direction."""
    parts = [f"# {grid.title}", "", grid.about.strip(), ""]
    blocks: dict[tuple[str, str, int], list[JsonDict]] = defaultdict(list)
    for row in merged["rows"]:
        blocks[row["task"], row["direction"], row["pool"]].append(row)
    for (task, direction, pool), rows in blocks.items():
        columns = [
            "store",
            "head",
            *grid.axes,
            "alpha",
            f"{rows[0]['metric']} %",
            "median rank",
            "SD of seeds",
        ]
        heading = f"{DIRECTIONS[direction].capitalize()}, {task}, {pool} candidates, split {grid.split}"
        chance = 100 * rows[0]["chance"]
        parts += [f"**{heading}; chance {chance:.1f} %**", ""]
        parts += [*markdown_lines(columns, [_line(row, grid) for row in rows]), ""]
    return "\n".join(parts).rstrip() + "\n"


def _line(row: JsonDict, grid: Grid) -> list[str]:
    low, high = row["interval"]
    return [
        row["store"],
        row["head"],
        *(str(row[axis]) for axis in grid.axes),
        "" if row["alpha"] is None else f"{row['alpha']:g}",
        f"{100 * row['value']:.1f} [{100 * low:.1f}, {100 * high:.1f}]",
        f"{row['median_rank']:.1f}",
        "" if row["seed_spread"] is None else f"{100 * row['seed_spread']:.1f}",
    ]

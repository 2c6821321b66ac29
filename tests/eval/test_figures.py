"""Curves of many systems: seeds of one head share a look and a line of the legend, heads do not."""

from __future__ import annotations

from eval.retrieval.figures import alpha_curves


def row(system, alpha, value):
    return {
        "system": system,
        "alpha": alpha,
        "direction": "v2m",
        "task": "pair",
        "pool": 50,
        "recall": {"10": value},
        "intervals": {"recall@10": [value - 0.1, value + 0.1]},
        "chance": {"recall": {"10": 0.2}},
    }


def test_seeds_of_one_head_share_a_colour_and_one_line_of_the_legend():
    rows = [row(f"ours{seed}", alpha, 0.5) for seed in ("", "-seed1", "-seed2") for alpha in (0.0, 1.0)]
    rows += [row("theirs", None, 0.4), row("theirs-seed1", None, 0.3)]
    figure = alpha_curves({"rows": rows})
    panel = figure.axes[0]
    curves = [line for line in panel.lines if line.get_marker() != "None"]
    flat = [line for line in panel.lines if line.get_marker() == "None"]
    assert len(curves) == 3 and len({line.get_color() for line in curves}) == 1
    assert len(flat) == 3 and flat[0].get_color() == flat[1].get_color() != curves[0].get_color()
    assert sorted(panel.get_legend_handles_labels()[1]) == ["chance", "ours", "theirs"]

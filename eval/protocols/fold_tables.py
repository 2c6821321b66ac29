"""The cross-validation as Markdown: values of all queries, differences with their tests, the folds."""

from __future__ import annotations

import math

from eval.retrieval.tables import DIRECTIONS, markdown_lines
from mvr.datatypes import JsonDict

_MEASURES = {
    "recall@1": ("R@1 %", 100),
    "recall@5": ("R@5 %", 100),
    "recall@10": ("R@10 %", 100),
    "precision@10": ("label P@10 %", 100),
    "others_precision@10": ("own pair left out", 100),
    "median_rank": ("median rank", 1),
}
"""Metric -> heading and scale."""


def as_markdown(document: JsonDict) -> str:
    """The whole report."""
    parts = [f"# {document['title']}", "", document["about"], "", _preamble(document), ""]
    parts += [*_values(document), "", "## Differences", "", _TESTS, "", *_differences(document), ""]
    parts += ["## By fold", "", *_folds(document)]
    return "\n".join(parts) + "\n"


def _preamble(document: JsonDict) -> str:
    settings = document["settings"]
    alphas = [f"{alpha:g}" for alpha in settings["alphas"]]
    heads = (
        f"heads at alpha {alphas[0]}" if len(alphas) == 1 else f"heads as NAME@ALPHA at {', '.join(alphas)}"
    )
    label = f"; P@10 of the {settings['label']} in a fold's own pool" if settings["label"] else ""
    trainings = settings["trainings"]
    seeds = f"; a value is the mean over {trainings} trainings" if trainings > 1 else ""
    return (
        f"{document['queries']} queries; recall, MRR and median rank in pools of {document['pool']} (exact expectation "
        f"over sub-pools of a fold's own pool){label}; {heads}{seeds}. In brackets: 95 % intervals from "
        f"{settings['draws']} redraws, seed {settings['seed']}."
    )


_TESTS = (
    "Paired sign-flip permutation over all queries, p adjusted by Holm over all tests of this table. The ratio of "
    "ranks is the geometric mean over queries of the second system's rank by the first's: above 1, the first finds the "
    "truth higher up. A difference counts where its adjusted p is below 0.05 and it is at least two points."
)


def _values(document: JsonDict) -> list[str]:
    shown = {name: measure for name, measure in _MEASURES.items() if name in document["rows"][0]}
    columns = ["system", "direction", *(heading for heading, _ in shown.values()), "MRR"]
    lines = [
        [
            row["system"],
            row["direction"],
            *(_bracketed(row[name], scale) for name, (_, scale) in shown.items()),
            f"{row['mrr']['value']:.3f}",
        ]
        for row in document["rows"]
    ]
    chance = document["rows"][0]["chance"]
    values = [f"{scale * chance[name]:.1f}" for name, (_, scale) in shown.items()]
    lines.append(["chance", "", *values, f"{chance['mrr']:.3f}"])
    return markdown_lines(columns, lines)


def _differences(document: JsonDict) -> list[str]:
    points = {"recall": "R@10", "precision": "label P@10", "others": "own pair left out"}
    shown = {name: heading for name, heading in points.items() if name in document["comparisons"][0]}
    columns = ["first against second", "direction"]
    for heading in shown.values():
        columns += [f"{heading} (points)", "p (Holm)", "counts"]
    columns += ["ratio of ranks", "p (Holm)", "median rank"]
    lines = []
    for entry in document["comparisons"]:
        line = [f"{entry['first']}, {entry['second']}", entry["direction"]]
        for name in shown:
            test = entry[name]
            line += [_bracketed(test, 100, "+"), f"{test['p_holm']:.4f}", "yes" if test["claim"] else "no"]
        ranks = entry["log_rank"]
        ratio = [math.exp(value) for value in (ranks["value"], *ranks["interval"])]
        line += [f"{ratio[0]:.2f} [{ratio[1]:.2f}, {ratio[2]:.2f}]", f"{ranks['p_holm']:.4f}"]
        lines.append([*line, _bracketed(entry["median_rank"], 1, "+")])
    return markdown_lines(columns, lines)


def _folds(document: JsonDict) -> list[str]:
    folds = document["folds"]
    columns = ["", *(f"fold {fold['fold']}" for fold in folds)]
    lines = [
        [f"rows in {split}", *(str(fold[split]) for fold in folds)] for split in ("train", "val", "test")
    ]
    for row in document["rows"]:
        place = f"{row['system']}, {DIRECTIONS[row['direction']]}"
        for name, values in row["by_fold"].items():
            heading, scale = _MEASURES[name]
            lines.append([f"{place}: {heading}", *(f"{scale * value:.1f}" for value in values)])
    return markdown_lines(columns, lines)


def _bracketed(value: JsonDict, scale: float, sign: str = "") -> str:
    low, high = value["interval"]
    return f"{scale * value['value']:{sign}.1f} [{scale * low:{sign}.1f}, {scale * high:{sign}.1f}]"

"""The cross-validation as Markdown: values of all queries, differences with their tests, the folds."""

from __future__ import annotations

import math

from eval.retrieval.tables import DIRECTIONS, markdown_lines
from mvr.datatypes import JsonDict


def as_markdown(document: JsonDict) -> str:
    """The whole report."""
    settings = document["settings"]
    preamble = (
        f"{document['queries']} queries; recall, MRR and median rank in pools of {document['pool']} (exact expectation "
        f"over sub-pools of a fold's own pool), heads at alpha {settings['alpha']:g}. In brackets: 95 % intervals from "
        f"{settings['draws']} redraws, seed {settings['seed']}."
    )
    parts = [f"# {document['title']}", "", document["about"], "", preamble, ""]
    parts += [*_values(document), "", "## Differences", "", _TESTS, "", *_differences(document), ""]
    parts += ["## By fold", "", *_folds(document)]
    return "\n".join(parts) + "\n"


_TESTS = (
    "Paired sign-flip permutation over all queries, p adjusted by Holm over both tests of this table. The ratio of "
    "ranks is the geometric mean over queries of the second system's rank by the first's: above 1, the first finds the "
    "truth higher up. A difference in recall counts where its adjusted p is below 0.05 and it is at least two points."
)


def _values(document: JsonDict) -> list[str]:
    columns = ["system", "direction", "R@1 %", "R@5 %", "R@10 %", "median rank", "MRR"]
    names = ("recall@1", "recall@5", "recall@10")
    lines = [
        [
            row["system"],
            row["direction"],
            *(_bracketed(row[name], 100) for name in names),
            _bracketed(row["median_rank"], 1),
            f"{row['mrr']['value']:.3f}",
        ]
        for row in document["rows"]
    ]
    chance = document["rows"][0]["chance"]
    recall = [f"{100 * chance['recall'][k]:.1f}" for k in ("1", "5", "10")]
    lines.append(["chance", "", *recall, f"{chance['median_rank']:.1f}", f"{chance['mrr']:.3f}"])
    return markdown_lines(columns, lines)


def _differences(document: JsonDict) -> list[str]:
    columns = [
        "first against second",
        "direction",
        "R@10 (points)",
        "p (Holm)",
        "counts",
        "ratio of ranks",
        "p (Holm)",
        "median rank",
    ]
    lines = []
    for entry in document["comparisons"]:
        ratio = [math.exp(v) for v in (entry["log_rank"]["value"], *entry["log_rank"]["interval"])]
        lines.append(
            [
                f"{entry['first']}, {entry['second']}",
                entry["direction"],
                _bracketed(entry["recall"], 100, "+"),
                f"{entry['recall']['p_holm']:.4f}",
                "yes" if entry["recall"]["claim"] else "no",
                f"{ratio[0]:.2f} [{ratio[1]:.2f}, {ratio[2]:.2f}]",
                f"{entry['log_rank']['p_holm']:.4f}",
                _bracketed(entry["median_rank"], 1, "+"),
            ]
        )
    return markdown_lines(columns, lines)


def _folds(document: JsonDict) -> list[str]:
    folds = document["folds"]
    columns = ["", *(f"fold {fold['fold']}" for fold in folds)]
    lines = [
        [f"rows in {split}", *(str(fold[split]) for fold in folds)] for split in ("train", "val", "test")
    ]
    for row in document["rows"]:
        place = f"{row['system']}, {DIRECTIONS[row['direction']]}"
        lines.append([f"{place}: R@10 %", *(f"{100 * v:.1f}" for v in row["by_fold"]["recall@10"])])
        lines.append([f"{place}: median rank", *(f"{v:.1f}" for v in row["by_fold"]["median_rank"])])
    return markdown_lines(columns, lines)


def _bracketed(value: JsonDict, scale: float, sign: str = "") -> str:
    low, high = value["interval"]
    return f"{scale * value['value']:{sign}.1f} [{scale * low:{sign}.1f}, {scale * high:{sign}.1f}]"

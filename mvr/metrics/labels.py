"""Label-supervised retrieval: every item that shares a label with the query is relevant.

Conventions: an item has any number of labels of one taxonomy (genre, emotion, instrument, ...). *Micro*
values are means over queries, relevance being at least one shared label. *Macro* values are means over
classes: within class c the queries are those with label c and the relevant items those with label c, so that
frequent classes do not drown the rare. All values are exact under ties. Items of one group (same music) are
one candidate with the best score and all their labels.

Source: the genre-supervised task of Control-MVR (arXiv:2412.05831); macro averaging as in Emo-CLIM (ICASSP
2024).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.errors import DataError, WrongShape
from mvr.metrics.positions import BoolArray, IntArray, Positions, RealArray, chance_positions, gather, locate
from mvr.metrics.ranks import Grouping, check_finite, row_blocks, unlike

Scores = npt.NDArray[np.floating[Any]]
Labels = Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class LabelTask:
    """Whose labels are whose.

    Attributes:
        query_labels: Q lists of labels.
        item_labels: N lists of labels.
        groups: (N,) group of each item, or None where each stands alone.
        own: (Q,) column of each query's own pair, to leave it out of the candidates (its label is shared by
            construction); None keeps it in, as the papers' protocol does.
    """

    query_labels: Labels
    item_labels: Labels
    groups: npt.ArrayLike | None = None
    own: npt.ArrayLike | None = None


@dataclass(frozen=True, kw_only=True)
class LabelPositions:
    """The relevant items of a label task.

    Attributes:
        micro: queries with at least one relevant item; `queries` (Q',) are their rows.
        classes: class name -> positions of the queries of that class.
        unlabelled: queries without a label, left out.
        without_relevant: labelled queries without a relevant candidate, left out.
        pool: number of candidates.
    """

    micro: Positions
    queries: IntArray
    classes: dict[str, Positions]
    unlabelled: int
    without_relevant: int
    pool: int


def label_positions(scores: Scores, task: LabelTask) -> LabelPositions:
    """Find the relevant items of every query in a matrix of scores (Q, N).

    Raises:
        WrongShape: shapes that do not fit.
        NotFinite: NaN or infinity among the scores.
        DataError: no query has a label and a relevant item.
    """
    if scores.ndim != 2 or scores.shape != (len(task.query_labels), len(task.item_labels)):
        raise WrongShape(
            f"scores {scores.shape} do not fit the labels of {len(task.query_labels)} queries "
            f"and {len(task.item_labels)} items"
        )
    return _positions((scores[rows] for rows in row_blocks(*scores.shape)), task)


def label_positions_of_embeddings(queries: Scores, items: Scores, task: LabelTask) -> LabelPositions:
    """`label_positions` of `queries @ items.T` (Q, D), (N, D), in blocks."""
    if queries.shape[1:] != items.shape[1:] or queries.ndim != 2:
        raise unlike(queries, items)
    if (len(queries), len(items)) != (len(task.query_labels), len(task.item_labels)):
        raise WrongShape(f"{len(queries)} x {len(items)} embeddings do not fit the labels")
    transposed = np.ascontiguousarray(items.T)
    with np.errstate(over="ignore", invalid="ignore"):
        return _positions((queries[rows] @ transposed for rows in row_blocks(len(queries), len(items))), task)


@dataclass(frozen=True, kw_only=True)
class LabelSummary:
    """What a table prints of a label task: means over queries (micro) and over classes (macro)."""

    queries: int
    classes: int
    pool: int
    precision: dict[int, float]
    recall: dict[int, float]
    hits: dict[int, float]
    ndcg: dict[int, float]
    average_precision: float
    mrr: float
    median_rank: float
    macro_precision: dict[int, float]
    macro_average_precision: float
    macro_ndcg: dict[int, float]


def summarise_labels(found: LabelPositions, ks: Sequence[int] = (1, 5, 10)) -> LabelSummary:
    """Precision@K, Recall@K, hit@K, nDCG@K, MAP, MRR and median rank of the first relevant item."""
    return _summary(found, ks, lambda positions: positions)


def label_chance(found: LabelPositions, ks: Sequence[int] = (1, 5, 10)) -> LabelSummary:
    """`summarise_labels` of a scorer that ranks at random, over the same queries and candidates."""
    return _summary(found, ks, chance_positions)


def _summary(
    found: LabelPositions, ks: Sequence[int], transform: Callable[[Positions], Positions]
) -> LabelSummary:
    micro = transform(found.micro)
    classes = [transform(positions) for positions in found.classes.values()]

    def macro(metric: Callable[[Positions], RealArray]) -> float:
        return float(np.mean([metric(positions).mean() for positions in classes]))

    return LabelSummary(
        queries=len(micro),
        classes=len(classes),
        pool=found.pool,
        precision={k: float(micro.precision(k).mean()) for k in ks},
        recall={k: float(micro.recall(k).mean()) for k in ks},
        hits={k: float(micro.hits(k).mean()) for k in ks},
        ndcg={k: float(micro.ndcg(k).mean()) for k in ks},
        average_precision=float(micro.average_precision().mean()),
        mrr=float(micro.reciprocal().mean()),
        median_rank=float(np.median(micro.first_rank())),
        macro_precision={k: macro(lambda p, k=k: p.precision(k)) for k in ks},  # type: ignore[misc]
        macro_average_precision=macro(Positions.average_precision),
        macro_ndcg={k: macro(lambda p, k=k: p.ndcg(k)) for k in ks},  # type: ignore[misc]
    )


def one_hot(labels: Labels, classes: Sequence[str]) -> BoolArray:
    """(N, C) which item has which class.

    >>> one_hot([["a"], [], ["b", "a"]], ["a", "b"]).astype(int).tolist()
    [[1, 0], [0, 0], [1, 1]]
    """
    column = {name: number for number, name in enumerate(classes)}
    table = np.zeros((len(labels), len(classes)), np.bool_)
    for row, names in enumerate(labels):
        for name in names:
            if name in column:
                table[row, column[name]] = True
    return table


class _Collector:
    """Gathers located items of the queries that have any, for one class or for all."""

    def __init__(self) -> None:
        self.located: list[tuple[IntArray, ...]] = []
        self.rows: list[int] = []
        self.pool: list[int] = []

    def add(self, row: int, scores: Scores, relevant: BoolArray) -> None:
        self.located.append(locate(scores, relevant))
        self.rows.append(row)
        self.pool.append(len(scores))

    def copy_last(self, other: _Collector) -> None:
        self.located.append(other.located[-1])
        self.rows.append(other.rows[-1])
        self.pool.append(other.pool[-1])

    def positions(self) -> Positions:
        counts = np.array([len(one[0]) for one in self.located], np.int64)
        return gather(self.located, counts, np.array(self.pool, np.int64))


def _positions(blocks: Iterator[Scores], task: LabelTask) -> LabelPositions:
    classes = sorted({name for names in task.query_labels for name in names})
    asked, offered = one_hot(task.query_labels, classes), one_hot(task.item_labels, classes)
    grouping = Grouping.of(task.groups, len(offered))
    own = None if task.own is None else np.asarray(task.own, np.int64)
    if grouping is not None:
        offered = np.logical_or.reduceat(offered[grouping.order], grouping.starts, axis=0)
        own = None if own is None else grouping.group_of[own]
    micro, by_class = _Collector(), {number: _Collector() for number in range(len(classes))}
    row = 0
    for block in blocks:
        check_finite(block)
        for scores in block if grouping is None else grouping.collapse(block):
            candidates = _Candidates(asked=asked[row], offered=offered, own=own)
            _add_query(row, scores, candidates, micro, by_class)
            row += 1
    if not micro.rows:
        raise DataError("no query has a label that any candidate shares")
    labelled = int(asked.any(axis=1).sum())
    return LabelPositions(
        micro=micro.positions(),
        queries=np.array(micro.rows),
        classes={classes[n]: found.positions() for n, found in by_class.items() if found.rows},
        unlabelled=len(asked) - labelled,
        without_relevant=labelled - len(micro.rows),
        pool=len(offered) - (own is not None),
    )


@dataclass(frozen=True, kw_only=True)
class _Candidates:
    asked: BoolArray  # (C,) labels of the query
    offered: BoolArray  # (N, C) labels of the candidates
    own: IntArray | None  # (Q,) candidate to leave out


def _add_query(
    row: int,
    scores: Scores,
    candidates: _Candidates,
    micro: _Collector,
    by_class: dict[int, _Collector],
) -> None:
    """Add one query to the micro collector and to those of its classes."""
    wanted = np.flatnonzero(candidates.asked)
    shared = candidates.offered[:, wanted]
    if candidates.own is not None:
        scores = np.delete(scores, candidates.own[row])
        shared = np.delete(shared, candidates.own[row], axis=0)
    relevant: BoolArray = np.any(shared, axis=1)
    if not relevant.any():
        return
    micro.add(row, scores, relevant)
    for place, number in enumerate(int(n) for n in wanted):
        if len(wanted) == 1:  # one label: the class asks what the query asks
            by_class[number].copy_last(micro)
        elif shared[:, place].any():
            by_class[number].add(row, scores, shared[:, place])

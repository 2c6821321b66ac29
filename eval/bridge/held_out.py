"""What the heads reach on rows of shards that they were not trained on: percentile of the true sound in a pool.

Five folds of whole shards. Per fold the link is learned from the other shards; held-out rows are standardised by
themselves, as they come from the same detectors, and compared within their kind. The percentile is the share of rivals
that the true sound beats (ties count half); 0.5 is chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.backbones.tag_table import TAG_OUTPUTS
from mvr.datatypes import JsonDict
from mvr.embeddings.store import FeatureStore
from mvr.training.bridge import (
    PUBLISHED,
    BridgeRecipe,
    Link,
    centred,
    column_names,
    fit_link,
    label_matrix,
)

Matrix = npt.NDArray[np.float64]
_LEAST_Z, _MOST_Z = -3.0, 6.0
KINDS = ("music video", "other music", "background")
POOL, FOLDS = 419, 5


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """One row of the table: a head on the held-out rows of a kind, over all folds."""

    head: str
    kind: str
    rows: int
    pools: int
    percentile: float
    error: float


def hold_out(store: FeatureStore, seed: int, recipe: BridgeRecipe = PUBLISHED) -> list[HeldOut]:
    """Percentiles of bridge, profiles and both together, for every kind of row."""
    concepts, tags = column_names(store, "video"), column_names(store, "audio")
    kept = [at for at, tag in enumerate(tags) if tag in TAG_OUTPUTS]
    x, y = np.asarray(store.video, np.float64), np.asarray(store.audio[:, kept], np.float64)
    labels = label_matrix(store, concepts)
    kinds = np.array([row[0] for row in store.labels["kind"]])
    rng = np.random.default_rng(seed)
    found: dict[tuple[str, str], list[tuple[float, int]]] = {}
    shards = np.array(store.groups)
    for fold in np.array_split(rng.permutation(sorted(set(store.groups))), FOLDS):
        held = np.isin(shards, fold)
        link = fit_link(x[~held], y[~held], labels[~held], recipe)
        for kind in KINDS:
            rows = rng.permutation(np.flatnonzero(held & (kinds == kind)))
            for pool in np.array_split(rows, max(1, round(len(rows) / POOL))):
                for head, score in _scores(link, x[~held], y[~held]).items():
                    found.setdefault((head, kind), []).append(
                        (percentile(score(x[pool], y[pool])), len(pool))
                    )
    return [_summary(head, kind, pools) for (head, kind), pools in sorted(found.items())]


Score = Callable[[Matrix, Matrix], Matrix]


def _scores(link: Link, x_train: Matrix, y_train: Matrix) -> dict[str, Score]:
    """Scores (P, P) of pictures and sounds of a pool, by head; standardised by the training rows."""

    def seen(x: Matrix) -> Matrix:
        return np.asarray((x - x_train.mean(axis=0)) / x_train.std(axis=0))

    def heard(y: Matrix) -> Matrix:
        return centred((y - y_train.mean(axis=0)) / y_train.std(axis=0))

    def asked(x: Matrix) -> Matrix:
        weights = np.exp(np.clip(seen(x), _LEAST_Z, _MOST_Z))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True) @ link.mixture)

    base = asked(x_train).mean(axis=0)

    def bridge(x: Matrix, y: Matrix) -> Matrix:
        return unit(seen(x) @ link.video) @ unit(heard(y) @ link.audio).T

    def profiles(x: Matrix, y: Matrix) -> Matrix:
        return unit((asked(x) - base) @ link.whiten) @ unit(heard(y) @ link.whiten).T

    def both(x: Matrix, y: Matrix) -> Matrix:
        scores = [score(x, y) for score in (bridge, profiles)]
        return sum(
            ((s - s.mean(axis=1, keepdims=True)) / s.std(axis=1, keepdims=True) for s in scores), np.zeros(())
        )

    return {"bridge": bridge, "profiles": profiles, "bridge + profiles": both}


def unit(rows: Matrix) -> Matrix:
    """Rows of length one."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def percentile(scores: Matrix) -> float:
    """Mean share of rivals that the true sound (the diagonal) beats; a tie counts half.

    >>> percentile(np.array([[0.9, 0.1], [0.5, 0.5]]))
    0.75
    """
    own = np.diagonal(scores)[:, None]
    beaten = (scores < own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2
    return float((beaten / (len(scores) - 1)).mean())


def _summary(head: str, kind: str, pools: list[tuple[float, int]]) -> HeldOut:
    values = np.array([value for value, _ in pools])
    sizes = np.array([size for _, size in pools])
    spread = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    mean = float(np.average(values, weights=sizes))
    return HeldOut(
        head=head,
        kind=kind,
        rows=int(sizes.sum()),
        pools=len(pools),
        percentile=round(mean, 4),
        error=round(spread, 4),
    )


def as_markdown(rows: list[HeldOut], facts: JsonDict) -> str:
    """The report for readers."""
    lines = [
        "# The bridge on rows that it was not trained on",
        "",
        f"Made by `{facts['command']}`. {facts['rows']} YouTube-8M videos with music in {FOLDS} folds of whole shards "
        f"(seed {facts['seed']}), pools of about {POOL} rows of one kind. Percentile: the share of rivals that the "
        "true sound beats; 0.5 is chance. Error: standard error over pools.",
        "",
        "Concepts and tags come from detectors on YouTube-8M's own features, not from the backbones that ship: this "
        "says that the link holds, not how well it does on your clips (that is in eval/results/real).",
        "",
        "| head | rows | count | pools | percentile | error |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row.head} | {row.kind} | {row.rows} | {row.pools} | {row.percentile:.3f} | {row.error:.3f} |"
        )
    return "\n".join(lines) + "\n"

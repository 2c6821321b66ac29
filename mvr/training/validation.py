"""Scores of a head on validation rows, per branch: true pairs for "ssl", shared labels for a taxonomy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.errors import DataError
from mvr.heads.head import Head
from mvr.metrics.ranks import rank_embeddings, summarise
from mvr.training.data import TrainingData

MAX_VAL_ROWS = 4000  # a larger pool costs time in every epoch and tells no more
LABEL_K = 10
MIN_LABELLED = 30  # with fewer labelled rows the score is too rough to choose weights by


@dataclass(frozen=True, kw_only=True)
class BranchScore:
    """Scores of one branch; `better` sorts: lower is better, compared left to right; empty: too few rows to say."""

    values: dict[str, float]
    better: tuple[float, ...]


def validate(
    head: Head, data: TrainingData, metric: str, *, supervised: bool = False
) -> dict[str, BranchScore]:
    """Scores of every branch on the validation rows, both directions averaged.

    Args:
        head: the head as it is now.
        data: rows; at most `MAX_VAL_ROWS` of val are used, the first of a fixed shuffle.
        metric: "median_rank", "recall_at_10" or "mrr".
        supervised: score the first branch by labels as well (a head trained on labels only).

    Raises:
        NotFinite: the head gives NaN. DataError: it gives the same embedding for everything.
    """
    rows = data.val
    if len(rows) > MAX_VAL_ROWS:
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:MAX_VAL_ROWS])
    video_features, audio_features = data.features(rows)
    video, audio = head.encode_video(video_features), head.encode_audio(audio_features)
    scores = {}
    for b, branch in enumerate(head.branches):
        v, a = video.vectors[:, b], audio.vectors[:, b]
        check_spread(v, f"video embeddings of branch {branch!r}")
        check_spread(a, f"music embeddings of branch {branch!r}")
        if b or supervised:
            taxonomy = branch if b else next(iter(data.labels))
            scores[branch] = label_score(v, a, data.labels[taxonomy][rows])
        else:
            scores[branch] = pair_score(v, a, data.groups[rows], metric)
    return scores


def check_spread(vectors: FloatArray, what: str) -> None:
    """Refuse a constant model: every item at the same place ranks by luck.

    Raises:
        DataError: no two rows differ.
    """
    if len(vectors) > 1 and float(np.ptp(vectors, axis=0).max()) < 1e-6:
        raise DataError(f"the {what} are all alike: the head has collapsed to a constant; check the features")


def pair_score(
    video: FloatArray, audio: FloatArray, groups: npt.NDArray[np.int64], metric: str
) -> BranchScore:
    """Recall@10, median rank and MRR of true pairs; items of one group count as one."""
    both = [
        summarise(rank_embeddings(q, t, groups=groups), (1, 10)) for q, t in ((video, audio), (audio, video))
    ]
    values = {
        "median_rank": float(np.mean([s.median_rank for s in both])),
        "recall_at_1": float(np.mean([s.recall[1] for s in both])),
        "recall_at_10": float(np.mean([s.recall[10] for s in both])),
        "mrr": float(np.mean([s.mrr for s in both])),
    }
    first = values[metric] if metric == "median_rank" else -values[metric]
    return BranchScore(values=values, better=(first, -values["mrr"]))


def label_score(video: FloatArray, audio: FloatArray, labels: npt.NDArray[np.bool_]) -> BranchScore:
    """Share of the first 10 items of the other modality that share a label, macro over classes.

    The query's own pair is left out: finding it is what the other branch is for.
    """
    known = labels.any(axis=1)
    if known.sum() < 2:
        return BranchScore(values={"labelled_rows": float(known.sum())}, better=())
    v, a, hot = video[known], audio[known], labels[known].astype(np.float32)
    relevant = (hot @ hot.T) > 0
    per_query = (_precision(v @ a.T, relevant) + _precision(a @ v.T, relevant)) / 2
    used = hot.sum(axis=0) > 0
    macro = float(((per_query @ hot[:, used]) / hot[:, used].sum(axis=0)).mean())
    values = {
        "label_precision": macro,
        "label_precision_micro": float(per_query.mean()),
        "labelled_rows": float(known.sum()),
    }
    return BranchScore(values=values, better=(-macro,) if known.sum() >= MIN_LABELLED else ())


def _precision(scores: FloatArray, relevant: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    scores = scores.copy()
    np.fill_diagonal(scores, -np.inf)
    k = min(LABEL_K, len(scores) - 1)
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    precision: npt.NDArray[np.float64] = np.take_along_axis(relevant, best, axis=1).mean(axis=1)
    return precision

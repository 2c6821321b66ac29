"""Which training rows are of the kind that will be searched: the second phase trains on these alone.

Training data are often wider than the target (concerts and instrument lessons besides music videos). Wide data help
a head to begin with; to tell near items of the target apart, it then needs negatives of the target's own kind. The
rows are named by a label, or found from split val, which stands for the target: a ridge logistic regression learns
to tell val rows from train rows by their features, and the train rows that look more like val are taken (covariate
shift: Shimodaira 2000; density ratio by classification: Bickel et al. 2009). Labels of val and split test play no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mvr.datatypes import JsonDict
from mvr.errors import DataError, UsageError
from mvr.training.data import IntArray, TrainingData, column_statistics
from mvr.training.settings import TrainSettings

if TYPE_CHECKING:
    from mvr.embeddings.store import FeatureStore

MIN_VAL_ROWS = 30  # fewer rows do not tell what the target is like
MIN_ROWS = 100  # fewer rows are no training set
MIN_AUC = 0.8  # below, val rows look like all the others: there is nothing to focus on
MAX_SHARE = 0.5  # of the training rows
FIT_ROWS = 20_000  # of train and of val at most: bounds memory and time of the regression
RIDGE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Focus:
    """Rows of the second phase; None with a reason where there is no such phase."""

    rows: IntArray | None
    facts: JsonDict


def find_focus(store: FeatureStore, data: TrainingData, settings: TrainSettings) -> Focus:
    """The rows to end the training on, as `settings.focus` says.

    Raises:
        UsageError: a label column that the store does not have, or a malformed setting.
        DataError: fewer than 2 training rows have the label.
    """
    if settings.focus == "none" or settings.focus_epochs == 0:
        return Focus(rows=None, facts={"reason": "switched off"})
    if settings.focus != "auto":
        return _by_label(store, data, settings.focus)
    if data.val_made:
        return Focus(rows=None, facts={"reason": "val was made from train, so it shows no other target"})
    if len(data.val) < MIN_VAL_ROWS or len(data.train) < 2 * MIN_ROWS:
        return Focus(rows=None, facts={"reason": "too few rows to tell val from train"})
    return _by_likeness(data)


def _by_label(store: FeatureStore, data: TrainingData, spec: str) -> Focus:
    column, _, label = spec.partition("=")
    if not label or column not in store.labels:
        known = ", ".join(sorted(store.labels)) or "none"
        raise UsageError(
            f"focus must be auto, none or COLUMN=LABEL with a label column of the store ({known}), not {spec!r}"
        )
    rows = np.array([row for row in data.train if label in store.labels[column][row]], np.int64)
    if len(rows) < 2:
        raise DataError(f"only {len(rows)} training rows have the label {label!r} in column {column!r}")
    return Focus(rows=rows, facts={"rows": len(rows), "by": spec})


def _by_likeness(data: TrainingData) -> Focus:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    train, val = _thinned(data.train), _thinned(data.val)
    rows = np.concatenate([train, val])
    is_val = np.concatenate([np.zeros(len(train)), np.ones(len(val))])
    describe = _Description(data)
    features = describe(rows)
    model = LogisticRegression(C=RIDGE, class_weight="balanced", max_iter=300)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    held_out = cross_val_predict(model, features, is_val, cv=folds, method="decision_function")
    auc = float(roc_auc_score(is_val, held_out))
    facts: JsonDict = {"by": "likeness to val", "auc": round(auc, 4)}
    if auc < MIN_AUC:
        return Focus(
            rows=None, facts={**facts, "reason": f"val rows look like train rows (AUC below {MIN_AUC})"}
        )
    model.fit(features, is_val)
    starts = range(0, len(data.train), FIT_ROWS)
    likeness = np.concatenate(
        [model.decision_function(describe(data.train[start : start + FIT_ROWS])) for start in starts]
    )
    chosen = data.train[likeness > 0]
    facts["rows"] = len(chosen)
    if len(chosen) < MIN_ROWS or len(chosen) > MAX_SHARE * len(data.train):
        return Focus(rows=None, facts={**facts, "reason": "too few or too many training rows are like val"})
    return Focus(rows=chosen, facts=facts)


class _Description:
    """Standardised features of both modalities side by side."""

    def __init__(self, data: TrainingData) -> None:
        self.data = data
        self.statistics = [column_statistics(m, _thinned(data.train)) for m in (data.video, data.audio)]

    def __call__(self, rows: IntArray) -> npt.NDArray[np.float32]:
        """(n, Dv + Da) float32."""
        parts = [
            (features - mean) / (deviation + 1e-6)
            for features, (mean, deviation) in zip(self.data.features(rows), self.statistics, strict=True)
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)


def _thinned(rows: IntArray) -> IntArray:
    """At most `FIT_ROWS`, evenly spread."""
    return rows[:: -(-len(rows) // FIT_ROWS)]

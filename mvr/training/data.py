"""What the trainer sees of a feature store: rows of train and val, groups, multi-hot labels. Test is never read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from mvr.datatypes import Modality
from mvr.errors import DataError, Leakage, UsageError
from mvr.heads.rows import unit_rows

if TYPE_CHECKING:
    from mvr.embeddings.store import FeatureStore

IntArray = npt.NDArray[np.int64]
MIN_VAL_ROWS = 2


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """Rows to train on and to validate on.

    Attributes:
        video, audio: (N, D) matrices of the whole store, possibly memory-mapped.
        train, val: row numbers, disjoint in rows and in groups.
        groups: (N,) group numbers.
        labels: taxonomy -> (N, C) bool; a row of zeros is unlabelled.
        classes: taxonomy -> C names, those that occur in train.
        val_made: True where val was held out of train because the store has none.
    """

    video: npt.NDArray[Any]
    audio: npt.NDArray[Any]
    train: IntArray
    val: IntArray
    groups: IntArray
    labels: dict[str, npt.NDArray[np.bool_]]
    classes: dict[str, list[str]]
    val_made: bool

    def features(self, rows: IntArray) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Video and audio features of `rows`, as float32."""
        return self.video[rows].astype(np.float32), self.audio[rows].astype(np.float32)


def prepare_data(
    store: FeatureStore, taxonomies: Sequence[str], *, val_share: float, seed: int
) -> TrainingData:
    """Rows, groups and labels of a store.

    Args:
        store: an opened feature store.
        taxonomies: label columns to use.
        val_share: share of the training groups to hold out where the store has no split val.
        seed: of that draw.

    Raises:
        UsageError: a label column that the store does not have.
        DataError: too few rows, or a label column without any label in train.
        Leakage: a group on both sides of a split.
    """
    splits = np.array(store.splits)
    groups = np.unique(np.array(store.groups, dtype=object).astype(str), return_inverse=True)[1].astype(
        np.int64
    )
    check_groups(groups, splits, store.groups)
    train, val = np.flatnonzero(splits == "train"), np.flatnonzero(splits == "val")
    val_made = len(val) == 0
    if val_made:
        train, val = hold_out(train, groups, val_share, seed)
    if len(train) < 2 or len(val) < MIN_VAL_ROWS:
        raise DataError(
            f"training needs at least 2 rows to train on and {MIN_VAL_ROWS} to validate on, in different groups; "
            f"this store gives {len(train)} and {len(val)}"
        )
    labels, classes = {}, {}
    for name in taxonomies:
        labels[name], classes[name] = multi_hot(store, name, train)
    return TrainingData(
        video=store.video, audio=store.audio, train=train, val=val, groups=groups,
        labels=labels, classes=classes, val_made=val_made,
    )  # fmt: skip


def check_groups(groups: IntArray, splits: npt.NDArray[np.str_], names: Sequence[str]) -> None:
    """Refuse a group that stands in two splits.

    Raises:
        Leakage: names the first such group.
    """
    order = np.argsort(groups, kind="stable")
    same = (groups[order][1:] == groups[order][:-1]) & (splits[order][1:] != splits[order][:-1])
    if same.any():
        first = order[1:][same][0]
        raise Leakage(f"group {names[first]!r} is in more than one split; give all its rows the same split")


def hold_out(train: IntArray, groups: IntArray, share: float, seed: int) -> tuple[IntArray, IntArray]:
    """Split training rows into train and val by drawing whole groups until `share` of the rows is reached."""
    generator = np.random.default_rng((seed, 7919))
    drawn = generator.permutation(np.unique(groups[train]))
    counts = np.bincount(groups[train], minlength=int(groups.max(initial=0)) + 1)
    wanted = max(MIN_VAL_ROWS, round(share * len(train)))
    taken = drawn[: int(np.searchsorted(np.cumsum(counts[drawn]), wanted)) + 1]
    held = np.isin(groups[train], taken)
    return train[~held], train[held]


def multi_hot(store: FeatureStore, taxonomy: str, train: IntArray) -> tuple[npt.NDArray[np.bool_], list[str]]:
    """(N, C) labels of one column and the C class names; classes that only occur outside train are left out."""
    if taxonomy not in store.labels:
        known = ", ".join(sorted(store.labels)) or "none"
        raise UsageError(f"the store has no label column {taxonomy!r}; it has {known}")
    column = store.labels[taxonomy]
    classes = sorted({label for row in train for label in column[row]})
    if not classes:
        raise DataError(f"no training row has a label in column {taxonomy!r}")
    number = {label: c for c, label in enumerate(classes)}
    matrix = np.zeros((len(column), len(classes)), np.bool_)
    for row, labels in enumerate(column):
        matrix[row, [number[label] for label in labels if label in number]] = True
    return matrix, classes


class Rows(Protocol):
    """A matrix, or something that gives blocks of one."""

    shape: tuple[int, ...]

    def __getitem__(self, rows: IntArray, /) -> npt.NDArray[Any]:
        """The block of these rows."""


def column_statistics(
    matrix: Rows, rows: IntArray, block_rows: int = 8192
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation (D,) over `rows`, block by block in float64 (Chan et al.'s update)."""
    count, mean, squares = 0, np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1])
    for start in range(0, len(rows), block_rows):
        block = matrix[rows[start : start + block_rows]].astype(np.float64)
        delta = block.mean(axis=0) - mean
        total = count + len(block)
        squares += ((block - block.mean(axis=0)) ** 2).sum(axis=0) + delta**2 * count * len(block) / total
        mean += delta * len(block) / total
        count = total
    return mean, np.sqrt(squares / max(count, 1))


class Standardised(Protocol):
    """A head's standardisation of one modality, in numpy or in torch."""

    unit_rows: bool

    def fit(self, mean: npt.NDArray[np.float64], deviation: npt.NDArray[np.float64]) -> None:
        """Take over mean and standard deviation (D,) of the training rows."""


def fit_standardise(standardise: Any, data: TrainingData) -> None:
    """Fit a head's `standardise`, modality -> `Standardised`, on the training rows; unit rows are measured as such."""
    for modality, matrix in ((Modality.VIDEO, data.video), (Modality.AUDIO, data.audio)):
        part: Standardised = standardise[str(modality)]
        rows: Rows = _UnitRows(matrix) if part.unit_rows else matrix
        part.fit(*column_statistics(rows, data.train))


class _UnitRows:
    """A matrix whose rows are at unit length, block by block."""

    def __init__(self, matrix: npt.NDArray[np.floating]) -> None:
        self.matrix = matrix
        self.shape: tuple[int, ...] = matrix.shape

    def __getitem__(self, rows: IntArray) -> npt.NDArray[np.float32]:
        return unit_rows(self.matrix[rows])

"""Stores of a cross-validation: every pair of a data set is a test query in one of them.

Music videos of YouTube-8M lie in blocks of consecutive shards with about as many videos each, clips of EmoMV's part C
in blocks of source videos in the order of their names. In fold f
    test   the pairs of block f
    val    those of the first half of the next block (after the last block comes the first)
    train  all others, and of YouTube-8M the music-related videos that `yt8m-public` trains on
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.stores.archives import read_strings
from eval.stores.builders import Yt8mSplit, build_yt8m, emomv_part, related_training_split, write_emomv
from mvr.embeddings.store import FeatureStore
from mvr.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Fold `number` of `count`, from 0."""

    number: int
    count: int

    def __post_init__(self) -> None:
        if self.count < 2 or not 0 <= self.number < self.count:
            raise UsageError(f"there is no fold {self.number} of {self.count}; two folds at least, from 0")


def shard_blocks(shards: Sequence[int], count: int) -> dict[int, int]:
    """Shard -> block: consecutive shards, blocks of about as many rows each.

    Raises:
        UsageError: fewer shards than blocks.

    >>> shard_blocks([0, 0, 1, 2, 2, 5], 2)
    {0: 0, 1: 0, 2: 1, 5: 1}
    """
    numbers, rows = np.unique(np.asarray(shards), return_counts=True)
    if len(numbers) < count:
        raise UsageError(f"{len(numbers)} shards cannot be divided into {count} blocks")
    middle = np.cumsum(rows) - rows / 2
    blocks: npt.NDArray[np.int64] = (middle * count // rows.sum()).astype(np.int64)
    return dict(zip(numbers.tolist(), blocks.tolist(), strict=True))


def fold_split(shards: Sequence[int], fold: Fold) -> Callable[[int], str]:
    """The split of a pair by its shard (or source video); `shards` are those of all pairs."""
    block_of = shard_blocks(shards, fold.count)
    after = (fold.number + 1) % fold.count
    half_of = shard_blocks([shard for shard in shards if block_of[shard] == after], 2)

    def split_of(shard: int) -> str:
        if block_of[shard] == fold.number:
            return "test"
        return "val" if half_of.get(shard) == 0 else "train"

    return split_of


def build_yt8m_fold(data: Path, out: Path, fold: Fold) -> FeatureStore:
    """Write the store of one fold of `yt8m-public`.

    Raises:
        DataError: a file that is missing or cannot be read. UsageError: see `shard_blocks`.
    """
    shards = [int(shard) for shard in read_strings(data / "music_video.npz", "shard")]
    name = f"yt8m-public, fold {fold.number} of {fold.count}"
    return build_yt8m(data, out, Yt8mSplit(name, fold_split(shards, fold), related_training_split))


def build_emomv_fold(data: Path, out: Path, fold: Fold) -> FeatureStore:
    """Write the store of one fold of EmoMV's part C: clips of one source video stay together.

    Raises:
        DataError: a file that is missing or cannot be read. UsageError: fewer source videos than folds.
    """
    columns = emomv_part(data / "c_train.npz", "train")
    numbers = np.unique(columns["group"], return_inverse=True)[1].tolist()
    split_of = fold_split(numbers, fold)
    columns["split"] = [split_of(number) for number in numbers]
    return write_emomv(columns, out)


FOLD_BUILDERS: dict[str, tuple[str, Callable[[Path, Path, Fold], FeatureStore]]] = {
    "yt8m-public": ("yt8m", build_yt8m_fold),
    "emomv": ("emomv", build_emomv_fold),
}
"""Store name -> (folder below the data folder, builder of one fold)."""

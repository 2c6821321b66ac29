"""AudioSet's VGGish release: TFRecords of SequenceExamples, one uint8 (128,) embedding per second.

Source: https://research.google.com/audioset/download.html, CC BY 4.0. It has sound only: a store pairs it with video
features of one's own for the same videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mvr.datasets.features.matrices import read_manifest, read_matrix
from mvr.datasets.features.paired import PairedFeatures
from mvr.datasets.features.tfrecord import parse_sequence_example, read_records
from mvr.datatypes import FloatArray
from mvr.errors import DataError, WrongShape


@dataclass(frozen=True, kw_only=True)
class VggishClip:
    """One 10 s clip: `embedding` (seconds, 128) uint8, label numbers, start in seconds."""

    id: str
    start_s: float
    labels: tuple[int, ...]
    embedding: np.ndarray

    def mean(self) -> FloatArray:
        """Mean over time, (128,) float32, mapped from uint8 back to VGGish's range [-2, 2]."""
        mean: FloatArray = (self.embedding.astype(np.float32).mean(axis=0) * (4 / 255) - 2).astype(np.float32)
        return mean


def import_vggish(shards: Sequence[Path], video: Path, manifest: Path) -> PairedFeatures:
    """The clips of the shards beside a (N, D) `.npy` matrix of video features of the same videos.

    Args:
        shards: `.tfrecord` files.
        video: row i belongs to line i of the manifest.
        manifest: CSV with `id`, AudioSet's video id, and optionally `split`, `group` and taxonomies.

    Raises:
        DataError: a damaged file, or no clip of the manifest in the shards.
        WrongShape: matrix and manifest disagree in rows. NotFinite: the matrix holds NaN or infinity.
    """
    sounds = {clip.id: clip.mean() for clip in read_vggish(shards)}
    pictures, table = read_matrix(video), read_manifest(manifest)
    if len(pictures) != table.num_rows:
        raise WrongShape(
            f"{video.name} has {len(pictures)} rows, {manifest.name} {table.num_rows}; they must be equal"
        )
    ids = table["id"].to_pylist()
    kept = [row for row, name in enumerate(ids) if name in sounds]
    if not kept:
        raise DataError(f"no id of {manifest.name} is a video id of the shards")
    missing = len(ids) - len(kept)
    return PairedFeatures(
        video=pictures[kept],
        audio=np.stack([sounds[ids[row]] for row in kept]),
        manifest=table.take(kept),
        meta={
            "video": {"backbone": video.stem},
            "audio": {"backbone": "audioset-vggish"},
            "source": "AudioSet VGGish embeddings, CC BY 4.0",
        },
        notes=(f"{missing} rows have no sound in the shards",) if missing else (),
    )


def read_vggish(shards: Sequence[Path]) -> list[VggishClip]:
    """All clips of the shards.

    Raises:
        DataError: a damaged shard, or a record that is no AudioSet VGGish clip.
    """
    clips: list[VggishClip] = []
    for shard in shards:
        for record in read_records(shard):
            context, lists = parse_sequence_example(record)
            seconds = lists.get("audio_embedding", [])
            rows = [
                np.frombuffer(item[0], np.uint8) for item in seconds if item and isinstance(item[0], bytes)
            ]
            identifier = context.get("video_id", [])
            if not rows or len(identifier) != 1 or any(len(row) != 128 for row in rows):
                raise DataError(f"{shard.name} has a record that is not an AudioSet VGGish clip")
            start = context.get("start_time_seconds", [0.0])
            clips.append(
                VggishClip(
                    id=bytes(identifier[0]).decode(),
                    start_s=float(start[0]),
                    labels=tuple(int(label) for label in context.get("labels", [])),
                    embedding=np.stack(rows),
                )
            )
    return clips

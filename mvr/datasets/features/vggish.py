"""AudioSet's VGGish release: TFRecords of SequenceExamples, one uint8 (128,) embedding per second.

Source: https://research.google.com/audioset/download.html, CC BY 4.0. It has sound only: the audio side of a store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mvr.datasets.features.tfrecord import parse_sequence_example, read_records
from mvr.datatypes import FloatArray
from mvr.errors import DataError


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
                raise DataError(f"{shard.name} has a record that is no AudioSet VGGish clip")
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

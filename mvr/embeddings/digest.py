"""Features that say nothing: an item's own bytes, digested. Under the head `random` they make chance."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.config.digest import content_hash
from mvr.datatypes import FloatArray, JsonDict, Modality, Segment

_DIM = 32


class DigestBackbone:
    """Stands where a system names no backbone: (S, 32) numbers from 0 to 1, the same for the same bytes."""

    name = "digest"
    dim = _DIM

    def __init__(self, modality: Modality) -> None:
        self.modality = modality

    @property
    def settings(self) -> JsonDict:
        """Everything that changes the output."""
        return {"digest": "sha256", "version": 1}

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> npt.NDArray[Any]:
        """Digests (S, 32) uint8 of the file's bytes and each segment's start."""
        content = content_hash(path)
        rows = [hashlib.sha256(f"{content}:{segment.start_s:.3f}".encode()).digest() for segment in segments]
        return np.frombuffer(b"".join(rows), np.uint8).reshape(len(segments), _DIM)

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """The digests as numbers from 0 to 1."""
        scaled: FloatArray = (batch.astype(np.float32) / np.float32(255)).astype(np.float32)
        return scaled

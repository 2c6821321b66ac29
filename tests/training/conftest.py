"""Small stores with a known link between video and audio."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mvr.embeddings.store import FeatureStore, write_store

GENRES = ["rock", "jazz", "folk"]


def linked(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, 24) video, (rows, 16) audio of 6 shared latents and noise; the first latents also decide the genre."""
    generator = np.random.default_rng(seed)
    latent = generator.normal(size=(rows, 6))
    maps = np.random.default_rng(99)
    video = np.tanh(latent @ maps.normal(size=(6, 24))) + 0.2 * generator.normal(size=(rows, 24))
    audio = np.tanh(latent @ maps.normal(size=(6, 16))) + 0.2 * generator.normal(size=(rows, 16))
    return (3 * video + 2).astype(np.float32), (5 * audio - 1).astype(np.float32), latent[:, :3].argmax(1)


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., FeatureStore]:
    """make_store(rows=..., splits=True, labels=True): a store in a temporary folder."""

    def make(rows: int = 240, *, splits: bool = True, labels: bool = True, **columns: list) -> FeatureStore:
        video, audio, genre = linked(rows)
        table: dict = {"id": [f"item{i}" for i in range(rows)]}
        if splits:
            table["split"] = [("train", "train", "train", "val", "test")[i % 5] for i in range(rows)]
        if labels:  # every fourth row unlabelled, every sixth with two labels
            names = [[GENRES[g]] if i % 4 else [] for i, g in enumerate(genre)]
            names = [[*n, "loud"] if i % 6 == 1 else n for i, n in enumerate(names)]
            table["genre"] = pa.array(names, pa.list_(pa.string()))
        table.update(columns)
        folder = tmp_path / f"store{len(list(tmp_path.iterdir()))}"
        return write_store(folder, video=video, audio=audio, manifest=pa.table(table))

    return make


@pytest.fixture
def store(make_store: Callable[..., FeatureStore]) -> FeatureStore:
    """240 rows: 144 train, 48 val, 48 test."""
    return make_store()

"""A small feature store whose pairs are findable (both modalities are noisy views of one hidden vector), and protocol
files whose heads learn in few steps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from mvr.embeddings.store import write_store

GENRES = ("rock", "jazz", "folk")


def make_store(path: Path, *, video_dim: int = 12, audio_dim: int = 8, rows: int = 160) -> Path:
    """Rows 0-99 train, 100-119 val, the rest test; two rows of a group share their music."""
    generator = np.random.default_rng(0)
    genre = generator.integers(0, 3, rows)
    hidden = generator.standard_normal((rows, 4)) + 1.5 * np.eye(4)[genre]
    video = hidden @ generator.standard_normal((4, video_dim)) + 0.5 * generator.standard_normal(
        (rows, video_dim)
    )
    audio = hidden @ generator.standard_normal((4, audio_dim)) + 0.5 * generator.standard_normal(
        (rows, audio_dim)
    )
    audio[130] = audio[131]
    manifest = pa.table(
        {
            "id": [f"clip <{i}>" for i in range(rows)],
            "split": ["train" if i < 100 else "val" if i < 120 else "test" for i in range(rows)],
            "group": [f"g{131 if i == 130 else i}" for i in range(rows)],
            "genre": pa.array(
                [[GENRES[g]] if i % 5 else [] for i, g in enumerate(genre)], pa.list_(pa.string())
            ),
        }
    )
    write_store(path, video=video.astype(np.float32), audio=audio.astype(np.float32), manifest=manifest)
    return path


def few_steps(label: str, *, epochs: int = 2, batch_rows: int = 32) -> dict[str, Any]:
    """A protocol's entry of a Control-MVR head that is trained at once."""
    training = {"epochs": epochs, "batch_rows": batch_rows, "device": "cpu"}
    settings = {"training": training, "head": {"hidden": 8, "dim": 4}}
    return {"name": "ours", "preset": "control-mvr", "labels": [label], "settings": settings}


def write_protocol(path: Path, *heads: dict[str, Any], **keys: Any) -> Path:
    """A protocol named like its file; by default of a store that somebody imports."""
    common = {"name": path.stem, "title": "Small", "about": "A test.", "draws": 300, "heads": list(heads)}
    path.write_text(yaml.safe_dump({"store": {"commands": ["mvr features import"]}, **common, **keys}))
    return path


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Path:
    return make_store(tmp_path_factory.mktemp("store") / "features")


@pytest.fixture(scope="session")
def head(store, tmp_path_factory) -> Path:
    """A Control-MVR head with fresh weights: what it ranks is arbitrary, what is measured of it is not."""
    import torch

    from mvr.heads import create_head, save_head

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("heads") / "fresh.safetensors"
    created = create_head(
        "control-mvr", video_dim=12, audio_dim=8, taxonomies=["genre"], hidden=16, dim=8, dropout=0.0
    )
    save_head(created, path)
    return path

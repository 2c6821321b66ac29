"""Which code and which data made a head."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from mvr import __version__
from mvr.datatypes import JsonDict
from mvr.training.data import TrainingData

if TYPE_CHECKING:
    from mvr.embeddings.store import FeatureStore


def git_revision() -> str:
    """Commit of the checkout that this package lies in, "+changes" if files differ; "" outside a checkout."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    revision = _git(root, "rev-parse", "HEAD")
    return revision + "+changes" if revision and _git(root, "status", "--porcelain", "-uno") else revision


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (
        OSError,
        subprocess.SubprocessError,
    ):  # a machine without git still trains; the revision is unknown
        return ""
    return done.stdout.strip()


def describe_data(store: FeatureStore, data: TrainingData) -> JsonDict:
    """What identifies the training data: rows, widths, and a hash over ids, splits and the store's settings."""
    digest = hashlib.sha256()
    for row in sorted([*data.train, *data.val]):
        digest.update(f"{store.ids[row]}\0{store.splits[row]}\0{store.groups[row]}\n".encode())
    return {
        "train_rows": len(data.train),
        "val_rows": len(data.val),
        "val_made_from_train": data.val_made,
        "video_dim": int(data.video.shape[1]),
        "audio_dim": int(data.audio.shape[1]),
        "rows_hash": digest.hexdigest()[:16],
        "settings_hash": str(store.meta.get("settings_hash", "")),
        "classes": {name: len(classes) for name, classes in data.classes.items()},
        "version": __version__,
    }

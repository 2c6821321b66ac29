"""Which code and which data made a head.

A head outlives the commit that made it (a rebase, a squash, a wheel without history), so its file names what stays
true: the release, the command, and hashes of the recipe and of the sources that a head's numbers depend on.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mvr import __version__
from mvr.config.settings import canonical_json
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


_SOURCES = ("heads", "losses", "training")  # of the package: a change anywhere else trains the same head


def made_by(kind: str, recipe: Mapping[str, object]) -> JsonDict:
    """What a head's file says of its making: release, command, hashes of recipe and sources.

    Args:
        kind: what `mvr train` was asked for.
        recipe: JSON-able settings.
    """
    return {
        "version": __version__,
        "command": f"mvr train {kind}",
        "recipe_sha256": hashlib.sha256(canonical_json(recipe).encode()).hexdigest(),
        "code_sha256": _sources_sha256(),
    }


def _sources_sha256() -> str:
    """SHA-256 over the names and bytes of the sources."""
    digest, package = hashlib.sha256(), Path(__file__).parents[1]
    for folder in _SOURCES:
        for file in sorted((package / folder).rglob("*.py")):
            digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


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

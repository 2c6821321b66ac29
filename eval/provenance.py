"""What a number came from: hashes of the inputs, the settings, the seed, the code."""

from __future__ import annotations

import contextlib
import hashlib
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from mvr import __version__
from mvr.config.digest import content_hash
from mvr.datatypes import JsonDict
from mvr.training.provenance import git_revision

ROOT = Path(__file__).parents[1]
# what a retrieval number depends on; a change anywhere else cannot change it
CODE = (
    "mvr/datatypes.py",
    "mvr/metrics",
    "mvr/heads",
    "mvr/training",
    "mvr/embeddings/store.py",
    "eval/retrieval",
)
PACKAGES = ("numpy", "scipy", "torch", "pyarrow", "matplotlib")


def store_hashes(store: Path) -> JsonDict:
    """SHA-256 of every file of a feature store that a number depends on."""
    return {
        name: content_hash(store / name)
        for name in ("meta.json", "manifest.parquet", "video.npy", "audio.npy")
    }


def code_digest(paths: tuple[str, ...] = CODE) -> str:
    """SHA-256 over the source files that the numbers depend on, names included."""
    digest = hashlib.sha256()
    for path in paths:
        place = ROOT / path
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def describe_run(command: list[str]) -> JsonDict:
    """Where and by which code a report was made: this is the one file of a report that names the machine's software."""
    return {
        "command": command,
        "version": __version__,
        "revision": git_revision() or "unknown",
        "code_sha256": code_digest(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread: sums in another order would change last digits, and with them the bytes."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)

"""Digests of weight files, remembered by path, size and time so that 4.8 GB are read once.

A digest of 64 hexadecimal digits is a SHA-256; one of 40 is the SHA-1 of a git blob, a hub's name for small
files.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from filelock import FileLock

from mvr.config.digest import content_hash
from mvr.config.outputs import written_whole
from mvr.config.paths import home_dir
from mvr.errors import WeightsCorrupt

_CHUNK_BYTES = 1 << 20


def file_sha256(path: Path) -> str:
    """SHA-256 of a file; read again only when its size or time of change differ."""
    stat, key = path.stat(), str(path.resolve())
    known = _read_known().get(key)
    if known and (known["size"], known["mtime_ns"]) == (stat.st_size, stat.st_mtime_ns):
        return str(known["sha256"])
    digest = content_hash(path)
    _remember(key, {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": digest})
    return digest


def git_blob_sha1(path: Path) -> str:
    """SHA-1 of a file as a git blob.

    >>> import tempfile
    >>> empty = Path(tempfile.mkdtemp()) / "empty"
    >>> _ = empty.write_bytes(b"")
    >>> git_blob_sha1(empty)
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    header = f"blob {path.stat().st_size}\0".encode()
    state = hashlib.sha1(header, usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            state.update(chunk)
    return state.hexdigest()


def check_digest(path: Path, wanted: str) -> None:
    """Refuse a file whose digest is not the wanted one.

    Raises:
        WeightsCorrupt: names both digests.
    """
    found = file_sha256(path) if len(wanted) == 64 else git_blob_sha1(path)
    if found != wanted.lower():
        raise WeightsCorrupt(
            f"{path.name} is damaged or another version: its digest is {found}, expected {wanted}; "
            f"delete {path} and fetch it again"
        )


def _memory() -> Path:
    return home_dir() / "weights" / "digests.json"


def _read_known() -> dict[str, dict[str, Any]]:
    try:
        known: dict[str, dict[str, Any]] = json.loads(_memory().read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}  # the memory only saves time: what is not in it is read again
    return known


def _remember(key: str, entry: dict[str, Any]) -> None:
    memory = _memory()
    memory.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(memory.with_suffix(".lock")):
        known = {path: value for path, value in _read_known().items() if Path(path).exists()}
        known[key] = entry
        with written_whole(memory) as part:
            part.write_text(json.dumps(known, indent=1), encoding="utf-8")

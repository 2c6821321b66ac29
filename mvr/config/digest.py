"""The digest of a file: the name of its content, wherever it lies."""

from __future__ import annotations

import hashlib
from pathlib import Path


def content_hash(path: Path | str) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits, read in blocks."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

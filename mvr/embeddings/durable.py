"""Files that are on disk completely or not at all: written beside their place, flushed, renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write JSON by renaming."""
    temporary = path.with_name(path.name + ".tmp")
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
    temporary.write_text(text + "\n", encoding="utf-8")
    commit_file(temporary, path)


def commit_file(temporary: Path, path: Path) -> None:
    """Flush a finished temporary file to disk and give it its name."""
    flush_file(temporary)
    temporary.replace(path)


def flush_file(path: Path) -> None:
    """Wait until a file's bytes are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

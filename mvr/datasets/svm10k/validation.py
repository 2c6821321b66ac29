"""Checks of a built set: checksums, decoding, and the rules of splits and groups."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mvr.datasets.svm10k.loader import load_short_videos, media_file
from mvr.datasets.svm10k.schema import MEDIA, no_set
from mvr.datatypes import SPLITS
from mvr.errors import MediaError
from mvr.media.frames import sample_frames
from mvr.media.sound import read_sound


def validate(place: Path) -> tuple[int, list[str]]:
    """Check every row of every split.

    Returns:
        Number of rows, and one sentence per fault.

    Raises:
        DataError: the set cannot be loaded at all.
    """
    faults: list[str] = []
    rows = 0
    ids: dict[str, str] = {}
    groups: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for split, row in _all_rows(place):
            rows += 1
            faults += [
                f"row {row['id']} ({split}): {fault}" for fault in _media_faults(row, Path(scratch), place)
            ]
            if ids.setdefault(row["id"], split) != split or list(ids).count(row["id"]) > 1:
                faults.append(f"id {row['id']} is in both {ids[row['id']]} and {split}")
            for name in ("group", "music_group", "video_group"):
                first = groups.setdefault(f"{name} {row[name]}", split)
                if first != split:
                    faults.append(f"{name} {row[name]} is in both {first} and {split}")
    return rows, faults


def _all_rows(place: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    loaded = 0
    for split in SPLITS:
        if not list((place / "data").glob(f"{split}-*.parquet")):
            continue
        loaded += 1
        for row in load_short_videos(place, split, streaming=True):
            yield split, row
    if not loaded:
        raise no_set(place)


def _media_faults(row: Mapping[str, Any], scratch: Path, root: Path) -> Iterator[str]:
    for name in MEDIA:
        path = media_file(row[name], scratch, root)
        if path is None:
            yield f"{name} is missing"
            continue
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != row[f"{name}_sha256"]:
            yield f"{name} does not match its checksum {name}_sha256"
        try:
            if name == "video":
                sample_frames(path, count=2, max_side_px=64)
            else:
                read_sound(path, 8000)
        except MediaError as error:
            yield f"{name} cannot be decoded: {error}"
        if path.parent == scratch:
            path.unlink()

"""The rows of a dataset with their files: of a built set, or of a plain folder of videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mvr.config.digest import content_hash
from mvr.datasets.svm10k.loader import load_short_videos, media_file
from mvr.datasets.svm10k.schema import TAXONOMIES
from mvr.datasets.svm10k.sources import find_clips
from mvr.datatypes import SPLITS, Modality
from mvr.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Item:
    """A row: its id, split, group, labels, and for each modality the file and the hash of its content."""

    id: str
    split: str
    group: str
    files: Mapping[Modality, tuple[Path, str]]
    labels: Mapping[str, list[str]] = field(default_factory=dict)


def find_items(dataset: Path, scratch: Path) -> list[Item]:
    """Items in the dataset's order; media of a built set are written to `scratch`.

    Raises:
        DataError: neither a built set nor a folder with videos.
    """
    if list((dataset / "data").glob("*.parquet")):
        return _of_built_set(dataset, scratch)
    items = []
    for clip in find_clips(dataset)[0]:
        content = content_hash(clip.path)
        files = dict.fromkeys(Modality, (clip.path, content))
        items.append(
            Item(id=clip.path.relative_to(dataset).as_posix(), split="train", group=content, files=files)
        )
    return items


def _of_built_set(dataset: Path, scratch: Path) -> list[Item]:
    items, missing = [], 0
    for split in SPLITS:
        if not list((dataset / "data").glob(f"{split}-*.parquet")):
            continue
        for row in load_short_videos(dataset, split, streaming=True):
            video, audio = (media_file(row[name], scratch, dataset) for name in ("video", "audio"))
            if video is None or audio is None:
                missing += 1
                continue
            files = {
                Modality.VIDEO: (video, content_hash(video)),
                Modality.AUDIO: (audio, content_hash(audio)),
            }
            labels = {name: list(row[name] or []) for name in TAXONOMIES}
            items.append(Item(id=row["id"], split=split, group=row["group"], files=files, labels=labels))
    if not items:
        raise DataError(f"no row of {dataset} has its media ({missing} are missing)")
    return items

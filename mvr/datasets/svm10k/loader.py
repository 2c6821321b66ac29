"""Reading a built set: plain `datasets.load_dataset`, media through `mvr.media`; missing media are counted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mvr.config.extras import need
from mvr.config.outputs import written_whole
from mvr.datasets.svm10k.schema import COLUMNS, MEDIA, NEWER, features
from mvr.errors import DataError

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset


def load_short_videos(
    place: str | Path, split: str = "train", *, streaming: bool = False
) -> Dataset | IterableDataset:
    """A split of a built set, from a folder or the hub, with the columns of the schema and undecoded media.

    Shards of a folder are named one by one: by its card, `datasets` keeps what it read under the folder's last name and
    gives it again for another folder of that name and after a set was built again.

    Raises:
        DataError: no such set or split, or other columns.
    """
    need("datasets", "loading a set", "data")
    import datasets

    try:
        shards = sorted(map(str, (Path(place) / "data").glob("*.parquet")))
        if shards:
            mine = {split: [shard for shard in shards if Path(shard).name.startswith(f"{split}-")]}
            if not mine[split]:
                raise DataError(f"{place} has no split {split!r}")
            found = datasets.load_dataset("parquet", data_files=mine, split=split, streaming=streaming)
        else:
            found = datasets.load_dataset(str(place), split=split, streaming=streaming)
    except (FileNotFoundError, ValueError, datasets.exceptions.DatasetNotFoundError) as error:
        raise DataError(f"{place} has no split {split!r} that can be loaded: {error}") from error
    known = found.features or {}
    missing = sorted(set(COLUMNS) - set(NEWER) - set(known))
    if missing:
        raise DataError(f"{place} is not in the SVM-10K schema: it has no column {missing[0]!r}")
    for name in MEDIA:
        found = found.cast_column(name, features()[name])
    return found


def media_file(cell: Mapping[str, Any] | None, scratch: Path, root: Path | None = None) -> Path | None:
    """A file with the media of one cell: written from its bytes (once, by content), or found under `root`.

    Returns:
        The path, or None where the media are missing.
    """
    if cell is None:
        return None
    name = str(cell.get("path") or "")
    data = cell.get("bytes")
    if data is None:
        found = (root / name) if root is not None and name else None
        inside = found is not None and found.resolve().is_relative_to(root.resolve()) if root else False
        return found if found is not None and inside and found.is_file() else None
    suffix = Path(name).suffix if Path(name).suffix.isascii() else ""
    path = scratch / f"{hashlib.sha256(data).hexdigest()}{suffix[:8]}"
    if not path.exists():
        with written_whole(path) as part:
            part.write_bytes(data)
    return path

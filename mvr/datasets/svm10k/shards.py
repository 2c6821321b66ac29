"""Rows written as Parquet shards of bounded size, one set of files per split, each shard whole or absent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mvr.config.digest import content_hash
from mvr.config.outputs import written_whole
from mvr.datasets.svm10k.media import write_pictures, write_sound
from mvr.datasets.svm10k.schema import COLUMNS, MEDIA, arrow_schema
from mvr.datatypes import SPLITS, JsonDict


def write_shards(rows: Mapping[str, Sequence[JsonDict]], folder: Path, shard_mb: float) -> dict[str, int]:
    """Write every split's rows; a row has all columns of `schema.COLUMNS` (see `with_media`).

    Returns:
        Rows per split.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    for split in (name for name in SPLITS if rows.get(name)):
        parts = list(_parts(rows[split], shard_mb * 1e6))
        for number, part in enumerate(parts):
            table = pa.Table.from_pylist([_cells(row) for row in part], schema=arrow_schema())
            path = folder / f"{split}-{number:05d}-of-{len(parts):05d}.parquet"
            with written_whole(path) as fresh:
                pq.write_table(table, fresh, row_group_size=64)
    return {split: len(rows[split]) for split in SPLITS if rows.get(split)}


def with_media(
    row: JsonDict, source: Path, folder: Path, borders: tuple[int, int, int, int] | None
) -> JsonDict:
    """The row with its two media files (made in `folder` unless they are there) and their checksums."""
    made = {"video": folder / f"{row['id']}.mp4", "audio": folder / f"{row['id']}.m4a"}
    if not made["video"].exists():
        write_pictures(source, made["video"], borders)
    if not made["audio"].exists():
        write_sound(source, made["audio"])
    return row | made | {f"{name}_sha256": content_hash(path) for name, path in made.items()}


def _cells(row: JsonDict) -> dict[str, Any]:
    cells = {name: row.get(name) for name in COLUMNS}
    for name in MEDIA:
        cells[name] = {"bytes": row[name].read_bytes(), "path": row[name].name}
    return cells


def _parts(rows: Sequence[JsonDict], size: float) -> Iterator[list[JsonDict]]:
    part: list[JsonDict] = []
    weight = 0.0
    for row in rows:
        more = sum(row[name].stat().st_size for name in MEDIA)
        if part and weight + more > size:
            yield part
            part, weight = [], 0.0
        part.append(row)
        weight += more
    if part:
        yield part


def scratch(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder for files between steps, beside the output so that renaming stays on one disk."""
    return tempfile.TemporaryDirectory(prefix=".media-", dir=folder)

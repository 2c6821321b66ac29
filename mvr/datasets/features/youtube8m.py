"""YouTube-8M, video level (May 2018): TFRecords of `id`, `labels`, `mean_rgb` (1024) and `mean_audio` (128).

Source: https://research.google.com/youtube8m/download.html, CC BY 4.0. The ids are anonymous on purpose: nothing
here resolves them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mvr.datasets.features.matrices import manifest_table
from mvr.datasets.features.paired import PairedFeatures
from mvr.datasets.features.tfrecord import parse_example, read_records
from mvr.errors import DataError


def import_youtube8m(
    shards: Sequence[Path], *, vocabulary: Path | None = None, only_labels: frozenset[str] = frozenset()
) -> PairedFeatures:
    """Read video-level shards; the `genre` column holds the label names (or numbers without a vocabulary).

    Args:
        shards: `.tfrecord` files; rows keep the shard's name in the id, since ids are unique only within one.
        vocabulary: a CSV with `index` and `name` columns (YouTube-8M's `vocabulary.csv` spells them `Index`, `Name`).
        only_labels: keep rows that have one of these labels; empty keeps all.

    Raises:
        DataError: a damaged shard, or a record without the two features.
    """
    names = read_vocabulary(vocabulary) if vocabulary else {}
    video: list[np.ndarray] = []
    audio: list[np.ndarray] = []
    columns: dict[str, list[str]] = {"id": [], "genre": []}
    dropped = 0
    for shard in shards:
        for record in read_records(shard):
            example = parse_example(record)
            rgb, sound = example.get("mean_rgb"), example.get("mean_audio")
            if not isinstance(rgb, np.ndarray) or not isinstance(sound, np.ndarray):
                raise DataError(
                    f"{shard.name} has a record without mean_rgb or mean_audio; is it video level?"
                )
            labels = [names.get(int(label), str(label)) for label in example.get("labels", [])]
            if only_labels and not only_labels.intersection(labels):
                dropped += 1
                continue
            identifier = example.get("id", [b""])[0]
            text = identifier.decode() if isinstance(identifier, bytes) else str(identifier)
            columns["id"].append(f"{shard.stem}/{text}")
            columns["genre"].append(";".join(labels))
            video.append(rgb)
            audio.append(sound)
    if not video:
        raise DataError("the shards hold no row with the wanted labels")
    return PairedFeatures(
        video=np.stack(video),
        audio=np.stack(audio),
        manifest=manifest_table(columns),
        meta={
            "video": {"backbone": "youtube8m-inception"},
            "audio": {"backbone": "youtube8m-vggish"},
            "source": "YouTube-8M",
        },
        notes=(f"{dropped} rows have none of the wanted labels",) if dropped else (),
    )


def read_vocabulary(path: Path) -> Mapping[int, str]:
    """Label names by number, without the `;` that separates labels in a manifest."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [
            {key.strip().lower(): value.strip() for key, value in row.items() if key}
            for row in csv.DictReader(file, skipinitialspace=True)
        ]
    if not rows or not {"index", "name"} <= rows[0].keys():
        raise DataError(f"{path.name} needs the columns 'index' and 'name'")
    return {int(row["index"]): row["name"].replace(";", ",") for row in rows}

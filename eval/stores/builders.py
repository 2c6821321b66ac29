"""From public archives of features to feature stores; the split is fixed here and nowhere else.

`yt8m-public` (YouTube-8M, CC BY 4.0: Inception 1024 wide, VGGish 128 wide). Queries and candidates are the
rows that carry the label "Music video", where picture and music were made for each other. By shard number:
    test   music videos of shards 136 and up: a pool of 419
    val    music videos of shards 120 to 135
    train  the other music videos, and the music-related videos (concerts, lessons, dance) of shards below 180
`yt8m-topics` has the same train and val rows, so that one head is measured on both, and as test the
music-related videos of shards 180 and up, nearly all of which have labels (few music videos do).
The taxonomy `topic` holds the music labels (instruments, ensembles, dances) without "Music video" itself,
which all music videos share.

`emomv` (EmoMV, MIT: SlowFast 2304 wide, VGGish 128 wide). Every clip with its own sound; the mismatched rows, which
hold two clips each with their sounds exchanged, are exchanged back:
    train  the clips of part C; `mvr train` takes its own validation rows from them, by group
    test   the clips of part A, of other source videos
The group is the source video, the taxonomy `emotion` (exciting, fear, tense, sad, relax).

`yt8m-concepts` (CC BY 4.0): scores of 79 visible concepts and 47 sound tags of YouTube-8M videos with music, what the
heads `bridge` and `profiles` are trained on. All rows are split train; the group is the shard, so that shards can be
left out. Taxonomies: `concept` (YouTube-8M's own labels) and `kind` (music video, other music, background).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.stores.archives import read_numbers, read_strings
from mvr.datatypes import JsonDict
from mvr.embeddings.store import FeatureStore, write_store
from mvr.errors import DataError

VAL_SHARD, TEST_SHARD, TOPIC_SHARD = 120, 136, 180
MUSIC_VIDEO = "14"  # YouTube-8M's number of the label "Music video"


def build_yt8m_public(data: Path, out: Path) -> FeatureStore:
    """Write the store `yt8m-public` from `music_video.npz`, `music_related.npz` and `music_labels.csv` in
    `data`.

    Raises:
        DataError: a file that is missing or cannot be read.
    """
    return build_yt8m(data, out, Yt8mSplit("yt8m-public", _music_video_split, related_training_split))


def build_yt8m_topics(data: Path, out: Path) -> FeatureStore:
    """Write the store `yt8m-topics` from the same files as `yt8m-public`."""
    return build_yt8m(data, out, Yt8mSplit("yt8m-topics", _music_video_training_split, _music_related_split))


def build_emomv(data: Path, out: Path) -> FeatureStore:
    """Write the store `emomv` from `c_train.npz` and `a_test.npz` in `data`.

    Raises:
        DataError: a file that is missing or cannot be read.
    """
    parts = [emomv_part(data / "c_train.npz", "train"), emomv_part(data / "a_test.npz", "test")]
    return write_emomv(_joined(parts), out)


def write_emomv(columns: JsonDict, out: Path) -> FeatureStore:
    """Write a store of EmoMV's clips."""
    meta = {
        "video": {"backbone": "slowfast-emomv", "settings": {"pooling": "mean"}},
        "audio": {"backbone": "vggish-emomv", "settings": {"pooling": "mean"}},
        "command": "python -m eval.stores emomv",
        "source": "EmoMV (ivyha010/EmoMV), MIT",
    }
    return _write(out, columns, "emotion", meta)


def build_yt8m_concepts(data: Path, out: Path) -> FeatureStore:
    """Write the store `yt8m-concepts` from `yt8m_concepts.npz` in `data`: concepts and tags of videos with music.

    Raises:
        DataError: a file that is missing or cannot be read.
    """
    archive = data / "yt8m_concepts.npz"
    music, background, clip = (
        read_numbers(archive, name) for name in ("music", "background", "label_music_video")
    )
    rows = np.flatnonzero(music | background)
    names = {
        side: [str(name) for name in read_numbers(archive, f"{side}_names")] for side in ("concept", "tag")
    }
    labels = np.unpackbits(read_numbers(archive, "concept_labels")[rows], axis=1)[:, : len(names["concept"])]
    shards = read_numbers(archive, "shard")[rows]
    columns: JsonDict = {
        "id": [f"{shard}-{row}" for shard, row in zip(shards, rows, strict=True)],
        "group": [str(shard) for shard in shards],
        "split": ["train"] * len(rows),
        "labels": [[names["concept"][at] for at in np.flatnonzero(row)] for row in labels],
        "kind": [[_concepts_kind(bool(music[row]), bool(clip[row]))] for row in rows],
        "video": read_numbers(archive, "concepts")[rows],
        "audio": read_numbers(archive, "tags")[rows],
    }
    meta = {
        "video": {"backbone": "concepts-youtube8m", "settings": {"columns": names["concept"]}},
        "audio": {"backbone": "tags-audioset", "settings": {"columns": names["tag"]}},
        "command": "python -m eval.stores yt8m-concepts",
        "source": "YouTube-8M (features, labels) and AudioSet (features, labels), Google, CC BY 4.0; detectors applied",
    }
    return _write(out, columns, "concept", meta)


def _concepts_kind(music: bool, clip: bool) -> str:
    return "music video" if clip else "other music" if music else "background"


BUILDERS: dict[str, tuple[str, Callable[[Path, Path], FeatureStore]]] = {
    "yt8m-public": ("yt8m", build_yt8m_public),
    "yt8m-topics": ("yt8m", build_yt8m_topics),
    "emomv": ("emomv", build_emomv),
    "yt8m-concepts": ("", build_yt8m_concepts),
}
"""Store name -> (folder below the data folder, builder)."""


@dataclass(frozen=True)
class Yt8mSplit:
    """The name of a store, and the split that a row of either archive goes to by its shard; "" leaves the row out."""

    name: str
    music_video: Callable[[int], str]
    music_related: Callable[[int], str]


def build_yt8m(data: Path, out: Path, split: Yt8mSplit) -> FeatureStore:
    """Write a store of YouTube-8M rows.

    Raises:
        DataError: a file that is missing or cannot be read.
    """
    names = _label_names(data / "music_labels.csv")
    parts = []
    for archive in ("music_video", "music_related"):
        part = _yt8m_part(data / f"{archive}.npz", names)
        split_of: Callable[[int], str] = getattr(split, archive)
        part["split"] = [split_of(shard) for shard in part.pop("shard")]
        parts.append(_without(part, [not name for name in part["split"]]))
    meta = {
        "video": {"backbone": "inception-v3-youtube8m", "settings": {"pooling": "mean"}},
        "audio": {"backbone": "vggish-youtube8m", "settings": {"pooling": "mean"}},
        "command": f"python -m eval.stores {split.name}",
        "source": "YouTube-8M, May 2018, video level, CC BY 4.0",
    }
    return _write(out, _joined(parts), "topic", meta)


def _music_video_split(shard: int) -> str:
    return "test" if shard >= TEST_SHARD else _music_video_training_split(shard)


def _music_video_training_split(shard: int) -> str:
    return "" if shard >= TEST_SHARD else "val" if shard >= VAL_SHARD else "train"


def related_training_split(shard: int) -> str:
    """Music-related videos train up to the shards that `yt8m-topics` tests."""
    return "" if shard >= TOPIC_SHARD else "train"


def _music_related_split(shard: int) -> str:
    return related_training_split(shard) or "test"


def _yt8m_part(archive: Path, names: dict[str, str]) -> JsonDict:
    shards = read_strings(archive, "shard")
    ids = [f"{shard}-{name}" for shard, name in zip(shards, read_strings(archive, "id"), strict=True)]
    return {
        "id": ids,
        "group": ids,
        "shard": [int(shard) for shard in shards],
        "labels": [
            [names[number] for number in row.split() if number in names]
            for row in read_strings(archive, "labels")
        ],
        "video": read_numbers(archive, "video"),
        "audio": read_numbers(archive, "audio"),
    }


def _without(part: JsonDict, dropped: list[bool]) -> JsonDict:
    kept = np.flatnonzero(~np.array(dropped))
    return {
        name: column[kept] if isinstance(column, np.ndarray) else [column[row] for row in kept]
        for name, column in part.items()
    }


def _label_names(table: Path) -> dict[str, str]:
    try:
        with table.open(encoding="utf-8", newline="") as lines:
            names = {row["index"]: row["name"] for row in csv.DictReader(lines)}
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise DataError(f"{table} is no table of label names: {error}") from error
    names.pop(MUSIC_VIDEO, None)
    return names


def emomv_part(archive: Path, split: str) -> JsonDict:
    """Columns of one part of EmoMV. A row "A_PAIR_B" has the picture of clip A and the sound of clip B, and the part
    has the row "B_PAIR_A", too: each clip's own picture and sound are both there.

    Raises:
        DataError: a missing file or array, or a clip whose two halves carry different emotions.
    """
    picture_of: dict[str, int] = {}
    sound_of: dict[str, int] = {}
    for row, name in enumerate(read_strings(archive, "id")):
        picture, _, sound = name.partition("_PAIR_")
        picture_of.setdefault(picture, row)
        sound_of.setdefault(sound or picture, row)
    clips = [clip for clip in picture_of if clip in sound_of]
    pictures, sounds = ([of[clip] for clip in clips] for of in (picture_of, sound_of))
    emotions = [read_strings(archive, f"{side}_emotion") for side in ("video", "audio")]
    labels = [(emotions[0][v], emotions[1][a]) for v, a in zip(pictures, sounds, strict=True)]
    if wrong := [clip for clip, (seen, heard) in zip(clips, labels, strict=True) if seen != heard]:
        raise DataError(
            f"{archive}: the clip {wrong[0]!r} has one emotion for its picture, another for its sound"
        )
    return {
        "id": clips,
        "group": [source_video(clip) for clip in clips],
        "split": [split] * len(clips),
        "labels": [[emotion] for emotion, _ in labels],
        "video": read_numbers(archive, "video")[pictures],
        "audio": read_numbers(archive, "audio")[sounds],
    }


def source_video(clip: str) -> str:
    """The video that an EmoMV clip was cut from.

    >>> source_video("exciting_TEST_EXT(9)-45-of-95"), source_video("rp1lHx8vCgc_02")
    ('exciting_TEST_EXT(9)', 'rp1lHx8vCgc')
    """
    return re.sub(r"-\d+-of-\d+$|(?<=^.{11})_\d\d$", "", clip)


def _joined(parts: list[JsonDict]) -> JsonDict:
    joined: JsonDict = {}
    for name in parts[0]:
        columns: list[Any] = [part[name] for part in parts]
        matrix = isinstance(columns[0], np.ndarray)
        joined[name] = np.concatenate(columns) if matrix else list(chain.from_iterable(columns))
    return joined


def _write(out: Path, columns: JsonDict, taxonomy: str, meta: JsonDict) -> FeatureStore:
    import pyarrow as pa

    manifest = pa.table({name: pa.array(columns[name], pa.string()) for name in ("id", "split", "group")})
    manifest = manifest.append_column(taxonomy, pa.array(columns["labels"], pa.list_(pa.string())))
    if "kind" in columns:
        manifest = manifest.append_column("kind", pa.array(columns["kind"], pa.list_(pa.string())))
    video: npt.NDArray[Any] = columns["video"]
    return write_store(out, video=video, audio=columns["audio"], manifest=manifest, meta=meta)

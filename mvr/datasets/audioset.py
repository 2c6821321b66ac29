"""AudioSet's music labels: genre, mood and instrument of its music clips, from the ontology and the segment tables.

Gemmeke et al., "Audio Set: An ontology and human-labeled dataset for audio events", ICASSP 2017. Control-MVR takes its
genre labels from here (arXiv:2412.05831). "Music genre" has 25 direct children and 65 descendants: with level "direct"
a label counts for the child above it, with level "all" for every class on its way up. Licences: ontology CC BY-SA 4.0,
data CC BY 4.0.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa

from mvr.errors import DataError

TAXONOMIES = {"genre": "Music genre", "mood": "Music mood", "instrument": "Musical instrument"}


class Level(StrEnum):
    """How fine the classes of a taxonomy are."""

    DIRECT = "direct"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class LabelledClip:
    """One clip of a segment table: YouTube id, start in seconds, machine ids ("/m/...") of its labels."""

    ytid: str
    start_s: float
    mids: tuple[str, ...]


class Ontology:
    """The tree of AudioSet's classes."""

    def __init__(self, classes: Sequence[Mapping[str, object]]) -> None:
        self._names = {str(entry["id"]): str(entry["name"]) for entry in classes}
        self._children = {str(entry["id"]): [str(c) for c in _list(entry["child_ids"])] for entry in classes}
        self._mids = {name: mid for mid, name in self._names.items()}

    @classmethod
    def read(cls, path: Path) -> Ontology:
        """Read `ontology.json`.

        Raises:
            DataError: the file is not AudioSet's ontology.
        """
        try:
            return cls(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path.name} cannot be read as AudioSet's ontology.json: {error}") from error

    def name(self, mid: str) -> str:
        """The class name, free of the `;` that separates labels in a manifest."""
        return self._names[mid].replace(";", ",")

    def mid(self, name: str) -> str:
        """The machine id of a class name."""
        return self._mids[name]

    def children(self, mid: str) -> list[str]:
        """Direct children in the ontology's order."""
        return self._children[mid]

    def descendants(self, mid: str) -> list[str]:
        """All classes below one, each once, depth first."""
        found: dict[str, None] = {}
        for child in self.children(mid):
            found[child] = None
            found.update(dict.fromkeys(self.descendants(child)))
        return list(found)

    def classes(self, taxonomy: str, level: Level) -> dict[str, list[str]]:
        """Class name -> machine ids that count for it, in the ontology's order."""
        root = self.mid(TAXONOMIES[taxonomy])
        members = self.children(root) if level is Level.DIRECT else self.descendants(root)
        return {self.name(mid): [mid, *self.descendants(mid)] for mid in members}


def read_segments(path: Path, class_index: Path | None = None) -> list[LabelledClip]:
    """Read a segment table: the published form, or the one with label numbers.

    The published form (`balanced_train_segments.csv`) has comment lines and `YTID, start, end, "/m/...,/m/..."`; the
    other has a header `ytid,start_s,label_indices` and numbers of `class_labels_indices.csv`.

    Raises:
        DataError: neither form, or numbers without `class_index`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in file if not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} cannot be read as a segment table: {error}") from error
    if not lines:
        raise DataError(f"{path.name} holds no segment")
    if lines[0].startswith("ytid,"):
        numbers = _read_class_index(class_index)
        return [_numbered(row, numbers, path.name) for row in csv.DictReader(lines)]
    rows = csv.reader(lines, skipinitialspace=True)
    return [_published(row, path.name) for row in rows if row]


def music_labels(clips: Iterable[LabelledClip], ontology: Ontology, level: Level = Level.DIRECT) -> pa.Table:
    """The music clips with their labels: columns id, ytid, group, genre, mood, instrument, start_s.

    A clip is music when it has "Music" or any class below it. One video is one `group`.
    """
    music = ontology.mid("Music")
    below_music = {music, *ontology.descendants(music)}
    classes = {name: ontology.classes(name, level) for name in TAXONOMIES}
    chosen = [clip for clip in clips if below_music.intersection(clip.mids)]
    columns: dict[str, pa.Array] = {
        "id": pa.array([f"{clip.ytid}_{clip.start_s:g}" for clip in chosen], pa.string()),
        "ytid": pa.array([clip.ytid for clip in chosen], pa.string()),
        "group": pa.array([clip.ytid for clip in chosen], pa.string()),
        "start_s": pa.array([clip.start_s for clip in chosen], pa.float32()),
    }
    for taxonomy, members in classes.items():
        labels = [[name for name, mids in members.items() if set(mids) & set(clip.mids)] for clip in chosen]
        columns[taxonomy] = pa.array(labels, pa.list_(pa.string()))
    return pa.table(columns)


def class_counts(table: pa.Table, taxonomy: str) -> dict[str, int]:
    """Number of clips per class, the most frequent first, then by name."""
    counts = Counter(label for labels in table[taxonomy].to_pylist() for label in labels)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def balanced_split(
    table: pa.Table, taxonomy: str, fractions: Mapping[str, float], seed: int = 0
) -> list[str]:
    """A split by group in which every class has its share of every part.

    Iterative stratification (Sechidis, Tsoumakas & Vlahavas, ECML PKDD 2011): the rarest class is dealt first, each of
    its groups to the part that still wants it most; groups without a label fill up what is left.

    Args:
        table: rows with a `group` and label columns.
        taxonomy: the label column to balance.
        fractions: part name -> share; the shares sum to one.
        seed: order of groups within a class, and ties.

    Returns:
        One part name per row of `table`.
    """
    assert abs(sum(fractions.values()) - 1) < 1e-9, fractions
    names = list(fractions)
    groups = table["group"].to_pylist()
    labels: dict[str, set[str]] = {}
    for group, row in zip(groups, table[taxonomy].to_pylist(), strict=True):
        labels.setdefault(group, set()).update(row)
    order = list(np.random.default_rng(seed).permutation(sorted(labels)))
    counts = Counter(label for found in labels.values() for label in found)
    wanted = {label: np.array([count * fractions[n] for n in names]) for label, count in counts.items()}
    room = np.array([len(labels) * fractions[n] for n in names])
    part: dict[str, int] = {}
    while len(part) < len(labels):
        waiting = Counter(label for g in order if g not in part for label in labels[g])
        rarest = min(waiting, key=lambda label: (waiting[label], label)) if waiting else None
        for group in [g for g in order if g not in part and (rarest is None or rarest in labels[g])]:
            need = room if rarest is None else wanted[rarest]
            best = int(np.lexsort((-room, -need))[0])
            part[group] = best
            room[best] -= 1
            for label in labels[group]:
                wanted[label][best] -= 1
    return [names[part[group]] for group in groups]


def labels_for(ids: Sequence[str], table: pa.Table, taxonomies: Sequence[str]) -> dict[str, list[list[str]]]:
    """Label columns for a feature store's rows, matched by `id` and else by `ytid`; unknown rows have no label."""
    found: dict[str, list[list[str]]] = {}
    for taxonomy in taxonomies:
        cells = table[taxonomy].to_pylist()
        by_id = dict(zip(table["ytid"].to_pylist(), cells, strict=True))
        by_id.update(zip(table["id"].to_pylist(), cells, strict=True))
        found[taxonomy] = [by_id.get(identifier, []) for identifier in ids]
    return found


def _read_class_index(path: Path | None) -> dict[int, str]:
    if path is None:
        raise DataError("this segment table has label numbers; give class_labels_indices.csv with --classes")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"index", "mid"} <= rows[0].keys():
        raise DataError(f"{path.name} needs the columns 'index' and 'mid'")
    return {int(row["index"]): row["mid"] for row in rows}


def _numbered(row: Mapping[str, str], numbers: Mapping[int, str], name: str) -> LabelledClip:
    try:
        mids = tuple(numbers[int(number)] for number in row["label_indices"].split())
        return LabelledClip(ytid=row["ytid"], start_s=float(row["start_s"]), mids=mids)
    except (KeyError, ValueError) as error:
        raise DataError(f"{name} has a row that is not a labelled segment: {dict(row)}") from error


def _published(row: Sequence[str], name: str) -> LabelledClip:
    try:
        ytid, start, _, mids = row
        return LabelledClip(ytid=ytid, start_s=float(start), mids=tuple(mids.split(",")))
    except ValueError as error:
        raise DataError(f"{name} has a row that is not a segment: {', '.join(row)}") from error


def _list(value: object) -> list[object]:
    assert isinstance(value, list), value
    return value

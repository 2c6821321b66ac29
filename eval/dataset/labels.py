"""AudioSet's music labels counted: clips per genre, mood and instrument, at both levels, in each split."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mvr.datasets.audioset import (
    TAXONOMIES,
    Level,
    Ontology,
    balanced_split,
    class_counts,
    music_labels,
    read_segments,
)
from mvr.datatypes import JsonDict

FILES = ("ontology.json", "bal_train_all_labels.csv", "class_labels_indices.csv")
SPLITS = {"train": 0.8, "val": 0.1, "test": 0.1}


def count_labels(folder: Path, seed: int) -> JsonDict:
    """Class counts of the music clips among AudioSet's segments, split by video with every genre in its share.

    Raises:
        DataError: a file of `FILES` that is not what its name says.
    """
    ontology, segments, classes = (folder / name for name in FILES)
    clips, tree = read_segments(segments, classes), Ontology.read(ontology)
    levels: JsonDict = {}
    for level in Level:
        table = music_labels(clips, tree, level)
        parts = balanced_split(table, "genre", SPLITS, seed)
        levels[str(level)] = {
            taxonomy: {
                "classes": len(tree.classes(taxonomy, level)),
                "labelled": sum(bool(cell) for cell in table[taxonomy].to_pylist()),
                "counts": class_counts(table, taxonomy),
                "splits": _by_split(table[taxonomy].to_pylist(), parts),
            }
            for taxonomy in TAXONOMIES
        }
    about = (
        f"{table.num_rows} of {len(clips)} clips of AudioSet's balanced training part are music "
        f"({len(set(table['group'].to_pylist()))} videos). Level `direct` counts a label for the child above it, `all` "
        f"for every class on its way up. Split 8:1:1 by video, seed {seed}."
    )
    return {"about": about, "clips": table.num_rows, "of": len(clips), "levels": levels, "seed": seed}


def labels_markdown(document: JsonDict) -> str:
    """An overview, then one table per level and taxonomy."""
    lines = ["| taxonomy | level | classes | with clips | labelled clips |", "|---|---|---|---|---|"]
    for taxonomy in TAXONOMIES:
        for level, found in document["levels"].items():
            entry = found[taxonomy]
            numbers = f"{entry['classes']} | {len(entry['counts'])} | {entry['labelled']}"
            lines.append(f"| {taxonomy} | {level} | {numbers} |")
    for taxonomy in TAXONOMIES:
        for level, found in document["levels"].items():
            lines += ["", f"## {taxonomy}, {level}", "", *_classes(found[taxonomy])]
    return "\n".join(lines) + "\n"


def _classes(entry: JsonDict) -> list[str]:
    lines = [f"| class | clips | {' | '.join(SPLITS)} |", "|---|---|" + "---|" * len(SPLITS)]
    for name, count in entry["counts"].items():
        parts = [str(entry["splits"][split].get(name, 0)) for split in SPLITS]
        lines.append(f"| {name} | {count} | {' | '.join(parts)} |")
    return lines


def _by_split(cells: list[list[str]], parts: list[str]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    for labels, part in zip(cells, parts, strict=True):
        counts[part].update(labels)
    return {split: dict(found) for split, found in counts.items()}

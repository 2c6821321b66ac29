"""What is in a set: a table of numbers and a figure of durations, tempo, loudness and themes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from mvr.config.extras import need
from mvr.datasets.svm10k.schema import MEDIA, TAXONOMIES, no_set
from mvr.datatypes import SPLITS, JsonDict

_NUMBERS = ("duration_s", "tempo_bpm", "loudness_lufs", "speech_share", "noise")


def describe(place: Path) -> JsonDict:
    """Rows per split, groups, quartiles of every measured number, counts of themes, licences and labels.

    Raises:
        DataError: no shard to read.
    """
    columns = _columns(place)
    counts: dict[str, Counter[str]] = {
        "theme": Counter(str(value) for value in columns["theme"] if value),
        "licence": Counter(str(value) for value in columns["licence"]),
    }
    for taxonomy in TAXONOMIES:
        counts[taxonomy] = Counter(label for labels in columns[taxonomy] for label in labels or [])
    return {
        "splits": dict(Counter(columns["split"])),
        "hours": round(sum(columns["duration_s"]) / 3600, 4),
        "groups": len(set(columns["group"])),
        "music_groups": len(set(columns["music_group"])),
        "numbers": {name: _quartiles(columns[name]) for name in _NUMBERS},
        "counts": {name: dict(counter.most_common()) for name, counter in counts.items()},
    }


def plot(place: Path, out: Path) -> None:
    """Histograms of what was measured and bars of themes, as SVG or PNG by the suffix of `out`."""
    need("matplotlib", "a figure of a set", "data")
    from matplotlib.figure import Figure

    columns = _columns(place)
    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots(2, 3)
    labels = (
        "duration in seconds",
        "tempo in BPM",
        "loudness in LUFS",
        "share with a voice",
        "spectral flatness",
    )
    for axis, name, label in zip(axes.flat, _NUMBERS, labels, strict=False):
        values = [value for value in columns[name] if value is not None]
        axis.hist(values, bins=20, color="#3b5bdb")
        axis.set_xlabel(label)
        axis.set_ylabel("clips")
    themes = Counter(str(value or "no theme") for value in columns["theme"]).most_common(12)
    axes.flat[5].barh(
        [name for name, _ in themes][::-1], [count for _, count in themes][::-1], color="#3b5bdb"
    )
    axes.flat[5].set_xlabel("clips by theme")
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)


def _columns(place: Path) -> dict[str, list[Any]]:
    """All columns but the media, with `split` added."""
    found: dict[str, list[Any]] = {}
    for split in SPLITS:
        for path in sorted((place / "data").glob(f"{split}-*.parquet")):
            names = [name for name in pq.read_schema(path).names if name not in MEDIA]
            table = pq.read_table(path, columns=names)
            for name in names:
                found.setdefault(name, []).extend(table[name].to_pylist())
            found.setdefault("split", []).extend([split] * table.num_rows)
    if not found:
        raise no_set(place)
    return found


def _quartiles(values: list[float | None]) -> JsonDict:
    known = np.array([value for value in values if value is not None], float)
    if not len(known):
        return {"known": 0}
    low, middle, high = np.quantile(known, (0.25, 0.5, 0.75))
    return {"known": len(known), "q25": round(low, 3), "median": round(middle, 3), "q75": round(high, 3)}

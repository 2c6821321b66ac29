"""Builds a set of short videos with music from a folder: measure, decide, group, split, write, report.

Measuring runs over processes and is kept on disk by content (`.build/`), so that a killed or repeated build measures
nothing twice. Everything after it is quick, deterministic, and done again each time.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from mvr.config.extras import need
from mvr.config.outputs import written_whole
from mvr.config.workers import worker_processes
from mvr.datasets.audioset import balanced_split
from mvr.datasets.svm10k.card import write_card
from mvr.datasets.svm10k.duplicates import joined_groups, music_groups, video_groups
from mvr.datasets.svm10k.filters import Decision, decide
from mvr.datasets.svm10k.inspection import Inspection, inspect_clip
from mvr.datasets.svm10k.judged import BuildReport, Judged
from mvr.datasets.svm10k.report import write_report
from mvr.datasets.svm10k.schema import METADATA, TAXONOMIES, VERSION
from mvr.datasets.svm10k.settings import BuildSettings
from mvr.datasets.svm10k.shards import with_media, write_shards
from mvr.datasets.svm10k.sources import Clip
from mvr.datatypes import JsonDict
from mvr.errors import DataError, MediaError

BuildProgress = Callable[[str, int, int], None]
"""Called with the step's name, the number done and the number in all."""

MADE = ("build.json", ".build")  # one of these is in every folder that `build` wrote into


# words for a file's sound, each {"word", "kind", "confidence"}: given from above, since the networks lie beside us
Tagger = Callable[[Path], Sequence[JsonDict]]


def build(
    clips: Sequence[Clip],
    out: Path,
    settings: BuildSettings,
    *,
    workers: int = 2,
    missing: Sequence[str] = (),
    progress: BuildProgress = lambda step, done, total: None,
    guess: Tagger | None = None,
) -> BuildReport:
    """Build the set in `out`: `data/*.parquet`, `README.md` (the card), `report.html`, `build.json`.

    Raises:
        DataError: no clip is left; says why most of them went. ExtraMissing: before anything is measured.
    """
    need("datasets", "building a set", "data")
    work = out / ".build"
    (work / "media").mkdir(parents=True, exist_ok=True)
    judged = _judge(clips, _inspect(clips, work, workers, progress), read_decisions(out), settings)
    kept = [item for item in judged if item.decision.reason is None]
    rows, judged = _rows(kept, judged, work / "media", settings, progress)
    if not rows:
        raise DataError(
            f"none of {len(judged)} clips is left: {_most(judged)}; change the thresholds or the folder"
        )
    _add_guesses(rows, kept, work / "guesses", guess, progress)
    splits = _split(rows, settings)
    for old in (out / "data").glob("*.parquet"):
        old.unlink()
    counts = write_shards(splits, out / "data", settings.shard_mb)
    report = BuildReport(
        judged=tuple(judged),
        splits=counts,
        music_groups=len({row["music_group"] for row in rows}),
        video_groups=len({row["video_group"] for row in rows}),
        missing=tuple(missing),
        settings=settings,
    )
    write_card(out, report, rows)
    write_report(out, report)
    document = {"schema": VERSION, **report.to_json(), "borderline_clips": _borderline(judged)}
    (out / "build.json").write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")
    return report


def _borderline(judged: Sequence[Judged]) -> list[JsonDict]:
    """Clips that ask for a look, or were looked at, with what the estimates said."""
    found = []
    for item in judged:
        measures = item.inspection.measures
        by_hand = item.decision.reason == "by hand" or item.decision.detail == "kept by hand"
        if measures is None or not (item.decision.borderline or by_hand):
            continue
        why = f"voice {measures.speech_share:.2f}, noise {measures.noise:.2f}, motion {measures.motion:.2f}"
        state = "dropped" if item.decision.reason else "kept"
        found.append({"id": item.inspection.id, "file": item.clip.path.name, "decision": state, "why": why})
    return found


def read_decisions(out: Path) -> dict[str, str]:
    """What a person decided on borderline clips: id -> "keep" or "drop"."""
    path = out / "decisions.json"
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    return {str(key): str(value) for key, value in found.items()}


def save_decisions(out: Path, decisions: Mapping[str, str]) -> None:
    """Add decisions to those saved before."""
    merged = read_decisions(out) | dict(decisions)
    with written_whole(out / "decisions.json") as part:
        part.write_text(json.dumps(dict(sorted(merged.items())), indent=2), encoding="utf-8")


def _inspect(clips: Sequence[Clip], work: Path, workers: int, progress: BuildProgress) -> list[Inspection]:
    folder = work / "inspections"
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Inspection] = []
    paths = [clip.path for clip in clips]
    with contextlib.ExitStack() as stack:
        measured: Iterator[Inspection]
        if workers > 1:
            # processes, not threads: decoding and the voice detector hold the interpreter's lock
            pool = stack.enter_context(worker_processes(workers))
            measured = pool.map(inspect_clip, paths, [folder] * len(paths))
        else:
            measured = map(inspect_clip, paths, [folder] * len(paths))
        for inspection in measured:
            found.append(inspection)
            progress("measure", len(found), len(paths))
    return found


def _judge(
    clips: Sequence[Clip],
    inspections: Sequence[Inspection],
    by_hand: Mapping[str, str],
    settings: BuildSettings,
) -> list[Judged]:
    seen: dict[str, str] = {}
    judged = []
    for clip, inspection in zip(clips, inspections, strict=True):
        decision = decide(inspection, clip.metadata, settings, by_hand.get(inspection.id))
        first = seen.setdefault(inspection.id, clip.path.name)
        if first != clip.path.name and decision.reason is None:
            decision = Decision(reason="copy", detail=f"equal to {first}")
        judged.append(Judged(clip=clip, inspection=inspection, decision=decision))
    return judged


def _rows(
    kept: Sequence[Judged],
    judged: list[Judged],
    media: Path,
    settings: BuildSettings,
    progress: BuildProgress,
) -> tuple[list[JsonDict], list[Judged]]:
    """Rows with media and groups; a clip whose media cannot be written is dropped after all, with the reason."""
    rows, prints, hashes = [], [], []
    for number, item in enumerate(kept, start=1):
        assert item.inspection.sound is not None and item.inspection.hashes is not None
        try:
            rows.append(with_media(_row(item), item.clip.path, media, _cut(item, settings)))
        except MediaError as error:
            at = judged.index(item)
            judged[at] = Judged(
                clip=item.clip,
                inspection=item.inspection,
                decision=Decision(reason="unreadable", detail=str(error)),
            )
            continue
        prints.append(item.inspection.sound)
        hashes.append(item.inspection.hashes)
        progress("write media", number, len(kept))
    music, video = music_groups(prints), video_groups(hashes, settings.max_hash_bits)
    for row, m, v, g in zip(rows, music, video, joined_groups(music, video) if rows else [], strict=True):
        row |= {"music_group": rows[m]["id"], "video_group": rows[v]["id"], "group": rows[g]["id"]}
    return rows, judged


def _add_guesses(
    rows: Sequence[JsonDict],
    kept: Sequence[Judged],
    folder: Path,
    guess: Tagger | None,
    progress: BuildProgress,
) -> None:
    """Guessed words beside each row's own labels, never among them; what was guessed before is read."""
    paths = {item.inspection.id: item.clip.path for item in kept}
    folder.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(rows, start=1):
        file = folder / f"{row['id']}.json"
        if guess is None:
            row["guessed"] = []
        elif file.exists():
            row["guessed"] = json.loads(file.read_text(encoding="utf-8"))
        else:
            row["guessed"] = list(guess(paths[row["id"]]))
            file.write_text(json.dumps(row["guessed"], ensure_ascii=False), encoding="utf-8")
            progress("guess words", number, len(rows))


def _row(item: Judged) -> JsonDict:
    measures = item.inspection.measures
    assert measures is not None
    metadata = item.clip.metadata
    row: JsonDict = {name: metadata.get(name) for name in METADATA}
    row |= {taxonomy: list(row[taxonomy] or []) for taxonomy in TAXONOMIES}
    row["title"] = row["title"] or item.clip.path.stem
    row["licence"] = row["licence"] or "unknown"
    sides = zip(("left", "top", "right", "bottom"), measures.borders, strict=True)
    return row | asdict(measures) | {"id": item.inspection.id, "borders": dict(sides)}


def _cut(item: Judged, settings: BuildSettings) -> tuple[int, int, int, int] | None:
    measures = item.inspection.measures
    assert measures is not None
    whole = measures.borders == (0, 0, measures.width_px, measures.height_px)
    return None if whole or not settings.remove_borders else measures.borders


def _split(rows: list[JsonDict], settings: BuildSettings) -> dict[str, list[JsonDict]]:
    values = [row.get(settings.balance) for row in rows]
    labels = [value if isinstance(value, list) else [str(value)] if value else [] for value in values]
    table = pa.table({"group": [r["group"] for r in rows], "label": pa.array(labels, pa.list_(pa.string()))})
    shares = {"val": settings.val_share, "test": settings.test_share}
    shares = {"train": 1 - sum(shares.values())} | shares
    parts = balanced_split(table, "label", shares, settings.seed)
    return {name: [r for r, part in zip(rows, parts, strict=True) if part == name] for name in shares}


def _most(judged: Sequence[Judged]) -> str:
    from mvr.datasets.svm10k.filters import REASONS

    counts = Counter(item.decision.reason for item in judged if item.decision.reason)
    return ", ".join(f"{count} {REASONS[reason]}" for reason, count in counts.most_common(3))

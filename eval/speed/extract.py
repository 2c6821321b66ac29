"""Bulk embedding by the local engine with one and with two processes: files a second, scaling, share of decoding."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eval.speed.contest import Contest, Work
from eval.speed.inputs import Inputs


def contests(inputs: Inputs) -> Iterator[Contest]:
    """Files to a feature store, and decoding the same files alone."""
    count, seconds = (2, 3.0) if inputs.short else (12, 10.0)
    size = (320, 180) if inputs.short else (640, 360)
    clips = [inputs.video(f"bulk{number % 4}", seconds=seconds, size=size) for number in range(count)]
    yield Contest(
        name="extract",
        title="Files to a feature store",
        work=f"{count} clips of {seconds:g} s, {size[0]}x{size[1]}, both backbones of the default system; the start "
        "of the processes and their models included",
        ours="2 processes",
        candidates={
            "2 processes": lambda: extract_work(clips, 2),
            "1 process": lambda: extract_work(clips, 1),
            "decoding alone, in one process": lambda: _decode(clips),
        },
        media_s=count * seconds,
        derive=_rates,
    )


def _rates(rows: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Files a second; efficiency: one process's time over twice that of two; decoding's share of processor time."""
    one, two, decoding = (
        rows[name] for name in ("1 process", "2 processes", "decoding alone, in one process")
    )
    found = {name: {"files/s": row["facts"]["files"] / row["wall_s"]["min"]} for name, row in rows.items()}
    found["2 processes"]["efficiency"] = one["wall_s"]["min"] / (2 * two["wall_s"]["min"])
    found[decoding["candidate"]]["share of 1 process"] = decoding["cpu_s"]["min"] / one["cpu_s"]["min"]
    return found


def extract_work(clips: list[Path], workers: int) -> Work:
    """Bulk embedding of copies of some clips into a store of its own."""
    from mvr.config.paths import DEFAULT_SYSTEM
    from mvr.embeddings.extraction import ExtractSettings, extract_features

    folder = Path(tempfile.mkdtemp(prefix="mvr-speed-"))
    (folder / "clips").mkdir()
    for number, clip in enumerate(clips):  # other bytes each: equal files are encoded once
        (folder / "clips" / f"{number}.mp4").write_bytes(clip.read_bytes() + _free_box(number))
    settings = ExtractSettings(system=DEFAULT_SYSTEM, workers=workers)

    def work() -> dict[str, Any]:
        with tempfile.TemporaryDirectory(dir=folder) as out:  # a fresh cache each time
            report = extract_features(folder / "clips", Path(out) / "store", settings)
        return {"files": report.rows}

    return work


def _free_box(number: int) -> bytes:
    """An empty box at the end of an MP4 file, which every reader passes over."""
    return (12).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big")


def _decode(clips: list[Path]) -> Work:
    from mvr.config.paths import DEFAULT_SYSTEM
    from mvr.datatypes import Modality
    from mvr.embeddings.segments import segments_of
    from mvr.embeddings.system import load_system
    from mvr.media.probe import probe

    system = load_system(DEFAULT_SYSTEM)

    def work() -> dict[str, Any]:
        for clip in clips:
            duration_s = probe(clip).duration_s
            for modality in Modality:
                segments = segments_of(duration_s, modality, system.card.segments)
                system.backbone(modality).preprocess(clip, segments)
        return {"files": len(clips)}

    return work

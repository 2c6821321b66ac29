"""Tempo, beats and downbeats against known ones: clicks and patterns, rendered pieces, the demo tracks;
librosa beside.

Tempo counts as right within 4 %, its octave with factors 1/3, 1/2, 2/3, 3/2, 2 and 3. Beats and downbeats:
F within 70 ms (mir_eval, from 2 s on). Lag: median over pieces of the median distance of true beats to the
nearest found one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.timing.patterns import ACCENTED, Times, draw_patterns, play_pattern
from eval.timing.songs import BAR_BEATS, draw_songs
from eval.timing.trackers import Found, present_trackers
from mvr.config.paths import assets_dir
from mvr.datatypes import FloatArray, JsonDict
from mvr.signal.spectrum import SAMPLE_RATE_HZ

CLICKS_BPM = np.linspace(50, 220, 35)
_OCTAVES = (1.0, 2.0, 0.5, 3.0, 1 / 3, 1.5, 2 / 3)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Attributes: row of the report, sound, truth; `beats_s` and `downbeats_s` are None where only tempo is known."""

    row: str
    samples: FloatArray
    bpm: float
    beats_s: Times | None
    downbeats_s: Times | None
    bar_beats: int


def clicks() -> Iterable[Piece]:
    """Plain clicks and clicks with an accent on every fourth, 35 tempi each."""
    for number, bpm in enumerate(CLICKS_BPM):
        for kind in ("plain", "accent 4"):
            pattern = play_pattern(kind, float(bpm), 950_000 + number)
            yield Piece(
                row=f"clicks, {kind}", samples=pattern.samples, bpm=float(bpm), beats_s=pattern.beats_s,
                downbeats_s=None if kind == "plain" else pattern.downbeats_s, bar_beats=pattern.bar_beats,
            )  # fmt: skip


def patterns(count: int = 72) -> Iterable[Piece]:
    """All kinds of patterns at random tempi."""
    for pattern in draw_patterns(count, 97):
        if pattern.kind in ACCENTED:
            yield Piece(
                row=f"pattern, {pattern.kind}", samples=pattern.samples, bpm=pattern.bpm,
                beats_s=pattern.beats_s, downbeats_s=pattern.downbeats_s, bar_beats=pattern.bar_beats,
            )  # fmt: skip


def songs(per_genre: int = 2) -> Iterable[Piece]:
    """Rendered pieces of seeds that nothing was fitted on, and the demo tracks (their tempo alone is written down)."""
    from mvr.media.sound import read_sound

    for song in draw_songs(per_genre, 960_000):
        yield Piece(
            row="generated music", samples=song.samples, bpm=song.bpm, beats_s=song.beats_s,
            downbeats_s=song.downbeats_s, bar_beats=BAR_BEATS,
        )  # fmt: skip
    folder = assets_dir() / "demo"
    for entry in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["items"]:
        if entry["kind"] == "track":
            yield Piece(
                row="demo tracks", samples=read_sound(Path(folder / entry["file"]), SAMPLE_RATE_HZ),
                bpm=entry["tempo_bpm"], beats_s=None, downbeats_s=None, bar_beats=BAR_BEATS,
            )  # fmt: skip


def measure_rhythm() -> JsonDict:
    """Rows of each tracker by kind of piece, and the CPU seconds that a minute of music takes."""
    trackers, missing = present_trackers()
    scores: dict[str, dict[str, list[dict[str, float]]]] = {name: {} for name in trackers}
    spent_s, heard_s = dict.fromkeys(trackers, 0.0), 0.0
    warm = play_pattern("rock", 100, 1).samples
    for track in trackers.values():
        track(warm)  # librosa compiles at its first call
    for piece in (*clicks(), *patterns(), *songs()):
        heard_s += len(piece.samples) / SAMPLE_RATE_HZ
        for name, track in trackers.items():
            begin = time.process_time()
            found = track(piece.samples)
            spent_s[name] += time.process_time() - begin
            scores[name].setdefault(piece.row, []).append(_score(piece, found))
    rows = {name: {row: _mean(each) for row, each in by.items()} for name, by in scores.items()}
    for by in rows.values():
        by["mean of rows"] = _mean(list(by.values()))
    return {
        "rows": rows,
        "not_installed": missing,
        "cpu_s_per_minute": {name: round(60 * spent / heard_s, 4) for name, spent in spent_s.items()},
        "what_counts_as_the_beat": "of swing the quarter, of 6/8 the dotted quarter",
    }


def _score(piece: Piece, found: Found) -> dict[str, float]:
    import mir_eval

    ratio = found.bpm / piece.bpm
    score = {
        "tempo": float(abs(ratio - 1) <= 0.04),
        "octave": float(any(abs(ratio / octave - 1) <= 0.04 for octave in _OCTAVES)),
    }
    if piece.beats_s is not None:
        trim = mir_eval.beat.trim_beats
        beats = trim(found.beats_s)
        score["beat_f"] = float(mir_eval.beat.f_measure(trim(piece.beats_s), beats)) if len(beats) else 0.0
        if len(beats):
            nearest = beats[np.abs(piece.beats_s[2:-2, None] - beats).argmin(axis=1)]
            score["lag_ms"] = 1000 * float(np.median(nearest - piece.beats_s[2:-2]))
    if piece.downbeats_s is not None and found.downbeats_s is not None:
        downbeats = trim(found.downbeats_s)
        truth = trim(piece.downbeats_s)
        score["downbeat_f"] = float(mir_eval.beat.f_measure(truth, downbeats)) if len(downbeats) else 0.0
        score["bar_length"] = float(found.bar_beats == piece.bar_beats)
    return score


def _mean(scores: list[dict[str, float]]) -> dict[str, float]:
    names = {name: None for score in scores for name in score}
    row: dict[str, float] = {}
    for name in names:
        values = [score[name] for score in scores if name in score]
        row[name] = round(float(np.median(values) if name == "lag_ms" else np.mean(values)), 4)
    return row

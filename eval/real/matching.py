"""Does a video segment's other-time soundtrack rank above other music more often than chance?

Query: the pictures of segment i of a real video. Target: the sound of segment j != i of the same video, which
the query never saw. Distractors: the middle segment of every other music and of every other work. The value is the
percentile of the target, the share of distractors that it beats (half for a tie): 0.5 is chance. Intervals redraw
works.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.real.clips import Clip, Shelf
from mvr.datatypes import Modality, Segment, branch_weights, mix_branches
from mvr.embeddings.mixed import MixedSystem
from mvr.embeddings.system import System
from mvr.metrics.significance import Interval, Resampling, cluster_bootstrap

Vectors = npt.NDArray[np.float32]
Table = npt.NDArray[Any]
_TWO_SIDED_Z, _POWER_Z = 1.960, 0.842  # 5 % two-sided; power 80 %


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Percentiles of one system at one alpha: (Q,) values of `source` (Q,) and `clip` (Q,), and their interval."""

    system: str
    alpha: float
    values: npt.NDArray[np.float64]
    sources: list[str]
    clips: list[str]
    interval: Interval

    @property
    def needed(self) -> int:
        """See `works_needed`."""
        return works_needed(np.array(list(self.by_source().values())))

    def by_source(self) -> dict[str, float]:
        """Mean percentile per source video."""
        sources = np.array(self.sources)
        return {str(name): float(self.values[sources == name].mean()) for name in np.unique(sources)}


@dataclass(frozen=True)
class _Sounds:
    """Embeddings (n, B, D) of one system, or of one member of a mixture: its own clips, and rival sounds."""

    pictures: list[Vectors]
    sounds: list[Vectors]
    music: Vectors
    weight: float
    alpha: float | None


def match(
    system: System, shelf: Shelf, clips: list[Clip], music: list[Clip], alphas: tuple[float, ...]
) -> list[Matching]:
    """One `Matching` per alpha; files are embedded once. Other works' sounds are rivals beside the music."""
    parts = [_embedded(part, shelf, clips, music, weight, alpha) for part, weight, alpha in _members(system)]
    found = []
    for alpha in alphas if system.alpha else (0.0,):
        values, names, files = [], [], []
        for at, clip in enumerate(clips):
            rivals = _rivals_of(clips, at)
            tables = [_scores(part, at, rivals, alpha) for part in parts]
            scores = shares_beaten(*added_up(tables, [part.weight for part in parts]))
            values += scores
            names += [clip.source] * len(scores)
            files += [clip.path.name] * len(scores)
        column = np.array(values)
        interval = source_interval(column, names)
        found.append(
            Matching(
                system=system.name, alpha=alpha, values=column, sources=names, clips=files, interval=interval
            )
        )
    return found


def _members(system: System) -> list[tuple[System, float, float | None]]:
    """(system, weight, its fixed alpha) of each member; of no mixture, the system itself at any alpha."""
    if isinstance(system, MixedSystem):
        return [(member.system, member.weight, member.alpha) for member in system.members]
    return [(system, 1.0, None)]


def _embedded(
    system: System, shelf: Shelf, clips: list[Clip], music: list[Clip], weight: float, alpha: float | None
) -> _Sounds:
    return _Sounds(
        pictures=[shelf.embed(system, clip, Modality.VIDEO) for clip in clips],
        sounds=[shelf.embed(system, clip, Modality.AUDIO) for clip in clips],
        music=np.concatenate([shelf.embed(system, track, Modality.AUDIO, middle(track)) for track in music]),
        weight=weight,
        alpha=alpha,
    )


def _rivals_of(clips: list[Clip], at: int) -> list[int]:
    """One clip of every other work: the first of each."""
    first: dict[str, int] = {}
    for number, clip in enumerate(clips):
        if clip.source != clips[at].source:
            first.setdefault(clip.source, number)
    return list(first.values())


def _scores(part: _Sounds, at: int, rivals: list[int], alpha: float) -> tuple[Table, Table]:
    """Cosines of the pictures of a clip with its own sounds (S, S) and with the rivals (S, N)."""
    used = part.alpha if part.alpha is not None else alpha
    weights = branch_weights(used, part.music.shape[1])
    others = [part.sounds[number][len(part.sounds[number]) // 2][None] for number in rivals]
    seen, heard = (mix_branches(side[at], weights) for side in (part.pictures, part.sounds))
    return seen @ heard.T, seen @ mix_branches(np.concatenate([part.music, *others]), weights).T


def added_up(tables: list[tuple[Table, Table]], weights: list[float]) -> tuple[Table, Table]:
    """Scores of several systems, each less the mean of its rivals over their spread; of one system, as they are."""
    if len(tables) == 1:
        return tables[0]
    target, others = np.zeros(()), np.zeros(())
    for (own, rival), weight in zip(tables, weights, strict=True):
        mean, spread = rival.mean(axis=1, keepdims=True), rival.std(axis=1, keepdims=True)
        target = target + weight * (own - mean) / spread
        others = others + weight * (rival - mean) / spread
    return target, others


def middle(track: Clip) -> tuple[Segment, ...]:
    """The middle segment of a track."""
    return (track.segments[len(track.segments) // 2],)


def percentiles(
    seen: npt.NDArray[np.float32], heard: npt.NDArray[np.float32], rivals: npt.NDArray[np.float32]
) -> list[float]:
    """Percentile of sound j among the rivals for pictures i, all i != j.

    Args:
        seen, heard: (S, D) of the same segments.   rivals: (N, D).

    >>> one = np.eye(2, dtype=np.float32)
    >>> percentiles(one, one[::-1], np.array([[0.5, 0.5], [1, 1]], np.float32))
    [0.75, 0.75]
    """
    return shares_beaten(seen @ heard.T, seen @ rivals.T)


def shares_beaten(target: Table, others: Table) -> list[float]:
    """Share of rivals (S, N) that the own sound j of pictures i (S, S) beats, half for a tie; all i != j."""
    return [
        float(np.mean(target[i, j] > others[i]) + 0.5 * np.mean(target[i, j] == others[i]))
        for i in range(len(target))
        for j in range(target.shape[1])
        if i != j
    ]


def source_interval(values: npt.NDArray[np.float64], sources: list[str]) -> Interval:
    """Mean over sources of their means, so that a long film counts once, and its 95 % bootstrap interval."""
    names = np.array(sources)
    means = np.array([values[names == name].mean() for name in np.unique(names)])
    return cluster_bootstrap(means, np.arange(len(means)), Resampling())[0]


def works_needed(means: npt.NDArray[np.float64], gain: float = 0.05) -> int:
    """How many works would show a mean `gain` above chance in four of five repetitions, two-sided at 5 %.

    Args:
        means: (W,) mean percentile of each work.
        gain: percentile above .5 that is to be shown.

    >>> works_needed(np.array([0.4, 0.5, 0.6, 0.7]))
    53
    """
    spread = float(means.std(ddof=1)) if len(means) > 1 else float("nan")
    return math.ceil(((_TWO_SIDED_Z + _POWER_Z) * spread / gain) ** 2) if math.isfinite(spread) else 0

"""Does a video segment's other-time soundtrack rank above other music more often than chance?

Query: the pictures of segment i of a real video. Target: the sound of segment j != i of the same video, which
the query never saw. Distractors: the middle segment of every other music. The value is the percentile of the
target, the share of distractors that it beats (half for a tie): 0.5 is chance. Intervals redraw source videos.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.real.clips import Clip, Shelf
from mvr.datatypes import Modality, Segment, branch_weights, mix_branches
from mvr.embeddings.system import System
from mvr.metrics.significance import Interval, Resampling, cluster_bootstrap


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Percentiles of one system at one alpha: (Q,) values of `source` (Q,) and `clip` (Q,), and their interval."""

    system: str
    alpha: float
    values: npt.NDArray[np.float64]
    sources: list[str]
    clips: list[str]
    interval: Interval

    def by_source(self) -> dict[str, float]:
        """Mean percentile per source video."""
        sources = np.array(self.sources)
        return {str(name): float(self.values[sources == name].mean()) for name in np.unique(sources)}


def match(
    system: System, shelf: Shelf, clips: list[Clip], music: list[Clip], alphas: tuple[float, ...]
) -> list[Matching]:
    """One `Matching` per alpha; files are embedded once."""
    pictures = [shelf.embed(system, clip, Modality.VIDEO) for clip in clips]
    sounds = [shelf.embed(system, clip, Modality.AUDIO) for clip in clips]
    others = np.concatenate([shelf.embed(system, track, Modality.AUDIO, middle(track)) for track in music])
    found = []
    for alpha in alphas if system.alpha else (0.0,):
        weights = branch_weights(alpha, len(system.branches))
        rivals = mix_branches(others, weights)
        values, names, files = [], [], []
        for clip, seen, heard in zip(clips, pictures, sounds, strict=True):
            scores = percentiles(mix_branches(seen, weights), mix_branches(heard, weights), rivals)
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
    target, others = seen @ heard.T, seen @ rivals.T
    return [
        float(np.mean(target[i, j] > others[i]) + 0.5 * np.mean(target[i, j] == others[i]))
        for i in range(len(seen))
        for j in range(len(heard))
        if i != j
    ]


def source_interval(values: npt.NDArray[np.float64], sources: list[str]) -> Interval:
    """Mean over sources of their means, so that a long film counts once, and its 95 % bootstrap interval."""
    names = np.array(sources)
    means = np.array([values[names == name].mean() for name in np.unique(names)])
    return cluster_bootstrap(means, np.arange(len(means)), Resampling())[0]

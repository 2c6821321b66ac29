"""Checks of known direction: change a real clip in one way and see where its ten best tracks go.

    faster      played at double speed          -> busier and faster music
    dark, slow  at half speed and 40 % light    -> calmer music
    grey        without colour                  -> about the same tempo

Music is measured by its onset rate (1/s), tempo (bpm) and sustain (cosine of spectra 0.1 s apart), which the
descriptors name; a value is the mean over the ten best tracks less the same for the unchanged clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.real.clips import Clip, Shelf
from eval.real.matching import source_interval
from mvr.backbones.descriptors import MusicDescriptors
from mvr.datatypes import Modality, Segment, branch_weights, mix_branches
from mvr.embeddings.system import System
from mvr.media.ffmpeg import input_arguments, run_ffmpeg
from mvr.media.limits import MediaLimits
from mvr.media.probe import probe
from mvr.metrics.significance import Interval

LENGTH_S = 12.0
BEST = 10
CHANGES = {
    "unchanged": "null",
    "faster": "setpts=0.5*PTS",
    "dark and slow": "setpts=2*PTS,lutrgb=r=val*0.4:g=val*0.4:b=val*0.4",
    "grey": "hue=s=0",
}
MEASURES = {"onset rate": "rhythm.onset_rate", "tempo": "rhythm.tempo", "sustain": "harmony.sustain"}


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Where one change moved the best tracks of all clips, in one measure.

    Attributes:
        per_clip: file name -> change of the mean.   interval: mean over source videos and its 95 % interval.
    """

    system: str
    alpha: float
    change: str
    measure: str
    per_clip: dict[str, float]
    interval: Interval


def change_clips(clips: list[Clip], folder: Path) -> dict[str, list[Clip]]:
    """The first `LENGTH_S` seconds of the clips' pictures under every change of `CHANGES`, as MP4 files in `folder`."""
    changed: dict[str, list[Clip]] = {change: [] for change in CHANGES}
    for change, effect in CHANGES.items():
        for clip in clips:
            out = folder / f"{clip.path.stem} {change}.mp4"
            chain = f"trim=duration={LENGTH_S},setpts=PTS-STARTPTS,format=rgb24,scale=320:-2,{effect}"
            encode = [
                "-an",
                "-r",
                "24",
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-crf",
                "14",
                "-pix_fmt",
                "yuv420p",
            ]
            command = [*input_arguments(clip.path, MediaLimits()), "-vf", chain, *encode, str(out)]
            run_ffmpeg(command, clip.path, timeout_s=300)
            duration_s = probe(out, needs=("picture",)).duration_s
            whole = (Segment(start_s=0.0, end_s=duration_s),)
            changed[change].append(Clip(path=out, source=clip.source, duration_s=duration_s, segments=whole))
    return changed


def measure_music(music: list[Clip]) -> dict[str, npt.NDArray[np.float64]]:
    """Each measure of every track, (N,), mean over its segments; tempo in bpm."""
    backbone = MusicDescriptors()
    names = [dimension.name for dimension in backbone.dimensions()]
    rows = np.stack([backbone.encode(backbone.preprocess(t.path, t.segments)).mean(axis=0) for t in music])
    columns = {measure: rows[:, names.index(name)].astype(np.float64) for measure, name in MEASURES.items()}
    columns["tempo"] = 120 * 2 ** columns["tempo"]
    return columns


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What all systems share: changed clips, music and its measures, features."""

    changed: dict[str, list[Clip]]
    music: list[Clip]
    measures: dict[str, npt.NDArray[np.float64]]
    shelf: Shelf


def shifts(system: System, experiment: Experiment, alphas: tuple[float, ...]) -> list[Shift]:
    """Every change but "unchanged", in every measure, at every alpha."""
    clips, shelf = experiment.changed["unchanged"], experiment.shelf
    tracks = np.stack([shelf.embed(system, t, Modality.AUDIO).mean(axis=0) for t in experiment.music])
    pictures = {
        change: np.concatenate([shelf.embed(system, clip, Modality.VIDEO) for clip in changed])
        for change, changed in experiment.changed.items()
    }
    found = []
    for alpha in alphas if system.alpha else (0.0,):
        weights = branch_weights(alpha, len(system.branches))
        mixed = mix_branches(tracks, weights)
        best = {
            change: np.argsort(-(mix_branches(vectors, weights) @ mixed.T), axis=1, kind="stable")[:, :BEST]
            for change, vectors in pictures.items()
        }
        for change in list(CHANGES)[1:]:
            for measure, values in experiment.measures.items():
                moved = values[best[change]].mean(axis=1) - values[best["unchanged"]].mean(axis=1)
                per_clip = {
                    clip.path.stem.rsplit(" ", 1)[0]: float(m) for clip, m in zip(clips, moved, strict=True)
                }
                interval = source_interval(moved, [clip.source for clip in clips])
                found.append(
                    Shift(
                        system=system.name, alpha=alpha, change=change, measure=measure, per_clip=per_clip,
                        interval=interval,
                    )
                )  # fmt: skip
    return found

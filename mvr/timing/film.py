"""What is measured once of a clip: cuts, fades, flashes, change of the picture and its novelty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mvr.datatypes import FloatArray, JsonDict, Times
from mvr.signal.curves import FINE, binned, bins_of, fine_curve, novelty, standing_out
from mvr.signal.cuts import find_cuts
from mvr.signal.picture import Changes, Watcher, find_fades, find_flashes

_FINE_STEP_S = 0.07  # between frames, at most, for a fine curve


@dataclass(frozen=True, kw_only=True)
class FilmTiming:
    """Attributes, times in seconds from the start of the file, curves at 8 Hz:
    duration_s: length of the picture.   cuts_s: first frames after cuts.
    fades_s: (start, end) of stretches that fade into or out of black.
    flashes_s: frames much brighter than those around.
    energy: (N,) log of 1 + change of luma per frame.   novelty: (3, N), half widths of 0.5, 2 and 4 s.
    motion: (4 N,) energy at 32 Hz as it stands out from what is around, 0 throughout where frames are too far apart.
    """

    duration_s: float
    cuts_s: Times
    fades_s: tuple[tuple[float, float], ...]
    flashes_s: Times
    energy: FloatArray
    novelty: FloatArray
    motion: FloatArray

    def to_json(self) -> JsonDict:
        """What a list says of it: no curves."""
        return {
            "cuts_s": [round(float(time), 3) for time in self.cuts_s],
            "fades_s": [[round(start, 3), round(end, 3)] for start, end in self.fades_s],
            "flashes_s": [round(float(time), 3) for time in self.flashes_s],
        }


def film_timing(changes: Changes, duration_s: float | None = None) -> FilmTiming:
    """Curves of what a `Watcher` saw; `duration_s` where the picture is shown longer than its last frame says."""
    times = changes.times_s
    step_s = float(np.median(np.diff(times))) if len(times) > 1 else 0.04
    length_s = max(float(times[-1]) + step_s if len(times) else 0.0, duration_s or 0.0)
    bins = bins_of(length_s)
    if len(times) == 0:
        energy, rows = np.zeros(bins, np.float32), np.zeros((bins, 36), np.float32)
    else:
        energy = np.log1p(binned(changes.energy, times, bins))
        rows = binned(changes.features, times, bins)
    motion = np.zeros(FINE * bins, np.float32)
    if len(times) > 1 and step_s <= _FINE_STEP_S:
        motion = standing_out(fine_curve(np.log1p(changes.energy), times, bins))
    spread = float(np.sqrt(rows.var(axis=0).sum()))
    return FilmTiming(
        duration_s=length_s, cuts_s=find_cuts(changes), fades_s=tuple(find_fades(changes)),
        flashes_s=find_flashes(changes), energy=energy, novelty=novelty(rows / max(spread, 1.0)),
        motion=motion,
    )  # fmt: skip


def measure_film_file(path: Path | str, progress: Callable[[float], None] | None = None) -> FilmTiming:
    """Measure a file's picture in one decode. Raises MediaError."""
    from mvr.media.watching import watch_pictures

    watcher = Watcher()
    watch_pictures(path, watcher.see, progress=progress)
    return film_timing(watcher.changes())

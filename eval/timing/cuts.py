"""Are cuts found? Painted films, those of the demo library and real clips joined, against PySceneDetect's
AdaptiveDetector on the same frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.timing.films.shots import KINDS, RATE_FPS, CutFilm, Pixels, draw_films, paint_film
from mvr.datatypes import JsonDict
from mvr.signal.cuts import find_cuts
from mvr.signal.picture import THUMB_PX, Watcher, points_of_thumb

TOLERANCE_S = 0.06  # one frame and rounding
Times = npt.NDArray[np.float64]
Detector = Callable[[Pixels, float], Times]  # frames, and how many of them a second


@dataclass
class Count:
    """Hits, false alarms and misses."""

    hits: int = 0
    false: int = 0
    missed: int = 0

    def add(self, truth: Times, found: Times) -> None:
        """Count one film: each true cut may be hit once."""
        left = list(found)
        for cut in truth:
            near = [other for other in left if abs(other - cut) <= TOLERANCE_S]
            if near:
                left.remove(min(near, key=lambda other: abs(other - cut)))
                self.hits += 1
            else:
                self.missed += 1
        self.false += len(left)

    @property
    def f1(self) -> float | None:
        """None where there was nothing to find and nothing was found."""
        total = 2 * self.hits + self.false + self.missed
        return 2 * self.hits / total if total else None

    def to_json(self) -> JsonDict:
        """JSON-able form."""
        f1 = self.f1
        return {
            "hits": self.hits, "false": self.false, "missed": self.missed, "f1": None if f1 is None else round(f1, 4)
        }  # fmt: skip


def our_cuts(frames: Pixels, rate_fps: float = RATE_FPS) -> Times:
    """By `mvr.signal.picture` on thumbnails of the frames."""
    watcher = Watcher()
    for number, thumb in enumerate(thumbs_of(frames)):
        watcher.see(number / rate_fps, points_of_thumb(thumb))
    return find_cuts(watcher.changes())


def thumbs_of(frames: Pixels) -> Pixels:
    """Frames as (N, 27, 48, 3) luma, Cb, Cr (BT.601, full range)."""
    wide, high = THUMB_PX
    down = ((np.arange(high) + 0.5) * frames.shape[1] / high).astype(int)
    across = ((np.arange(wide) + 0.5) * frames.shape[2] / wide).astype(int)
    r, g, b = np.moveaxis(frames[:, down][:, :, across].astype(np.float32), -1, 0)
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    thumbs = np.stack([luma, 128 + 0.564 * (b - luma), 128 + 0.713 * (r - luma)], axis=-1)
    pixels: Pixels = np.clip(np.rint(thumbs), 0, 255).astype(np.uint8)
    return pixels


def adaptive_cuts(frames: Pixels, rate_fps: float = RATE_FPS) -> Times:
    """By PySceneDetect's `AdaptiveDetector()` with its defaults."""
    from scenedetect import FrameTimecode
    from scenedetect.detectors import AdaptiveDetector

    detector, found = AdaptiveDetector(), []
    for number, frame in enumerate(frames):
        found += detector.process_frame(
            FrameTimecode(number, rate_fps), np.ascontiguousarray(frame[..., ::-1])
        )
    found += detector.post_process(FrameTimecode(len(frames) - 1, rate_fps))
    return np.array([each.seconds for each in found], np.float64)


DETECTORS: dict[str, Detector] = {"mvr": our_cuts, "AdaptiveDetector": adaptive_cuts}


def compare_cuts(films: Iterable[CutFilm]) -> JsonDict:
    """Counts of each detector by kind of film, and in all."""
    counts: dict[str, dict[str, Count]] = {name: {} for name in DETECTORS}
    for film in films:
        for name, detect in DETECTORS.items():
            found = detect(film.frames, film.rate_fps)
            for key in (film.kind, "all"):
                counts[name].setdefault(key, Count()).add(film.cuts_s, found)
    return {name: {key: count.to_json() for key, count in by.items()} for name, by in counts.items()}


def quiet_windows(count: int, seed: int) -> Iterable[CutFilm]:
    """`count` windows of one second of a single shot each, every kind in turn."""
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        rng = np.random.default_rng([seed, 7, number])
        yield paint_film(kind, rng, shots=1, length=round(RATE_FPS))


def measure_cuts(
    more: Iterable[CutFilm] = (), films_per_kind: int = 6, windows: int = 200, seed: int = 61
) -> JsonDict:
    """The rows of the report; `more`: films that are counted by themselves."""
    document = compare_cuts(draw_films(films_per_kind, seed))
    for name, by in compare_cuts(more).items():
        document[name] |= {kind: count for kind, count in by.items() if kind != "all"}
    quiet = compare_cuts(quiet_windows(windows, seed))
    return {
        "films": document,
        "windows_without_a_cut": {
            "windows": windows, **{name: by["all"]["false"] for name, by in quiet.items()}
        },
    }  # fmt: skip

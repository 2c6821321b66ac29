"""Real clips joined at known places: shots of 1.2 s from different works behind each other.

Films have cuts of their own that nobody wrote down, so a stretch in which either detector finds a cut by
itself is left out; what is counted then is the joins, and what is found anywhere else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from eval.timing.cuts import DETECTORS
from eval.timing.films.shots import HIGH, RATE_FPS, WIDE, CutFilm, Pixels
from eval.timing.offsets import find_clips
from mvr.errors import MvrError
from mvr.media.container import open_media
from mvr.media.frames import open_picture, times_of
from mvr.media.limits import DEFAULT_LIMITS

SHOT_FRAMES = 30
MOST_S, EVERY_S = 30.0, 3.0


def read_pixels(path: Path, most_s: float = MOST_S, rate_fps: float = RATE_FPS) -> Pixels:
    """Frames (N, 72, 128, 3) at so many a second, the newest at each moment.

    Raises:
        MediaError: it cannot be decoded.
    """
    times: list[float] = []
    frames: list[Pixels] = []
    with open_media(path, DEFAULT_LIMITS) as media:
        for time_s, frame in times_of(media, open_picture(media)):
            if time_s > most_s:
                break
            times.append(time_s)
            frames.append(frame.reformat(WIDE, HIGH, "rgb24").to_ndarray().astype(np.uint8, copy=False))
    if not frames:
        return np.zeros((0, HIGH, WIDE, 3), np.uint8)
    moments = np.arange(times[0], times[-1], 1 / rate_fps)
    return np.stack(frames)[np.searchsorted(times, moments + 1e-6, side="right") - 1]


def single_shots(frames: Pixels) -> list[Pixels]:
    """Stretches of 1.2 s, one in three seconds, in which no detector finds a cut."""
    starts = range(0, len(frames) - SHOT_FRAMES, round(EVERY_S * RATE_FPS))
    parts = [frames[start : start + SHOT_FRAMES] for start in starts]
    return [part for part in parts if not any(len(detect(part, RATE_FPS)) for detect in DETECTORS.values())]


def joined_films(folder: Path, films: int = 60, shots: int = 8, seed: int = 67) -> Iterable[CutFilm]:
    """Films of shots, neighbours from different works, drawn anew for each film."""
    works: dict[str, list[Pixels]] = {}
    for path, work in find_clips(folder).items():
        with contextlib.suppress(MvrError, OSError):
            works.setdefault(work, []).extend(single_shots(read_pixels(path)))
    names = [work for work, found in works.items() if found]
    if len(names) < 2:
        return
    rng = np.random.default_rng(seed)
    for _ in range(films):
        parts: list[Pixels] = []
        last = ""
        for _ in range(shots):
            last = str(rng.choice([name for name in names if name != last]))
            parts.append(works[last][int(rng.integers(len(works[last])))])
        cuts = SHOT_FRAMES * np.arange(1, shots) / RATE_FPS
        yield CutFilm(kind="real clips, joined", frames=np.concatenate(parts), cuts_s=cuts)

"""Films of the kinds that detectors of cuts stumble over, painted as `shots` paints:
25 frames a second where nothing else is said.

What changes a part of the picture (words, windows, one half of a split screen) is no cut, and neither is what falls
back after a beat, a dissolve or a camera that swings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from eval.timing.films.shots import HIGH, RATE_FPS, WIDE, CutFilm, paint_shot

Frames = npt.NDArray[np.float64]
Painted = tuple[list[Frames], float]  # shots, and frames a second


def odd_films(per_kind: int, seed: int) -> Iterable[CutFilm]:
    """`per_kind` films of each kind."""
    for place, kind in enumerate(ODD_KINDS):
        for number in range(per_kind):
            yield odd_film(kind, np.random.default_rng([seed, 100 + place, number]))


def odd_film(kind: str, rng: np.random.Generator) -> CutFilm:
    """One film of a kind of `ODD_KINDS`."""
    shots, rate_fps = ODD_KINDS[kind](rng)
    film = np.concatenate(shots)
    if kind != "shown twice":
        film = film + rng.normal(0, 1.5, film.shape)
    starts = np.cumsum([len(shot) for shot in shots])[:-1]
    frames = np.clip(film, 0, 255).astype(np.uint8)
    return CutFilm(kind=kind, frames=frames, cuts_s=starts / rate_fps, rate_fps=rate_fps)


def _shot(rng: np.random.Generator, length: int, *, fast: bool = False) -> Frames:
    return paint_shot(rng, length, rng.uniform(10, 245, (3, 3)), fast)


def _lengths(rng: np.random.Generator, count: int = 7, least: int = 14, most: int = 50) -> list[int]:
    return [int(length) for length in rng.integers(least, most, count)]


def _fast_on_one_side(rng: np.random.Generator) -> Painted:
    return [_shot(rng, length, fast=bool(place % 2)) for place, length in enumerate(_lengths(rng))], RATE_FPS


def _swings(rng: np.random.Generator) -> Painted:
    shots = []
    for _ in range(5):
        wide = scipy.ndimage.zoom(_shot(rng, 1)[0], (1, 6, 1), order=1)
        swing = 20 + np.cumsum(np.full(int(rng.integers(4, 9)), rng.uniform(15, 45)))
        left = np.concatenate([np.arange(20.0), swing, swing[-1] + np.arange(20.0)]).astype(int)
        left = np.minimum(left, wide.shape[1] - WIDE - 1)
        shots.append(np.stack([wide[:, at : at + WIDE] for at in left]))
    return shots, RATE_FPS


def _shaken(rng: np.random.Generator) -> Painted:
    shots = []
    for length in _lengths(rng):
        still, reach = _shot(rng, 1)[0], int(rng.integers(2, 8))
        moves = rng.integers(-reach, reach + 1, (length, 2))
        shots.append(np.stack([np.roll(still, (int(down), int(across)), (0, 1)) for down, across in moves]))
    return shots, RATE_FPS


def _zoomed(rng: np.random.Generator) -> Painted:
    shots = []
    for length in _lengths(rng):
        large, rate = scipy.ndimage.zoom(_shot(rng, 1)[0], (4, 4, 1), order=1), rng.uniform(0.01, 0.08)
        sizes = [min(float(np.exp(rate * place)), 6.0) for place in range(length)]
        shots.append(np.stack([_enlarged(large, size) for size in sizes]))
    return shots, RATE_FPS


def _enlarged(large: Frames, size: float) -> Frames:
    high, wide = large.shape[:2]
    down = (high * (0.5 + ((np.arange(HIGH) + 0.5) / HIGH - 0.5) / size)).astype(int)
    across = (wide * (0.5 + ((np.arange(WIDE) + 0.5) / WIDE - 0.5) / size)).astype(int)
    seen: Frames = large[down][:, across]
    return seen


def _things_on_beats(rng: np.random.Generator) -> Painted:
    shots, beat = [], int(rng.integers(6, 14))
    for length in _lengths(rng, 3, 50, 100):
        frames = np.repeat(_shot(rng, 1), length, axis=0)
        for at in range(beat, length, beat):
            high, wide = int(rng.integers(6, 20)), int(rng.integers(10, 45))
            top, left = int(rng.integers(0, HIGH - high)), int(rng.integers(0, WIDE - wide))
            frames[at:, top : top + high, left : left + wide] = rng.uniform(0, 255, 3)
        shots.append(frames)
    return shots, RATE_FPS


def _pulsing(rng: np.random.Generator) -> Painted:
    length, beat, count = 200, float(rng.uniform(8, 16)), int(rng.integers(4, 10))
    down, across = np.mgrid[:HIGH, :WIDE]
    things = rng.uniform((0, 0, 6), (HIGH, WIDE, 26), (count, 3))
    colours, ground, reach = rng.uniform(0, 255, (count, 3)), rng.uniform(0, 255, 3), rng.uniform(0.15, 0.5)
    frames = np.zeros((length, HIGH, WIDE, 3)) + ground
    for place, frame in enumerate(frames):
        pulse = np.exp(-4.5 * ((place / beat) % 1))
        for number, (y, x, radius) in enumerate(things):
            grown = radius * (1 + reach * pulse * (1 if number % 2 else -0.4))
            away = np.hypot(down - y - 5 * np.sin(0.03 * place + number), across - x - 0.1 * place)
            frame[away < grown] = colours[number]
    return [frames], RATE_FPS


def _split(rng: np.random.Generator) -> Painted:
    shots = []
    for length in _lengths(rng, 4, 40, 70):
        frames, other, half = _shot(rng, length), _shot(rng, length), length // 2
        other[half:] = _shot(rng, length - half)
        frames[:, :, WIDE // 2 :] = other[:, :, WIDE // 2 :]
        shots.append(frames)
    return shots, RATE_FPS


def _window(rng: np.random.Generator) -> Painted:
    length, high, wide = 140, 30, 50
    frames = np.repeat(_shot(rng, 1), length, axis=0)
    top, left = int(rng.integers(0, HIGH - high)), int(rng.integers(0, WIDE - wide))
    at = 0
    while at < length:
        inner = _shot(rng, int(rng.integers(15, 45)))[: length - at, :high, :wide]
        frames[at : at + len(inner), top : top + high, left : left + wide] = inner
        at += len(inner)
    return [frames], RATE_FPS


def _dissolves(rng: np.random.Generator) -> Painted:
    long = int(rng.integers(6, 24))
    film = _shot(rng, 40)
    for length in _lengths(rng, 5, 34, 60):
        into, share = _shot(rng, length), np.linspace(0, 1, long + 2)[1:-1, None, None, None]
        mixed = film[-long:] * (1 - share) + into[:long] * share
        film = np.concatenate([film[:-long], mixed, into[long:]])
    return [film], RATE_FPS


def _letterbox(rng: np.random.Generator) -> Painted:
    shots = [_shot(rng, length, fast=bool(rng.integers(2))) for length in _lengths(rng)]
    for frames in shots:
        frames[:, :12], frames[:, -12:] = 0, 0
    return shots, RATE_FPS


def _pillarbox(rng: np.random.Generator) -> Painted:
    shots = [_shot(rng, length) for length in _lengths(rng)]
    for frames in shots:
        frames[:, :, :44], frames[:, :, -44:] = 0, 0
    return shots, RATE_FPS


def _quick(rng: np.random.Generator) -> Painted:
    return [
        _shot(rng, length, fast=bool(rng.random() < 0.3)) for length in _lengths(rng, 16, 4, 12)
    ], RATE_FPS


def _ten_a_second(rng: np.random.Generator) -> Painted:
    fast = [bool(rng.integers(2)) for _ in range(8)]
    return [_shot(rng, 2 * n, fast=f)[::2] for f, n in zip(fast, _lengths(rng, 8, 6, 24), strict=True)], 10.0


def _sixty_a_second(rng: np.random.Generator) -> Painted:
    return [_shot(rng, length, fast=bool(rng.integers(2))) for length in _lengths(rng, 6, 20, 60)], 60.0


def _shown_twice(rng: np.random.Generator) -> Painted:
    shots = [_shot(rng, length, fast=bool(rng.integers(2))) for length in _lengths(rng)]
    return [np.repeat(shot + rng.normal(0, 1.5, shot.shape), 2, axis=0) for shot in shots], RATE_FPS


ODD_KINDS: dict[str, Callable[[np.random.Generator], Any]] = {
    "fast on one side": _fast_on_one_side,
    "camera swings": _swings,
    "camera shakes": _shaken,
    "zooms": _zoomed,
    "things on beats": _things_on_beats,
    "pulsing on beats": _pulsing,
    "split screen": _split,
    "window in it": _window,
    "dissolves": _dissolves,
    "letterbox": _letterbox,
    "pillarbox": _pillarbox,
    "quick shots": _quick,
    "10 a second": _ten_a_second,
    "60 a second": _sixty_a_second,
    "shown twice": _shown_twice,
}

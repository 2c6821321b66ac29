"""Films with known cuts, painted: textures under a moving camera, of like colours, dark, flashing, fading, fast.

Frames are (N, 72, 128, 3) uint8 RGB at 25 a second. A fade or a dissolve is no cut, and neither is a flash.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.ndimage

RATE_FPS = 25.0
HIGH, WIDE = 72, 128
Pixels = npt.NDArray[np.uint8]
KINDS = ("plain", "like colours", "dark", "flashes", "fades", "fast motion")


@dataclass(frozen=True, kw_only=True)
class CutFilm:
    """Attributes: kind.   frames: (N, 72, 128, 3).   cuts_s: times of the first frames after cuts.   rate_fps."""

    kind: str
    frames: Pixels
    cuts_s: npt.NDArray[np.float64]
    rate_fps: float = RATE_FPS


def draw_films(per_kind: int, seed: int, shots: int = 8) -> Iterable[CutFilm]:
    """`per_kind` films of each kind."""
    for place, kind in enumerate(KINDS):
        for number in range(per_kind):
            yield paint_film(kind, np.random.default_rng([seed, place, number]), shots)


def paint_film(kind: str, rng: np.random.Generator, shots: int = 8, length: int | None = None) -> CutFilm:
    """Shots behind each other, of `length` frames or of 0.5 to 2.4 s."""
    palette = rng.uniform(20, 235, (3, 3))
    parts: list[npt.NDArray[np.float64]] = []
    cuts: list[int] = []
    for shot in range(shots):
        frames_of_shot = length or int(rng.integers(12, 60))
        colours = palette if kind == "like colours" else rng.uniform(10, 245, (3, 3))
        frames = paint_shot(rng, frames_of_shot, colours, fast=kind == "fast motion")
        if kind == "flashes":
            frames = _flash(frames, rng)
        faded = kind == "fades" and shot > 0
        if faded:
            parts[-1], frames = fade_over(parts[-1], frames, dissolve=bool(rng.integers(2)))
        elif shot:
            cuts.append(sum(map(len, parts)))
        parts.append(frames)
    film = np.concatenate(parts)
    if kind == "dark":
        film = 16 + 0.13 * film
    film = film + rng.normal(0, 1.5, film.shape)
    return CutFilm(
        kind=kind, frames=np.clip(film, 0, 255).astype(np.uint8), cuts_s=np.array(cuts, np.float64) / RATE_FPS
    )


def paint_shot(
    rng: np.random.Generator, length: int, colours: npt.NDArray[np.float64], fast: bool = False
) -> npt.NDArray[np.float64]:
    """One shot: a texture in three colours, seen by a camera that moves and shakes: (length, 72, 128, 3)."""
    side = 420
    fields = [
        scipy.ndimage.zoom(rng.standard_normal((cells, cells)), side / cells, order=1)
        for cells in (7, 21, 50)
    ]
    shape = fields[0] + 0.6 * fields[1] + 0.25 * fields[2]
    share = np.clip((shape - shape.min()) / (shape.max() - shape.min()), 0, 1)[..., None]
    picture = np.where(share < 0.5, colours[0] + 2 * share * (colours[1] - colours[0]),
                       colours[1] + (2 * share - 1) * (colours[2] - colours[1]))  # fmt: skip
    speed = rng.uniform(5, 9) if fast else rng.uniform(0, 2.5)
    angle = rng.uniform(0, 2 * np.pi)
    way = np.arange(length)[:, None] * speed * np.array([np.sin(angle), np.cos(angle)])
    way = way + np.cumsum(rng.normal(0, 0.3, way.shape), axis=0)
    room = np.array([side - HIGH, side - WIDE])
    place = np.abs((way + rng.uniform(0, room)) % (2 * room) - room).astype(
        int
    )  # the camera turns at the edge
    return np.stack([picture[y : y + HIGH, x : x + WIDE] for y, x in np.minimum(place, room - 1)])


def _flash(frames: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    lit = frames.copy()
    for _ in range(2):
        at, long = int(rng.integers(2, max(3, len(frames) - 6))), int(rng.integers(1, 4))
        lit[at : at + long] = 255 - 0.25 * (255 - lit[at : at + long])
    return lit


def fade_over(
    before: npt.NDArray[np.float64], after: npt.NDArray[np.float64], *, dissolve: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Ten frames out and ten in, through black or into each other."""
    long = min(10, len(before), len(after))
    ramp = np.linspace(1, 0, long)[:, None, None, None]
    out, into = before.copy(), after.copy()
    if dissolve:
        out[-long:] = out[-long:] * (0.5 + ramp / 2) + into[0] * (0.5 - ramp / 2)
        into[:long] = into[:long] * (1 - ramp / 2) + before[-1] * ramp / 2
    else:
        out[-long:], into[:long] = out[-long:] * ramp, into[:long] * ramp[::-1]
    return out, into

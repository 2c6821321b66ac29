"""Films whose changes follow a known stretch of a track: is the stretch found?

A painted film moves faster where the music is louder and jumps at its onsets, and cuts where it is struck
and new; codec noise and a shaking camera go their own way. `kept` is the share of its changes (cuts, jumps,
and stretches of loudness) that follow the music; the others are drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from eval.timing.shots import RATE_FPS, Pixels
from eval.timing.songs import render_song
from mvr.datasets.synthetic.latents import GENRES
from mvr.datatypes import FloatArray, JsonDict
from mvr.signal.curves import CURVE_RATE_HZ
from mvr.signal.picture import Watcher
from mvr.timing.film import FilmTiming, film_timing
from mvr.timing.music import MusicTiming, measure_music, strongest_apart
from mvr.timing.sliding import STEP_S, score_starts

TRACK_S, FILM_S = 60.0, 18.0
FOUND_S = 0.5
CUTS = 9
_SIDE = 400


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Attributes: film.   track.   start_s: where in the track the film's changes are from."""

    film: FilmTiming
    track: MusicTiming
    start_s: float


def plant(genre: str, seed: int, kept: float) -> Planted:
    """A piece and a film painted to a stretch of it."""
    return plant_under(measure_music(render_song(genre, seed, TRACK_S).samples), seed, kept)


def plant_under(track: MusicTiming, seed: int, kept: float) -> Planted:
    """A film painted to a stretch of a track."""
    rng = np.random.default_rng([seed, 71])
    start_s = float(rng.integers(0, round((TRACK_S - FILM_S) / STEP_S))) * STEP_S
    watcher = Watcher()
    for number, thumb in enumerate(_paint(track, start_s, kept, rng)):
        watcher.see(number / RATE_FPS, thumb)
    return Planted(film=film_timing(watcher.changes(), FILM_S), track=track, start_s=start_s)


def _paint(track: MusicTiming, start_s: float, kept: float, rng: np.random.Generator) -> Pixels:
    """Thumbnails (N, 27, 48, 3) of a camera over textures."""
    count = round(FILM_S * RATE_FPS)
    times = start_s + np.arange(count) / RATE_FPS
    bins = np.minimum((times * CURVE_RATE_HZ).astype(int), len(track.onset) - 1)
    loud, onset = _share(track.loudness_db)[bins], _share(track.onset)[bins]
    shuffled = rng.permutation(len(track.onset))
    follows = np.repeat(rng.random(count // 25 + 1) < kept, 25)[:count]  # second by second
    loud = np.where(follows, loud, _share(track.loudness_db)[shuffled][bins])
    onset = np.where(follows, onset, _share(track.onset)[shuffled][bins])
    speed = 0.2 + 3.0 * loud + 9.0 * onset
    cuts = _cuts(track, start_s, kept, rng)
    angle, place = rng.uniform(0, 6.28), rng.uniform(0, _SIDE, 2)
    texture, frames = _texture(rng), []
    for number in range(count):
        if number in cuts:
            texture, angle, place = _texture(rng), rng.uniform(0, 6.28), rng.uniform(0, _SIDE, 2)
        place = place + speed[number] * np.array([np.sin(angle), np.cos(angle)]) + rng.normal(0, 0.1, 2)
        y, x = (np.abs(place % (2 * _SIDE) - _SIDE)).astype(int)
        frames.append(
            texture[y : y + 81 : 3, x : x + 144 : 3] * [1, 0.5, 0.5] + rng.normal(0, 0.5, (27, 48, 1))
        )
    return np.clip(np.stack(frames), 0, 255).astype(np.uint8)


def _share(curve: FloatArray) -> FloatArray:
    low, high = np.percentile(curve, [5, 98])
    share: FloatArray = np.clip((curve - low) / max(high - low, 1e-6), 0, 1)
    return share


def _cuts(track: MusicTiming, start_s: float, kept: float, rng: np.random.Generator) -> set[int]:
    """Frames that begin shots: moments of the stretch that are struck and new, some of them moved anywhere."""
    first, count = round(start_s * CURVE_RATE_HZ), round(FILM_S * CURVE_RATE_HZ)
    struck, new = _share(track.onset), _share(track.novelty.mean(axis=0))
    strength = (struck + new)[first : first + count]
    places = strongest_apart(strength, round(CURVE_RATE_HZ), CUTS, 0.5)
    moments = [(place + 0.5) / CURVE_RATE_HZ for place in places if 4 < place < count - 4]
    times = [time if rng.random() < kept else float(rng.uniform(0.5, FILM_S - 0.5)) for time in moments]
    return {round(time * RATE_FPS) for time in times}


def _texture(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    wide = _SIDE + 150
    fields = [scipy.ndimage.zoom(rng.standard_normal((n, n)), wide / n, order=1) for n in (9, 60)]
    shape = fields[0] + 0.5 * fields[1]
    share = ((shape - shape.min()) / (shape.max() - shape.min()))[..., None].astype(np.float32)
    one, other = rng.uniform(10, 70, 3), rng.uniform(170, 240, 3)
    texture: npt.NDArray[np.float32] = (one + share * (other - one)).astype(np.float32)
    return texture


def painted_films(count: int = 10, seed: int = 74_000) -> list[FilmTiming]:
    """Films whose cuts follow nothing."""
    track = measure_music(render_song("rock", seed, TRACK_S).samples)
    return [plant_under(track, seed + number, 0.0).film for number in range(count)]


def measure_planted(films: int = 20, seed: int = 73_000) -> JsonDict:
    """Share of films whose stretch is found within 0.5 s, with all and with half of their changes."""
    kinds = {"all_changes": 1.0, "half_removed": 0.5}
    errors: dict[str, list[float]] = {name: [] for name in kinds}
    starts = 0
    for number in range(films):
        track = measure_music(render_song(list(GENRES)[number % len(GENRES)], seed + number, TRACK_S).samples)
        for name, kept in kinds.items():
            planted = plant_under(track, seed + number, kept)
            total = score_starts(planted.film, [planted.track]).total[0]
            errors[name].append(abs(float(total.argmax()) * STEP_S - planted.start_s))
            starts = len(total)
    return {
        name: {
            "films": films,
            "found": round(float(np.mean(np.array(found) <= FOUND_S)), 4),
            "starts": starts,
        }
        for name, found in errors.items()
    }

"""Films whose changes follow a known stretch of a track: is the stretch found?

A painted film moves faster where the music is louder and in jerks that die away where something begins; it
cuts, and now and then flashes, where the music is struck and new, as exactly as an editor does; codec noise
and a shaking camera go their own way. The stretch begins anywhere, on no grid. Of a film with half of its
changes removed, half of the cuts and flashes are left out and half of its seconds move evenly; in the
harder kind other changes, from elsewhere in the track, take their place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from eval.timing.films.shots import RATE_FPS, Pixels
from eval.timing.outcomes import FOUND_S
from eval.timing.songs import render_song
from mvr.datasets.synthetic.latents import GENRES
from mvr.datatypes import FloatArray, JsonDict
from mvr.signal.curves import CURVE_RATE_HZ, FINE
from mvr.signal.picture import Watcher, points_of_thumb
from mvr.signal.rhythm.hearing import hear
from mvr.timing.film import FilmTiming, film_timing
from mvr.timing.music import MusicTiming, fine_onsets, measure_music, strongest_apart
from mvr.timing.placing.sliding import STEP_S, score_starts

TRACK_S, FILM_S = 60.0, 18.0
MOMENTS = 12  # three of four cuts, the fourth a flash
_SIDE = 400
_FLASH_FRAMES = 3
_JERK_S = 0.12  # in which a jerk falls to a third
_EDITOR_S = 0.02  # spread of a cut around the stroke that it is set on


@dataclass(frozen=True, kw_only=True)
class Follows:
    """What of a film follows the music.

    Attributes:
        share: of its cuts and flashes, and of the seconds in which motion follows.
        instead: whether as many other changes, drawn at random, take the place of the rest; else nothing happens there.
        late_s: how much later than the music everything happens.
        drift: spread by which the logarithm of motion wanders in a second.
        hidden: share of the picture's width that stands still.
        film_s: length of the film.
    """

    share: float = 1.0
    instead: bool = False
    late_s: float = 0.0
    drift: float = 0.0
    hidden: float = 0.0
    film_s: float = FILM_S


KINDS = {
    "all_changes": Follows(),
    "half_removed": Follows(share=0.5),
    "half_at_random": Follows(share=0.5, instead=True),
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """Attributes: track.   strokes: its onsets, 32 a second, as they came, for the painter."""

    track: MusicTiming
    strokes: FloatArray


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Attributes: film.   track.   start_s: where in the track the film's changes are from."""

    film: FilmTiming
    track: MusicTiming
    start_s: float


def hear_source(genre: str, seed: int) -> Source:
    """A rendered piece of a minute."""
    samples = render_song(genre, seed, TRACK_S).samples
    track, heard = measure_music(samples), hear(samples)
    assert heard is not None, "a rendered sound is never silent"
    return Source(track=track, strokes=fine_onsets(heard, len(track.onset)))


def plant(source: Source, seed: int, follows: Follows, trim_s: float = 0.0) -> Planted:
    """A film painted to a stretch of a track that keeps `trim_s` off both ends."""
    rng = np.random.default_rng([seed, 71])
    start_s = float(rng.uniform(trim_s, TRACK_S - trim_s - follows.film_s))
    watcher = Watcher()
    thumbs = _paint(source, start_s - follows.late_s, follows, rng)
    still = round(follows.hidden * thumbs.shape[2])
    thumbs[:, :, :still] = thumbs[0, :, :still]
    for number, thumb in enumerate(thumbs):
        watcher.see(number / RATE_FPS, points_of_thumb(thumb))
    return Planted(film=film_timing(watcher.changes(), follows.film_s), track=source.track, start_s=start_s)


def _paint(source: Source, start_s: float, follows: Follows, rng: np.random.Generator) -> Pixels:
    """Thumbnails (N, 27, 48, 3) of a camera over textures."""
    speed = _speed(source, start_s, follows, rng)
    moments = _moments(source, start_s, follows, rng)
    cuts, flashes = moments[::4] + moments[1::4] + moments[2::4], moments[3::4]
    angle, place = rng.uniform(0, 6.28), rng.uniform(0, _SIDE, 2)
    texture, frames = _texture(rng), []
    for number, step in enumerate(speed):
        if number in cuts:
            texture, angle, place = _texture(rng), rng.uniform(0, 6.28), rng.uniform(0, _SIDE, 2)
        place = place + step * np.array([np.sin(angle), np.cos(angle)]) + rng.normal(0, 0.1, 2)
        y, x = (np.abs(place % (2 * _SIDE) - _SIDE)).astype(int)
        seen = texture[y : y + 81 : 3, x : x + 144 : 3] * [1, 0.5, 0.5]
        if any(0 <= number - flash < _FLASH_FRAMES for flash in flashes):
            seen = 255 - 0.3 * (255 - seen)
        frames.append(seen + rng.normal(0, 0.5, (27, 48, 1)))
    return np.clip(np.stack(frames), 0, 255).astype(np.uint8)


def _speed(
    source: Source, start_s: float, follows: Follows, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Pixels a frame (N,): faster where it is louder; a jerk that dies away where something begins."""
    count = round(follows.film_s * RATE_FPS)
    fine_hz = FINE * CURVE_RATE_HZ
    decay = np.exp(-np.arange(round(4 * _JERK_S * fine_hz)) / (_JERK_S * fine_hz))
    jerks = np.convolve(_share(source.strokes), decay)[: len(source.strokes)]
    loud = np.repeat(_share(source.track.loudness_db), FINE)
    places = np.minimum(((start_s + np.arange(count) / RATE_FPS) * fine_hz).astype(int), len(jerks) - 1)
    elsewhere = (
        places + rng.integers(round(4 * fine_hz), len(jerks), len(places) // 25 + 1).repeat(25)[:count]
    ) % len(jerks)
    rests = np.repeat(rng.random(count // 25 + 1) >= follows.share, 25)[:count]  # second by second
    speed = np.full(count, 0.2)
    for curve, most in ((loud, 3.0), (jerks, 9.0)):
        other = curve[elsewhere] if follows.instead else np.full(count, float(curve.mean()))
        speed += most * np.where(rests, other, curve[places])
    if follows.drift:
        speed *= np.exp(np.cumsum(rng.normal(0, follows.drift / RATE_FPS**0.5, count)))
    return speed


def _share(curve: FloatArray) -> FloatArray:
    low, high = np.percentile(curve, [5, 98])
    share: FloatArray = np.clip((curve - low) / max(high - low, 1e-6), 0, 1)
    return share


def _moments(source: Source, start_s: float, follows: Follows, rng: np.random.Generator) -> list[int]:
    """Frames that begin shots or flash, strongest first: moments of the stretch that are struck and new."""
    first, count = int(np.ceil(start_s * CURVE_RATE_HZ)), round(follows.film_s * CURVE_RATE_HZ) - 1
    struck, new = _share(source.track.onset), _share(source.track.novelty.mean(axis=0))
    strength = (struck + new)[first : first + count]
    places = strongest_apart(strength, round(CURVE_RATE_HZ), MOMENTS, 0.5)
    frames = []
    for place in places:
        kept, elsewhere = rng.random() < follows.share, float(rng.uniform(0.5, follows.film_s - 0.5))
        if kept and 4 < place < count - 4:
            inside = FINE * (first + place)
            stroke = inside + int(source.strokes[inside : inside + FINE].argmax()) + 0.5
            time_s = stroke / (FINE * CURVE_RATE_HZ) - start_s + rng.normal(0, _EDITOR_S)
            frames.append(round(time_s * RATE_FPS))
        elif follows.instead:
            frames.append(round(elsewhere * RATE_FPS))
    return frames


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
    source = hear_source("rock", seed)
    nothing = Follows(share=0.0, instead=True)
    return [plant(source, seed + number, nothing).film for number in range(count)]


def measure_planted(films: int = 40, seed: int = 73_000) -> JsonDict:
    """Share of films whose stretch is found within 0.5 s, for each of `KINDS`, by the five curves alone beside it."""
    errors: dict[str, list[tuple[float, float]]] = {name: [] for name in KINDS}
    bars: dict[str, list[bool]] = {name: [] for name in KINDS}
    count = 0
    for number in range(films):
        source = hear_source(list(GENRES)[number % len(GENRES)], seed + number)
        for name, follows in KINDS.items():
            planted = plant(source, seed + number, follows)
            starts = score_starts(planted.film, [planted.track])
            both = [
                float(total[0].argmax()) * STEP_S - planted.start_s for total in (starts.total, starts.five)
            ]
            errors[name].append((both[0], both[1]))
            bars[name].append(_whole_bars(both[0], planted.track))
            count = int(starts.counts[0])
    return {
        name: {
            "films": films, "starts": count,
            "found": _found([error for error, _ in rows]), "by_five_curves": _found([five for _, five in rows]),
            "missed_by_whole_bars": sum(
                whole and abs(error) > FOUND_S for whole, (error, _) in zip(bars[name], rows, strict=True)
            ),
        }
        for name, rows in errors.items()
    }  # fmt: skip


def _found(errors_s: list[float]) -> float:
    return round(float(np.mean(np.abs(errors_s) <= FOUND_S)), 4)


def _whole_bars(error_s: float, track: MusicTiming) -> bool:
    """Whether an error is a number of whole bars, where music repeats: within an eighth of a second for the grid."""
    if len(track.downbeats_s) < 2:
        return False
    bar_s = float(np.median(np.diff(track.downbeats_s)))
    return abs(error_s - bar_s * round(error_s / bar_s)) <= STEP_S / 2

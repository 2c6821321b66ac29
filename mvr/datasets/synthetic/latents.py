"""The latents that a synthetic pair shares, and what each genre makes of them.

Every number in `GENRES` is a choice of ours, a prior of taste: fast cuts go with fast music, bright and saturated
pictures with major keys and energy, dark and still ones with ambient sound. It is measured on nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

MOODS = ("joyful", "fierce", "hopeful", "brooding", "serene", "melancholic")


@dataclass(frozen=True, kw_only=True)
class Genre:
    """Centres of a genre's latents; `tempo_bpm` is a range, the others lie in 0..1.

    Attributes:
        minor: share of tracks in a minor key.
        regularity: how strictly pictures follow the beat.
        scenes: kinds of scene and their weights (`mvr.datasets.synthetic.scenes`).
        hues: hues of the palette in degrees, main first.
    """

    tempo_bpm: tuple[float, float]
    energy: float
    valence: float
    warmth: float
    density: float
    space: float
    minor: float
    regularity: float
    scenes: dict[str, float]
    hues: tuple[float, ...]


GENRES: dict[str, Genre] = {
    "ambient": Genre(
        tempo_bpm=(56, 84), energy=0.12, valence=0.45, warmth=0.4, density=0.15, space=0.9, minor=0.5,
        regularity=0.1, scenes={"aurora": 4, "waves": 3, "hills": 2, "stars": 1, "bokeh": 1}, hues=(200, 250, 165),
    ),
    "lo-fi": Genre(
        tempo_bpm=(68, 92), energy=0.3, valence=0.5, warmth=0.8, density=0.35, space=0.4, minor=0.6,
        regularity=0.3, scenes={"rain": 4, "city": 2, "bokeh": 3, "hills": 1}, hues=(28, 330, 265),
    ),
    "house": Genre(
        tempo_bpm=(116, 130), energy=0.75, valence=0.7, warmth=0.5, density=0.6, space=0.4, minor=0.5,
        regularity=0.95, scenes={"shapes": 4, "bokeh": 2, "stage": 2, "grid": 1}, hues=(320, 195, 45),
    ),
    "drum and bass": Genre(
        tempo_bpm=(165, 178), energy=0.92, valence=0.45, warmth=0.25, density=0.85, space=0.4, minor=0.8,
        regularity=0.8, scenes={"tunnel": 4, "stars": 3, "shapes": 2, "city": 1}, hues=(185, 90, 280),
    ),
    "rock": Genre(
        tempo_bpm=(104, 160), energy=0.85, valence=0.55, warmth=0.6, density=0.65, space=0.25, minor=0.5,
        regularity=0.6, scenes={"stage": 5, "city": 2, "shapes": 1, "hills": 1}, hues=(8, 35, 220),
    ),
    "orchestral": Genre(
        tempo_bpm=(66, 124), energy=0.5, valence=0.5, warmth=0.5, density=0.5, space=0.75, minor=0.5,
        regularity=0.2, scenes={"hills": 4, "waves": 3, "clouds": 3, "forest": 1}, hues=(38, 210, 15),
    ),
    "folk": Genre(
        tempo_bpm=(84, 122), energy=0.4, valence=0.72, warmth=0.75, density=0.45, space=0.3, minor=0.25,
        regularity=0.3, scenes={"forest": 4, "hills": 3, "clouds": 2, "waves": 1}, hues=(95, 45, 25),
    ),
    "jazz": Genre(
        tempo_bpm=(92, 168), energy=0.45, valence=0.6, warmth=0.85, density=0.55, space=0.35, minor=0.45,
        regularity=0.3, scenes={"bokeh": 3, "city": 3, "stage": 2, "rain": 1}, hues=(32, 12, 230),
    ),
    "synthwave": Genre(
        tempo_bpm=(84, 116), energy=0.62, valence=0.5, warmth=0.35, density=0.5, space=0.6, minor=0.8,
        regularity=0.7, scenes={"grid": 5, "city": 2, "stars": 1, "waves": 1}, hues=(300, 190, 335),
    ),
    "trap": Genre(
        tempo_bpm=(130, 152), energy=0.68, valence=0.28, warmth=0.3, density=0.5, space=0.45, minor=0.95,
        regularity=0.6, scenes={"tunnel": 2, "city": 3, "rain": 1, "shapes": 2, "stars": 1}, hues=(275, 0, 160),
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Latents:
    """What a pair's music and pictures have in common; everything but genre, tempo and key lies in 0..1.

    Attributes:
        genre: a key of `GENRES`.
        tempo_bpm: beats per minute (trap and drum and bass are felt at half of it).
        energy: calm .. driving.   valence: sad, dark .. glad, bright.   warmth: cold, digital .. warm, analogue.
        density: few .. many notes and things.   space: dry, near .. wet, wide, far.
        regularity: how strictly pictures follow the beat.
        minor: whether the key is minor.   root: pitch class of the key, 0 = C.
        seed: draws everything that the latents leave open.
    """

    genre: str
    tempo_bpm: float
    energy: float
    valence: float
    warmth: float
    density: float
    space: float
    regularity: float
    minor: bool
    root: int
    seed: int

    @property
    def mood(self) -> str:
        """One of `MOODS`, from energy and valence."""
        glad = self.valence >= 0.5
        if self.energy > 0.62:
            return "joyful" if glad else "fierce"
        if self.energy > 0.34:
            return "hopeful" if glad else "brooding"
        return "serene" if glad else "melancholic"


_SPREAD = {"energy": 0.16, "valence": 0.22, "warmth": 0.2, "density": 0.2, "space": 0.2, "regularity": 0.2}


def draw_latents(seed: int, genre: str | None = None) -> Latents:
    """Latents of one pair; the same seed (and genre) always gives the same."""
    rng = np.random.default_rng([seed, 1])
    name = genre or str(rng.choice(list(GENRES)))
    profile = GENRES[name]
    drawn = {key: _around(rng, getattr(profile, key), spread) for key, spread in _SPREAD.items()}
    low, high = profile.tempo_bpm
    # within a genre the faster tracks are the more driving ones
    place = 0.6 * rng.random() + 0.4 * np.clip(0.5 + 1.5 * (drawn["energy"] - profile.energy), 0, 1)
    minor = rng.random() < np.clip(profile.minor + 0.9 * (0.5 - drawn["valence"]), 0.02, 0.98)
    return Latents(
        genre=name, tempo_bpm=round(float(low + place * (high - low)), 1), minor=bool(minor),
        root=int(rng.integers(12)), seed=seed, **drawn,
    )  # fmt: skip


def blur_latents(latents: Latents, rng: np.random.Generator, deviation: float = 0.07) -> Latents:
    """The latents as one who only half understood them: what pictures follow, so no pair fits perfectly."""
    drawn: dict[str, Any] = {key: _around(rng, getattr(latents, key), deviation) for key in _SPREAD}
    return replace(latents, tempo_bpm=latents.tempo_bpm * float(np.exp(rng.normal(0, 0.02))), **drawn)


def _around(rng: np.random.Generator, centre: float, deviation: float) -> float:
    return round(float(np.clip(rng.normal(centre, deviation), 0.02, 0.98)), 3)

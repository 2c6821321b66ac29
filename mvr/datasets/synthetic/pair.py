"""One training pair: frames at any times and an excerpt of music, rendered straight to arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mvr.datasets.synthetic.latents import Latents, blur_latents, draw_latents
from mvr.datasets.synthetic.music import Span, render_music
from mvr.datasets.synthetic.pictures import Film
from mvr.datasets.synthetic.wear import draw_picture_wear, wear_frames, wear_sound
from mvr.datatypes import FloatArray

Pixels = npt.NDArray[np.uint8]
ASPECTS = (9 / 16, 1.0, 16 / 9)  # phone, square, landscape
MUSIC_S = 34.0  # the pieces are laid out for about this long; excerpts come from anywhere in it


class SyntheticPair:
    """Pictures and music of one seed.

    Attributes:
        latents: what both share.   duration_s: length of the clip.   aspect: width / height of the clip.
    """

    def __init__(self, seed: int, genre: str | None = None) -> None:
        self.seed = seed
        self.latents: Latents = draw_latents(seed, genre)
        rng = np.random.default_rng([seed, 8])
        self.duration_s = float(rng.uniform(4, 14))
        self.aspect = float(rng.choice(ASPECTS, p=(0.5, 0.1, 0.4)))
        self._music_start_s = float(rng.uniform(0, MUSIC_S - 10))
        self._seen = blur_latents(self.latents, rng)

    def frames(self, times_s: npt.NDArray[np.float64], side_px: int, worn: bool = True) -> Pixels:
        """The clip at `times_s` (N,), squeezed to squares (N, side, side, 3); equal times are painted once."""
        film = Film(self._seen, self.duration_s, self.seed)
        moments, place = np.unique(np.round(times_s, 4), return_inverse=True)
        painted = np.stack([film.frame(float(t), side_px, side_px, self.aspect) for t in moments])
        if worn:
            wear = draw_picture_wear(self.seed, self._seen.energy)
            painted = wear_frames(painted, moments * 8, wear)
        return painted[place]

    def sound(self, rate_hz: int, duration_s: float, worn: bool = True) -> FloatArray:
        """An excerpt of the music, mono (n,) float32."""
        span = Span(start_s=self._music_start_s, duration_s=duration_s, rate_hz=rate_hz)
        mono = render_music(self.latents, span).mean(axis=1)
        return wear_sound(mono, rate_hz, self.seed) if worn else mono

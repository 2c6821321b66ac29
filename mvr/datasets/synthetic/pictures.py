"""From latents to a film: shots, cuts on the beat, camera, grading. `Film.frame` paints any moment at any size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datasets.synthetic.canvas import Canvas, smooth
from mvr.datasets.synthetic.latents import GENRES, Latents
from mvr.datasets.synthetic.palette import draw_palette
from mvr.datasets.synthetic.scenes import SCENES, Look, Scene
from mvr.datatypes import FloatArray

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One take: a scene seen by a camera from `start_s` on."""

    start_s: float
    scene: Scene
    speed: float
    zoom: float
    zoom_rate: float
    pan: tuple[float, float]
    shake: float
    phase: float


class Film:
    """A film that follows latents; the same latents, seed and length give the same pixels.

    `scenes` names the kinds of scene to cut between; without it two are drawn from those of the genre.

    Attributes:
        cuts_s: starts of the shots, the first is 0.
    """

    def __init__(
        self, latents: Latents, duration_s: float, seed: int, scenes: tuple[str, ...] | None = None
    ) -> None:
        self._latents = latents
        self._rng = np.random.default_rng([seed, 4])
        self._beat_s = 60 / latents.tempo_bpm * (2 if latents.tempo_bpm > 140 else 1)
        self._palette = draw_palette(latents, self._rng)
        self.cuts_s = self._plan_cuts(duration_s)
        kinds = GENRES[latents.genre].scenes
        weights = np.array(list(kinds.values())) / sum(kinds.values())
        # a film has one or two places it comes back to
        drawn = self._rng.choice(list(kinds), size=2, p=weights)
        places = scenes or tuple(str(kind) for kind in drawn)
        self._shots = [self._shoot(start, places[i % len(places)]) for i, start in enumerate(self.cuts_s)]
        self._grain = self._rng.standard_normal((64, 64, 1)).astype(np.float32)

    def _plan_cuts(self, duration_s: float) -> list[float]:
        """Shots of 1.5 to 20 seconds, shorter with energy; on a beat as far as the film is regular."""
        energy = self._latents.energy
        length = 9.0 * np.exp(-2.1 * energy + 0.35 * self._rng.standard_normal()) + 0.5
        beats = max(1, 2 ** round(np.log2(length / self._beat_s)))
        cuts, t = [0.0], 0.0
        if energy + 0.12 * self._rng.standard_normal() < 0.18:
            return cuts
        while True:
            loose = (1 - self._latents.regularity) * self._rng.normal(0, 0.25) * length
            t += max(0.4, beats * self._beat_s + float(loose))
            if t > duration_s - 0.4:
                return cuts
            cuts.append(t)

    def _shoot(self, start_s: float, kind: str) -> Shot:
        rng, latents = self._rng, self._latents
        scene = SCENES[kind](Look(self._palette, latents, rng))
        lively = (0.15 + 1.5 * latents.energy**1.3) * (latents.tempo_bpm / 110) ** 0.5
        angle = rng.uniform(0, 2 * np.pi)
        return Shot(
            start_s=start_s,
            scene=scene,
            speed=float(lively * np.exp(rng.normal(0, 0.2))),
            zoom=float(rng.uniform(1.0, 1.35 - 0.25 * latents.space)),
            zoom_rate=float(0.05 * lively * rng.normal()),
            pan=(float(0.06 * lively * np.cos(angle)), float(0.035 * lively * np.sin(angle))),
            shake=float(0.02 * max(0.0, latents.energy - 0.5) * rng.uniform(0, 2)),
            phase=float(rng.uniform(0, 50)),
        )

    def pulse(self, t: float) -> float:
        """1 at each beat, fading; as strong as the film is regular and lively."""
        place = (t / self._beat_s) % 1.0
        strength = self._latents.regularity * min(1.0, 0.2 + self._latents.energy)
        return float(strength * np.exp(-4.5 * place))

    def frame(self, t: float, width: int, height: int, aspect: float | None = None) -> Pixels:
        """The film at time t, (height, width, 3) uint8; `aspect` overrides width / height (squeezed pixels)."""
        shot = self._shots[int(np.searchsorted(self.cuts_s, t + 1e-6, side="right")) - 1]
        canvas = _look_through(shot, t, (width, height), aspect or width / height)
        shot.scene.paint(canvas, shot.phase + shot.speed * (t - shot.start_s), self.pulse(t))
        return self._grade(canvas.image, t)

    def _grade(self, image: FloatArray, t: float) -> Pixels:
        """Contrast, saturation, vignette, a trace of grain."""
        latents = self._latents
        beat = 1 + 0.06 * self.pulse(t) * latents.energy
        height, width = image.shape[:2]
        y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
        vignette = 1 - 0.32 * smooth((np.hypot(x, y) - 0.55) / 1.1)
        grey = image.mean(axis=2, keepdims=True)
        image = grey + (0.7 + 0.25 * latents.valence + 0.2 * latents.energy) * (image - grey)
        image = np.clip(image * vignette[..., None] * beat, 0, 1.25)
        image = image / (1 + 0.16 * np.maximum(0, image - 0.6))  # soft shoulder
        contrast = 0.12 + 0.3 * latents.energy
        image = image + contrast * (np.clip(image, 0, 1) ** 2 * (3 - 2 * np.clip(image, 0, 1)) - image)
        shift = int(t * 240) % 61
        grain = np.roll(self._grain, (shift, 2 * shift), (0, 1))
        tiles = np.tile(grain, (height // 64 + 1, width // 64 + 1, 1))[:height, :width]
        image = image + (0.003 + 0.006 * latents.warmth) * tiles
        pixels: Pixels = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
        return pixels


def _look_through(shot: Shot, t: float, size: tuple[int, int], aspect: float) -> Canvas:
    """An empty canvas with the camera's coordinates."""
    width, height = size
    age = t - shot.start_s
    zoom = shot.zoom * float(np.exp(shot.zoom_rate * age))
    jitter = [shot.shake * (np.sin(31 * t + k) + np.sin(17.3 * t + 2 * k)) for k in (0.0, 1.7)]
    dx = np.clip(shot.pan[0] * age, -0.3, 0.3) + jitter[0]
    dy = np.clip(shot.pan[1] * age, -0.15, 0.15) + jitter[1]
    x = (np.linspace(-1, 1, width, dtype=np.float32) * (1 - 1 / width) * aspect / zoom + dx)[None]
    y = (np.linspace(-1, 1, height, dtype=np.float32) * (1 - 1 / height) / zoom + dy)[:, None]
    px = max(2 / height, 2 * aspect / width) / zoom
    image = np.zeros((height, width, 3), np.float32)
    return Canvas(image, x.astype(np.float32), y.astype(np.float32), float(px))

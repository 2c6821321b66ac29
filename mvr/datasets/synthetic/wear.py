"""What the world does to clips and music before anyone sees or hears them: cameras, textures, rooms, equalisers.

Synthetic films are cleaner than any phone clip. The training pairs are worn at random, so that heads lean on what
survives: contrast of levels, tempo, motion, colour, not on the fingerprint of the
renderer. The demo library is not worn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from mvr.datatypes import FloatArray

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class PictureWear:
    """How one clip was filmed.

    Attributes:
        gain, gamma, saturation: of the camera; 1 changes nothing.   tint: (3,) white balance.
        texture: level of a surface pattern that moves with the scene, 0..0.3.   drift: its speed in pixels per frame.
        noise: deviation of sensor noise in 0..1.   shake: hand-held jitter in pixels.   mirror: left for right.
    """

    gain: float
    gamma: float
    saturation: float
    tint: FloatArray
    texture: float
    drift: tuple[float, float]
    noise: float
    shake: float
    mirror: bool
    seed: int


def draw_picture_wear(seed: int, energy: float) -> PictureWear:
    """Wear of one clip; hand-held jitter and drift grow with energy, everything else is chance."""
    rng = np.random.default_rng([seed, 5])
    worn = rng.random() < 0.8
    pace = 0.25 + 1.8 * energy
    return PictureWear(
        gain=float(np.exp(rng.normal(0, 0.16))) if worn else 1.0,
        gamma=float(np.exp(rng.normal(0, 0.16))) if worn else 1.0,
        saturation=float(np.clip(rng.normal(0.85, 0.22), 0.15, 1.4)) if worn else 1.0,
        tint=np.exp(rng.normal(0, 0.05, 3)).astype(np.float32) if worn else np.ones(3, np.float32),
        texture=float(rng.beta(1.2, 3) * 0.45) if worn else 0.0,
        drift=(float(rng.normal(0, pace)), float(rng.normal(0, 0.5 * pace))),
        noise=float(rng.exponential(0.012)) if worn else 0.0,
        shake=float(max(0.0, rng.normal(0.1, 0.25) + 0.6 * (energy - 0.4))) if worn else 0.0,
        mirror=bool(rng.random() < 0.5),
        seed=seed,
    )


def wear_frames(frames: Pixels, places: npt.NDArray[np.float64], wear: PictureWear) -> Pixels:
    """Frames (N, H, W, 3) as filmed; `places` (N,) counts frames since the start, for the drift."""
    rng = np.random.default_rng([wear.seed, 6])
    image = (frames[:, :, ::-1] if wear.mirror else frames).astype(np.float32) / 255
    height, width = frames.shape[1:3]
    if wear.texture:
        surface = _surface(rng, 2 * height, 2 * width)
        dx, dy = (
            np.rint(np.sin(places * 0.02 + k) / 0.02 * speed).astype(int)
            for k, speed in enumerate(wear.drift)
        )
        for n in range(len(image)):
            y, x = dy[n] % height, dx[n] % width
            image[n] *= 1 + wear.texture * surface[y : y + height, x : x + width, None]
    grey = image.mean(axis=3, keepdims=True)
    image = (grey + wear.saturation * (image - grey)) * wear.tint * wear.gain
    image = np.clip(image, 0, 1) ** wear.gamma
    if wear.noise:
        image += wear.noise * rng.standard_normal(image.shape, dtype=np.float32)
    if wear.shake:
        steps = np.rint(rng.normal(0, wear.shake, (len(image), 2))).astype(int)
        for n, (dy_n, dx_n) in enumerate(steps):
            if dy_n or dx_n:
                image[n] = np.roll(image[n], (dy_n, dx_n), (0, 1))
    worn: Pixels = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return worn


def _surface(rng: np.random.Generator, height: int, width: int) -> FloatArray:
    """A tiling pattern of unit deviation with a 1/f^a spectrum, a drawn: grass, cloth, clouds, walls."""
    spectrum = scipy.fft.rfft2(rng.standard_normal((height // 2, width // 2), dtype=np.float32))
    frequency = np.hypot(*np.meshgrid(scipy.fft.rfftfreq(width // 2), scipy.fft.fftfreq(height // 2)))
    frequency[0, 0] = np.inf
    pattern = scipy.fft.irfft2(spectrum / frequency ** rng.uniform(0.4, 1.6), s=(height // 2, width // 2))
    tiled: FloatArray = np.tile(pattern / pattern.std(), (2, 2)).astype(np.float32)
    return tiled


def wear_sound(samples: FloatArray, rate_hz: int, seed: int) -> FloatArray:
    """Mono sound (n,) as a recording, a small speaker or another mixing desk would give it.

    A random equaliser (tilt and two wide bells), sometimes a low-pass, background noise, compression, level.
    """
    rng = np.random.default_rng([seed, 7])
    if rng.random() < 0.2:
        return samples
    n = len(samples)
    hz = np.maximum(scipy.fft.rfftfreq(n, 1 / rate_hz), 20)
    octaves = np.log2(hz / 700)
    gain_db = rng.normal(0, 1.2) * octaves
    for _ in range(2):
        centre, width = rng.uniform(-3.5, 3.5), rng.uniform(0.7, 1.8)
        gain_db += rng.normal(0, 3.5) * np.exp(-0.5 * ((octaves - centre) / width) ** 2)
    if rng.random() < 0.25:
        gain_db -= 18 * np.maximum(0, np.log2(hz / rng.uniform(3000, 9000)))
    shaped = scipy.fft.irfft(scipy.fft.rfft(samples) * 10 ** (gain_db / 20), n).astype(np.float32)
    rms = float(np.sqrt(np.mean(shaped**2))) + 1e-6
    if rng.random() < 0.4:
        shaped = rms * np.tanh(shaped / rms * rng.uniform(0.2, 0.7)) * 2
    noise_db = rng.uniform(-75, -32)
    shaped = shaped + rms * 10 ** (noise_db / 20) * rng.standard_normal(n, dtype=np.float32)
    level = 10 ** (rng.normal(-17, 4) / 20) / (float(np.sqrt(np.mean(shaped**2))) + 1e-6)
    worn: FloatArray = np.clip(shaped * level, -1, 1).astype(np.float32)
    return worn

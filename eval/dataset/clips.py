"""One generated clip: moving pictures, music, and whatever is planted, written by the bundled ffmpeg."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from eval.dataset.voices import RATE_HZ as VOICE_RATE_HZ
from eval.dataset.voices import speak
from mvr.datasets.synthetic.latents import draw_latents
from mvr.datasets.synthetic.music import Span, render_music
from mvr.datatypes import FloatArray

WIDTH, HEIGHT, RATE_FPS = 160, 288, 10
SOUND_RATE_HZ = 22_050
_SCALE = 4  # pictures are painted this much smaller


@dataclass(frozen=True, kw_only=True)
class Sound:
    """What a clip sounds like.

    Attributes:
        tune: seed of the music.
        start_s: where in the piece the excerpt begins.
        gain_db: change of level.
        semitones: change of pitch at the same speed.
        voice_db, noise_db: level of a voice or of noise against the music; None for none.
        silent: nothing at all.
        codec: arguments of ffmpeg.
    """

    tune: int
    start_s: float = 4.0
    gain_db: float = 0.0
    semitones: float = 0.0
    voice_db: float | None = None
    noise_db: float | None = None
    silent: bool = False
    codec: tuple[str, ...] = ("-c:a", "aac", "-b:a", "96k")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What a clip shows.

    Attributes:
        film: seed of the pictures.
        still: whether nothing moves.
        bars: width of black bars, a share of the side: (left and right, top and bottom).
        filters, codec: arguments of ffmpeg.
    """

    film: int
    still: bool = False
    bars: tuple[float, float] = (0.0, 0.0)
    filters: str = "null"
    codec: tuple[str, ...] = ("-crf", "23")

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the picture inside its bars, in pixels; even, as chroma is halved."""
        x, y = (round(share * side / 2) * 2 for share, side in zip(self.bars, (WIDTH, HEIGHT), strict=True))
        return x, y, WIDTH - x, HEIGHT - y


def write_clip(path: Path, picture: Picture, sound: Sound, duration_s: float = 6.0) -> None:
    """Write a clip as MP4."""
    samples = render_sound(sound, duration_s)
    raw = path.with_suffix(".f32")
    raw.write_bytes(samples.astype("<f4").tobytes())
    images = paint(picture, round(duration_s * RATE_FPS))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE_FPS)]
    command += ["-i", "pipe:0", "-f", "f32le", "-ar", str(SOUND_RATE_HZ), "-ac", "1", "-i", str(raw)]
    command += ["-vf", picture.filters, "-af", _pitch(sound.semitones), "-c:v", "libx264", "-threads", "1"]
    command += ["-preset", "ultrafast", "-pix_fmt", "yuv420p", *picture.codec, *sound.codec, "-f", "mp4"]
    subprocess.run([*command, str(path)], input=images.tobytes(), check=True, timeout=120)
    raw.unlink()


def render_sound(sound: Sound, duration_s: float) -> FloatArray:
    """(n,) mono samples, peak at most 0.9."""
    rng = np.random.default_rng([sound.tune, 1])
    span = Span(start_s=sound.start_s, duration_s=duration_s, rate_hz=SOUND_RATE_HZ)
    if sound.silent:
        return np.zeros(span.samples, np.float32)
    samples = render_music(draw_latents(sound.tune), span).mean(axis=1)
    if sound.voice_db is not None:
        samples = _mixed(samples, _voice(rng, duration_s), sound.voice_db)
    if sound.noise_db is not None:
        samples = _mixed(samples, _pink(rng, len(samples)), sound.noise_db)
    peak = max(float(np.abs(samples).max()), 1e-9)
    loud: FloatArray = samples * min(1.0, 0.9 / peak) * 10 ** (sound.gain_db / 20)
    return loud


def paint(picture: Picture, count: int) -> npt.NDArray[np.uint8]:
    """(count, HEIGHT, WIDTH, 3): drifting waves of colour under drifting discs, inside the bars."""
    rng = np.random.default_rng([picture.film, 2])
    rows, columns = np.mgrid[0 : HEIGHT // _SCALE, 0 : WIDTH // _SCALE] / (WIDTH / _SCALE)
    waves = rng.uniform([-12, -12, 0.05, 0, 30], [12, 12, 0.4, 6, 90], (3, 5))
    discs = rng.uniform([0, 0, -0.02, -0.02, 0.08], [1, 1.8, 0.02, 0.02, 0.3], (6, 5))
    colours = rng.uniform(0, 255, (6, 3))
    images = np.empty((count, *rows.shape, 3), np.float32)
    for number in range(count):
        time = 0 if picture.still else number
        for channel, (across, down, speed, phase, depth) in enumerate(waves):
            images[number, :, :, channel] = 128 + depth * np.sin(
                across * columns + down * rows + speed * time + phase
            )
        for (x, y, dx, dy, radius), colour in zip(discs, colours, strict=True):
            inside = (columns - (x + dx * time) % 1) ** 2 + (rows - (y + dy * time) % 1.8) ** 2 < radius**2
            images[number][inside] = colour
    large = images.clip(16, 255).astype(np.uint8).repeat(_SCALE, axis=1).repeat(_SCALE, axis=2)
    left, top, right, bottom = picture.box
    large[:, :top] = large[:, bottom:] = 0
    large[:, :, :left] = large[:, :, right:] = 0
    return large


def _mixed(music: FloatArray, other: FloatArray, level_db: float) -> FloatArray:
    """Music with another sound, which is `level_db` louder by RMS."""
    other = other[: len(music)]
    level = float(np.sqrt(np.mean(music**2) / np.mean(other**2))) * 10 ** (level_db / 20)
    mixed = music.copy()
    mixed[: len(other)] += level * other
    return mixed


def _voice(rng: np.random.Generator, duration_s: float) -> FloatArray:
    from scipy.signal import resample_poly

    spoken = speak(rng, duration_s, float(rng.choice([105, 125, 190, 220])))
    higher: FloatArray = resample_poly(spoken, 441, VOICE_RATE_HZ * 441 // SOUND_RATE_HZ)
    return higher


def _pink(rng: np.random.Generator, count: int) -> FloatArray:
    """Noise whose power falls by 3 dB an octave."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), count)
    return pink.astype(np.float32)


def _pitch(semitones: float) -> str:
    """ffmpeg's filters for another pitch at the same speed."""
    if not semitones:
        return "anull"
    ratio = 2 ** (semitones / 12)
    return f"asetrate={round(SOUND_RATE_HZ * ratio)},aresample={SOUND_RATE_HZ},atempo={1 / ratio:.6f}"

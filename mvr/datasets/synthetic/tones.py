"""Pitched instruments: one function per sound, a note in, mono samples out.

Conventions: `Note` in, (n,) float32 out, peak about `velocity`; n covers the note and its release. Deterministic:
what is random (phases, breath) comes from the note's own pitch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from mvr.datatypes import FloatArray


@dataclass(frozen=True)
class Tone:
    """A note for an instrument: pitch in Hz, length in s without its release, brightness 0..1, sample rate."""

    hz: float
    length_s: float
    brightness: float
    rate_hz: int

    def times(self, release_s: float) -> FloatArray:
        """Sample times (n,) of the note with its release."""
        count = int((self.length_s + release_s) * self.rate_hz)
        return np.asarray(np.arange(count) / self.rate_hz, np.float32)


def envelope(t: FloatArray, length_s: float, attack_s: float, release_s: float) -> FloatArray:
    """Cosine attack, full level, cosine release after `length_s`: no clicks."""
    rise = 0.5 - 0.5 * np.cos(np.pi * np.clip(t / max(attack_s, 1e-4), 0, 1))
    fall = 0.5 + 0.5 * np.cos(np.pi * np.clip((t - length_s) / max(release_s, 1e-4), 0, 1))
    return np.asarray(rise * fall, np.float32)


def lowpass(x: FloatArray, hz: float, rate_hz: int, order: int = 2) -> FloatArray:
    """Butterworth low-pass along the first axis."""
    return _filter(x, hz, rate_hz, "lowpass", order)


def highpass(x: FloatArray, hz: float, rate_hz: int, order: int = 2) -> FloatArray:
    """Butterworth high-pass along the first axis."""
    return _filter(x, hz, rate_hz, "highpass", order)


def _filter(x: FloatArray, hz: float, rate_hz: int, kind: str, order: int) -> FloatArray:
    sections = _sections(round(min(hz, 0.45 * rate_hz), 1), rate_hz, kind, order)
    filtered: FloatArray = sosfilt(sections, x, axis=0).astype(np.float32)
    return filtered


@lru_cache(maxsize=512)
def _sections(hz: float, rate_hz: int, kind: str, order: int) -> FloatArray:
    make: Any = butter  # its stubs want literal names of kinds
    return np.asarray(make(order, hz, kind, fs=rate_hz, output="sos"), np.float32)


def saw(t: FloatArray, hz: float, rate_hz: int, phase: float = 0.0) -> FloatArray:
    """Sawtooth in [-1, 1] with polyBLEP corners (Valimaki & Huovilainen 2007), so that it does not alias much."""
    step = np.float32(hz / rate_hz)
    place = ((t.astype(np.float64) * hz + phase) % 1.0).astype(np.float32)
    wave = 2 * place - 1
    early, late = place < step, place > 1 - step
    x = place[early] / step
    wave[early] -= 2 * x - x * x - 1
    x = (place[late] - 1) / step
    wave[late] -= x * x + 2 * x + 1
    return wave


def partials(
    t: FloatArray, hz: float, rate_hz: int, levels: npt.NDArray[Any], decays: npt.NDArray[Any]
) -> FloatArray:
    """Sum of harmonics n = 1, 2, ...: levels[n-1] * exp(-decays[n-1] t) sin(2 pi n hz t), none above Nyquist."""
    turn = np.exp(2j * np.pi * ((t.astype(np.float64) * hz) % 1.0)).astype(np.complex64)
    power, total = turn.copy(), np.zeros_like(t)
    for n, (level, decay) in enumerate(zip(levels, decays, strict=True), start=1):
        if n * hz > 0.45 * rate_hz:
            break
        total += np.float32(level) * np.exp(np.float32(-decay) * t) * power.imag
        power *= turn
    return total


def _noise(hz: float, n: int) -> FloatArray:
    return np.random.default_rng(int(hz * 16)).standard_normal(n, dtype=np.float32)


def pad(note: Tone) -> FloatArray:
    """Three detuned saws behind a gentle low-pass, slow attack."""
    t = note.times(1.2)
    wave = sum(saw(t, note.hz * d, note.rate_hz, i * 0.37) for i, d in enumerate((0.9955, 1.0, 1.0052)))
    wave = lowpass(np.asarray(wave, np.float32), 300 + 2600 * note.brightness**1.5 + note.hz, note.rate_hz)
    return np.asarray(0.4 * wave * envelope(t, note.length_s, min(0.7, 0.4 * note.length_s), 1.2), np.float32)


def strings(note: Tone) -> FloatArray:
    """Bowed section: detuned saws with vibrato, bow noise, body at 400-3,500 Hz."""
    t = note.times(0.5)
    wobble = t + 0.0007 / max(note.hz / 440, 0.5) * np.sin(2 * np.pi * 5.3 * t) * np.clip(t / 0.4, 0, 1)
    wave = sum(saw(wobble, note.hz * d, note.rate_hz, i * 0.29) for i, d in enumerate((0.997, 1.0, 1.0031)))
    wave = np.asarray(wave, np.float32) + 0.05 * _noise(note.hz, len(t))
    wave = highpass(lowpass(wave, 1500 + 4500 * note.brightness + note.hz, note.rate_hz), 150, note.rate_hz)
    return np.asarray(
        0.38 * wave * envelope(t, note.length_s, min(0.16, 0.4 * note.length_s), 0.5), np.float32
    )


def brass(note: Tone) -> FloatArray:
    """Two saws whose brightness swells in."""
    t = note.times(0.25)
    wave = saw(t, note.hz, note.rate_hz) + saw(t, note.hz * 1.003, note.rate_hz, 0.4)
    dark = lowpass(wave, 1.6 * note.hz + 150, note.rate_hz)
    bright = lowpass(wave, 3.5 * note.hz + 1300 + 3500 * note.brightness, note.rate_hz)
    swell = np.clip(t / 0.18, 0, 1) ** 2
    return np.asarray(
        0.5 * (dark + (bright - dark) * swell) * envelope(t, note.length_s, 0.05, 0.25), np.float32
    )


def piano(note: Tone) -> FloatArray:
    """Struck string: harmonics that die the faster the higher, hammer noise."""
    t = note.times(0.35)
    n = np.arange(1, 15)
    levels = np.exp(-n * (0.75 - 0.45 * note.brightness)) * (1 + 0.3 * np.cos(n * 2.1))
    wave = partials(t, note.hz, note.rate_hz, levels, 0.7 + 0.5 * n * np.sqrt(note.hz / 260))
    wave += partials(t, note.hz * 1.0012, note.rate_hz, 0.5 * levels, 0.9 + 0.55 * n * np.sqrt(note.hz / 260))
    hammer = lowpass(_noise(note.hz, len(t)), 2000, note.rate_hz) * np.exp(-t * 90)
    return np.asarray((0.75 * wave + 0.1 * hammer) * envelope(t, note.length_s, 0.003, 0.35), np.float32)


def electric_piano(note: Tone) -> FloatArray:
    """Two-operator FM pairs, body and tine (after the classic DX7 voice), with a slow tremolo."""
    t = note.times(0.4)
    turn = 2 * np.pi * ((t.astype(np.float64) * note.hz) % 1.0)
    index = (0.5 + 1.4 * note.brightness) * np.exp(-3.5 * t)
    body = np.sin(turn + index * np.sin(turn))
    tine = np.sin(turn + 0.35 * np.exp(-9 * t) * np.sin(14 * turn % (2 * np.pi)))
    wave = (0.75 * body * np.exp(-0.9 * t) + 0.3 * tine * np.exp(-1.8 * t)) * (
        1 + 0.12 * np.sin(2 * np.pi * 4.7 * t)
    )
    return np.asarray(0.7 * wave * envelope(t, note.length_s, 0.004, 0.4), np.float32)


def guitar(note: Tone) -> FloatArray:
    """Plucked steel string: bright harmonics without every sixth (the plucking point)."""
    t = note.times(0.5)
    n = np.arange(1, 19)
    levels = np.abs(np.sin(np.pi * n / 6.3)) / n ** (1.25 - 0.55 * note.brightness)
    wave = partials(t, note.hz, note.rate_hz, levels, 1.6 + 0.42 * n * (note.hz / 220) ** 0.4)
    pick = highpass(_noise(note.hz, len(t)), 1500, note.rate_hz) * np.exp(-t * 220)
    return np.asarray((0.75 * wave + 0.05 * pick) * envelope(t, note.length_s, 0.002, 0.5), np.float32)


def overdriven_guitar(note: Tone) -> FloatArray:
    """Power chord (root, fifth, octave) through a soft clipper and a speaker cabinet."""
    t = note.times(0.12)
    wave = sum(saw(t, note.hz * ratio, note.rate_hz, 0.17 * i) for i, ratio in enumerate((1.0, 1.498, 2.003)))
    driven = np.tanh((2.5 + 5 * note.brightness) * lowpass(np.asarray(wave, np.float32), 2800, note.rate_hz))
    cabinet = highpass(lowpass(driven, 2400 + 1800 * note.brightness, note.rate_hz, 4), 95, note.rate_hz)
    return np.asarray(0.5 * cabinet * envelope(t, note.length_s, 0.004, 0.12) * np.exp(-0.7 * t), np.float32)


def bell(note: Tone) -> FloatArray:
    """FM bell, ratio 3.5, that rings on."""
    t = note.times(1.4)
    turn = 2 * np.pi * ((t.astype(np.float64) * note.hz) % 1.0)
    modulator = np.sin(2 * np.pi * ((t.astype(np.float64) * note.hz * 3.5) % 1.0))
    wave = np.sin(turn + (0.4 + 1.6 * note.brightness) * np.exp(-4 * t) * modulator) * np.exp(-2.4 * t)
    return np.asarray(0.6 * wave * envelope(t, note.length_s, 0.002, 1.4), np.float32)


def flute(note: Tone) -> FloatArray:
    """Few harmonics, breath, late vibrato."""
    t = note.times(0.15)
    vibrato = t + 0.0009 * 440 / note.hz * np.sin(2 * np.pi * 5 * t) * np.clip((t - 0.2) / 0.5, 0, 1)
    levels, still = np.array([1.0, 0.32, 0.12, 0.05]), np.zeros(4)
    wave = partials(vibrato, note.hz, note.rate_hz, levels, still)
    breath = highpass(lowpass(_noise(note.hz, len(t)), 2.5 * note.hz, note.rate_hz), note.hz, note.rate_hz)
    return np.asarray((0.6 * wave + 0.06 * breath) * envelope(t, note.length_s, 0.06, 0.15), np.float32)


def saw_lead(note: Tone) -> FloatArray:
    """Two saws and a sub octave with a filter that closes: leads and arpeggios of synthwave, house, trance."""
    t = note.times(0.18)
    wave = saw(t, note.hz, note.rate_hz) + saw(t, note.hz * 1.006, note.rate_hz, 0.31)
    dark = lowpass(wave, 1.4 * note.hz + 250, note.rate_hz)
    bright = lowpass(wave, 2.5 * note.hz + 900 + 4500 * note.brightness, note.rate_hz)
    mixed = dark + (bright - dark) * np.exp(-5 * t)
    return np.asarray(0.38 * mixed * envelope(t, note.length_s, 0.006, 0.18), np.float32)


def square_pluck(note: Tone) -> FloatArray:
    """Short hollow pluck (odd harmonics)."""
    t = note.times(0.2)
    n = np.arange(1, 16)
    levels = np.where(n % 2, 1.0 / n, 0.04)
    wave = partials(t, note.hz, note.rate_hz, levels, 4 + n * (2.2 - 1.6 * note.brightness))
    return np.asarray(0.8 * wave * envelope(t, note.length_s, 0.003, 0.2), np.float32)


def sub_bass(note: Tone) -> FloatArray:
    """Sine with a trace of the second and third harmonic, so that phones hear it."""
    t = note.times(0.1)
    levels = np.array([1.0, 0.22, 0.12 * note.brightness + 0.04])
    wave = partials(t, note.hz, note.rate_hz, levels, np.full(3, 0.3))
    return np.asarray(0.9 * wave * envelope(t, note.length_s, 0.008, 0.1), np.float32)


def saw_bass(note: Tone) -> FloatArray:
    """Saw and sub with a plucked filter."""
    t = note.times(0.08)
    wave = saw(t, note.hz, note.rate_hz) + 0.6 * saw(t, note.hz * 1.007, note.rate_hz, 0.5)
    dark = lowpass(wave, 2.2 * note.hz + 60, note.rate_hz)
    bright = lowpass(wave, 500 + 2600 * note.brightness, note.rate_hz)
    mixed = dark + (bright - dark) * np.exp(-9 * t)
    return np.asarray(0.55 * mixed * envelope(t, note.length_s, 0.004, 0.08), np.float32)


def reese_bass(note: Tone) -> FloatArray:
    """Widely detuned saws that beat against each other: drum and bass."""
    t = note.times(0.1)
    wave = saw(t, note.hz * 0.99, note.rate_hz) + saw(t, note.hz * 1.012, note.rate_hz, 0.4)
    sub = np.sin(2 * np.pi * ((t.astype(np.float64) * note.hz) % 1.0)).astype(np.float32)
    body = lowpass(wave, 260 + 1300 * note.brightness, note.rate_hz)
    return np.asarray(
        (0.35 * np.tanh(1.5 * body) + 0.6 * sub) * envelope(t, note.length_s, 0.01, 0.1), np.float32
    )


def upright_bass(note: Tone) -> FloatArray:
    """Plucked double bass: round, short, a finger's thump."""
    t = note.times(0.12)
    n = np.arange(1, 9)
    levels = np.array([1, 0.65, 0.4, 0.22, 0.12, 0.07, 0.04, 0.02])
    wave = partials(t, note.hz, note.rate_hz, levels, 1.6 + 1.3 * n)
    thump = lowpass(_noise(note.hz, len(t)), 500, note.rate_hz) * np.exp(-t * 60)
    return np.asarray((0.7 * wave + 0.15 * thump) * envelope(t, note.length_s, 0.006, 0.12), np.float32)


def glide_bass(note: Tone) -> FloatArray:
    """Long 808: a sine that starts high, lightly overdriven."""
    t = note.times(0.25)
    phase = np.cumsum(note.hz * (1 + 1.5 * np.exp(-45 * t)), dtype=np.float64) / note.rate_hz
    wave = np.sin(2 * np.pi * (phase % 1.0)) * np.exp(-1.1 * t)
    return np.asarray(0.8 * np.tanh(1.8 * wave) * envelope(t, note.length_s, 0.003, 0.25), np.float32)


INSTRUMENTS: dict[str, Callable[[Tone], FloatArray]] = {
    f.__name__: f
    for f in (
        pad, strings, brass, piano, electric_piano, guitar, overdriven_guitar, bell, flute, saw_lead,
        square_pluck, sub_bass, saw_bass, reese_bass, upright_bass, glide_bass,
    )
}  # fmt: skip

"""Drum sounds: name -> (n,) float32 hit at a sample rate; every hit of a kit is the same wave, levels differ."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mvr.datasets.synthetic.tones import highpass, lowpass
from mvr.datatypes import FloatArray

# name: (sweep from Hz, to Hz, sweep rate 1/s, tone decay 1/s, tone level,
#        noise level, noise decay 1/s, high-pass Hz, low-pass Hz, length s)
_HITS: dict[str, tuple[float, ...]] = {
    "kick": (150, 46, 32, 8.5, 1.0, 0.18, 140, 800, 6000, 0.42),
    "kick_soft": (110, 48, 30, 10, 0.9, 0.05, 120, 300, 2500, 0.35),
    "kick_808": (130, 42, 24, 4.2, 1.0, 0.1, 200, 900, 5000, 0.8),
    "kick_hard": (240, 52, 42, 10, 1.0, 0.3, 110, 1500, 9000, 0.3),
    "snare": (230, 185, 20, 19, 0.5, 0.75, 17, 900, 9500, 0.3),
    "snare_tight": (260, 210, 30, 26, 0.45, 0.7, 24, 1200, 10000, 0.22),
    "snare_big": (210, 165, 18, 13, 0.5, 0.8, 9.5, 700, 8500, 0.5),
    "brush": (0, 0, 1, 1, 0.0, 0.6, 13, 1500, 7000, 0.3),
    "rim": (820, 780, 10, 75, 0.7, 0.2, 120, 2000, 9000, 0.09),
    "hat": (0, 0, 1, 1, 0.0, 0.55, 60, 6500, 16000, 0.09),
    "hat_open": (0, 0, 1, 1, 0.0, 0.5, 9, 6000, 15000, 0.4),
    "hat_soft": (0, 0, 1, 1, 0.0, 0.35, 75, 5000, 9000, 0.07),
    "ride": (3150, 3150, 1, 6, 0.12, 0.3, 5.5, 5200, 13000, 0.7),
    "crash": (0, 0, 1, 1, 0.0, 0.55, 2.2, 3200, 14000, 1.8),
    "shaker": (0, 0, 1, 1, 0.0, 0.35, 32, 4200, 11000, 0.12),
    "tom": (180, 95, 12, 8, 0.9, 0.12, 30, 300, 4000, 0.5),
    "timpani": (98, 82, 8, 2.6, 1.0, 0.1, 25, 60, 900, 1.3),
    "tambourine": (0, 0, 1, 1, 0.0, 0.4, 26, 5200, 14000, 0.16),
}


@lru_cache(maxsize=128)
def hit(name: str, rate_hz: int) -> FloatArray:
    """One drum hit, peak at most about 1."""
    if name == "clap":
        return _clap(rate_hz)
    start, end, sweep, decay, level, noise, noise_decay, low, high, length_s = _HITS[name]
    t = np.arange(int(length_s * rate_hz), dtype=np.float32) / rate_hz
    hz = end + (start - end) * np.exp(-sweep * t)
    tone = level * np.sin(2 * np.pi * np.cumsum(hz, dtype=np.float64) / rate_hz) * np.exp(-decay * t)
    hiss = noise * np.exp(-noise_decay * t) * _hiss(len(t), low, high, rate_hz, name)
    fade = np.clip((length_s - t) / 0.02, 0, 1)
    return (np.tanh(1.2 * (tone + hiss)) * fade).astype(np.float32)


def _clap(rate_hz: int) -> FloatArray:
    """Four bursts of noise 11 ms apart, the last one rings."""
    t = np.arange(int(0.28 * rate_hz), dtype=np.float32) / rate_hz
    bursts = sum(
        np.where(t >= d, np.exp(-(t - d) * (180 if d < 0.03 else 20)), 0) for d in (0.0, 0.011, 0.022, 0.033)
    )
    return (0.5 * np.asarray(bursts) * _hiss(len(t), 900, 7000, rate_hz, "clap")).astype(np.float32)


def _hiss(n: int, low_hz: float, high_hz: float, rate_hz: int, name: str) -> FloatArray:
    noise = np.random.default_rng(sum(name.encode())).standard_normal(n, dtype=np.float32)
    return highpass(lowpass(noise, high_hz, rate_hz), low_hz, rate_hz)

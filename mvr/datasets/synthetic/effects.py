"""Effects on stereo sound (n, 2) float32: reverb, echo, side-chain, tape, limiter."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import oaconvolve

from mvr.datasets.synthetic.tones import highpass, lowpass
from mvr.datatypes import FloatArray


@lru_cache(maxsize=32)
def _room(seconds: float, rate_hz: int) -> FloatArray:
    """Impulse response (n, 2): noise that decays by 60 dB in `seconds`, duller as it dies, 15 ms pre-delay."""
    n = int(seconds * rate_hz)
    t = np.arange(n, dtype=np.float32)[:, None] / rate_hz
    noise = np.random.default_rng(7).standard_normal((n, 2), dtype=np.float32)
    bright, dark = lowpass(noise, 7000, rate_hz), lowpass(noise, 1800, rate_hz)
    fade = np.exp(-6.9 * t / seconds)
    room = highpass((bright * fade + 1.5 * dark) * fade, 180, rate_hz)
    room = np.concatenate([np.zeros((int(0.015 * rate_hz), 2), np.float32), room])
    return np.asarray(room / np.sqrt((room**2).sum() / 2), np.float32)


def reverb(send: FloatArray, seconds: float, rate_hz: int) -> FloatArray:
    """The wet signal of what is sent to the room, as long as the send."""
    wet: FloatArray = oaconvolve(send, _room(round(seconds, 1), rate_hz), axes=0)[: len(send)]
    return wet.astype(np.float32)


def echo(send: FloatArray, delay_s: float, rate_hz: int, feedback: float = 0.42) -> FloatArray:
    """Ping-pong repeats, duller each time."""
    step, out, tap = int(delay_s * rate_hz), np.zeros_like(send), send
    for _ in range(4):
        tap = feedback * lowpass(tap, 3500, rate_hz)[:, ::-1]
        tap = np.concatenate([np.zeros((step, 2), np.float32), tap])[: len(send)]
        out += tap
    return out


def duck(n: int, beats_s: FloatArray, rate_hz: int, depth: float) -> FloatArray:
    """Side-chain gain (n, 1): drops at every beat and swells back in 0.25 s."""
    gain = np.ones(n, np.float32)
    curve = 1 - depth * (1 - np.clip(np.arange(int(0.28 * rate_hz)) / (0.25 * rate_hz), 0, 1) ** 1.5)
    for start in (beats_s * rate_hz).astype(np.int64):
        begin, end = max(0, int(start)), min(n, int(start) + len(curve))
        if begin < end:
            gain[begin:end] = np.minimum(gain[begin:end], curve[begin - start : end - start])
    return gain[:, None]


def limit(mix: FloatArray, rate_hz: int, ceiling: float = 0.82) -> FloatArray:
    """Look-ahead limiter: no sample leaves +-`ceiling` (-1.7 dBFS leaves room for true peaks and codecs)."""
    peak = np.abs(mix).max(axis=1)
    width = int(0.006 * rate_hz) | 1
    gain = np.minimum(1, ceiling / np.maximum(maximum_filter1d(peak, 2 * width + 1), 1e-6))
    limited: FloatArray = np.clip(mix * uniform_filter1d(gain, width)[:, None], -ceiling, ceiling)
    return limited.astype(np.float32)


def glue(mix: FloatArray, rate_hz: int, amount: float) -> FloatArray:
    """Bus compressor: gain follows the 80 ms level; `amount` 0..1 is the slope."""
    level = np.sqrt(uniform_filter1d((mix**2).mean(axis=1), int(0.08 * rate_hz)) + 1e-9)
    reference = np.sqrt((mix**2).mean() + 1e-9)
    return np.asarray(mix * np.clip((reference / level) ** (0.5 * amount), 0.35, 1.6)[:, None], np.float32)

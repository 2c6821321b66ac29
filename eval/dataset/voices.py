"""A speaking voice by formant synthesis: glottal pulses through four moving resonances, with bursts of friction.

After Klatt, "Software for a cascade/parallel formant synthesizer", JASA 1980 (the cascade branch), the pulse of
Rosenberg, JASA 1971, and the vowels of Peterson & Barney, JASA 1952. It says nothing, but it says it like a voice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray

Samples = npt.NDArray[np.float64]

VOWELS_HZ = (
    (730, 1090, 2440, 3400),
    (270, 2290, 3010, 3600),
    (300, 870, 2240, 3300),
    (530, 1840, 2480, 3500),
    (570, 840, 2410, 3300),
    (660, 1720, 2410, 3500),
)
BANDWIDTHS_HZ = (80, 90, 120, 200)
RATE_HZ = 16_000
_BLOCK = 160  # samples in which the resonances stand still


def speak(rng: np.random.Generator, duration_s: float, pitch_hz: float) -> FloatArray:
    """(n,) mono samples at 16 kHz of one voice without long pauses, RMS 0.1."""
    count = round(duration_s * RATE_HZ)
    formants, loudness, friction = _syllables(rng, count)
    pulses = _glottis(rng, pitch_hz, count) * loudness
    for number, width in enumerate(BANDWIDTHS_HZ):
        pulses = _resonate(pulses, formants[:, number], width)
    hiss = np.diff(rng.standard_normal(count), prepend=0.0) * friction
    voice = pulses / np.abs(pulses).max() + 0.02 * hiss
    spoken: FloatArray = (0.1 * voice / np.sqrt(np.mean(voice**2))).astype(np.float32)
    return spoken


def _syllables(rng: np.random.Generator, count: int) -> tuple[Samples, Samples, Samples]:
    """Resonances (n, 4) in Hz, loudness (n,) and friction (n,) of a chain of consonants and vowels."""
    formants, loudness, friction = np.zeros((count, 4)), np.zeros(count), np.zeros(count)
    throat = rng.uniform(0.95, 1.15)
    last = np.array(VOWELS_HZ[0], float)
    at = 0
    while at < count:
        if rng.random() < 0.1:  # a breath
            end = min(count, at + round(rng.uniform(0.1, 0.25) * RATE_HZ))
            formants[at:end] = last
            at = end
            continue
        consonant, vowel = (round(rng.uniform(*span) * RATE_HZ) for span in ((0.05, 0.1), (0.1, 0.22)))
        end = min(count, at + consonant + vowel)
        length = end - at
        if rng.random() < 0.6:
            friction[at:end] = np.pad(np.hanning(consonant), (0, vowel))[:length]
        target = throat * np.array(VOWELS_HZ[rng.integers(len(VOWELS_HZ))], float)
        glide = np.minimum(np.linspace(0, 2.2, length), 1)[:, None]
        formants[at:end] = last + (target - last) * glide
        shape = np.interp(
            np.arange(length), [0, consonant, consonant + vowel - 640, consonant + vowel], [0.05, 1, 1, 0.3]
        )
        loudness[at:end] = shape
        last, at = target, end
    return formants, loudness, friction


def _glottis(rng: np.random.Generator, pitch_hz: float, count: int) -> Samples:
    """The derivative of the flow through the glottis, with a melody of speech and a little jitter."""
    time = np.arange(count) / RATE_HZ
    melody = 1 + 0.12 * np.sin(2 * np.pi * time / 0.9 + rng.uniform(0, 6))
    jitter = 1 + 0.01 * np.cumsum(rng.standard_normal(count)) / np.sqrt(count)
    phase = np.cumsum(pitch_hz * melody * jitter / RATE_HZ) % 1
    opening, closing = 0.5 * (1 - np.cos(np.pi * phase / 0.4)), np.cos(np.pi * (phase - 0.4) / 0.32)
    flow = np.where(phase < 0.4, opening, np.where(phase < 0.56, closing, 0.0))
    pulses: Samples = np.diff(flow, prepend=0.0) + 0.002 * rng.standard_normal(count)
    return pulses


def _resonate(samples: Samples, centre_hz: Samples, width_hz: float) -> Samples:
    """A second-order resonance of unit gain at 0 Hz whose centre moves from block to block."""
    from scipy.signal import lfilter

    radius = np.exp(-np.pi * width_hz / RATE_HZ)
    out, state = np.empty(len(samples)), np.zeros(2)
    for start in range(0, len(samples), _BLOCK):
        angle = 2 * np.pi * max(float(centre_hz[start]), 200.0) / RATE_HZ
        poles = [1.0, -2 * radius * np.cos(angle), radius**2]
        block = slice(start, start + _BLOCK)
        out[block], state = lfilter([sum(poles)], poles, samples[block], zi=state)
    return out

"""What is heard of a whole sound: its spectral rows, and from them tempo, beats and bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datatypes import FloatArray, Times
from mvr.signal.onsets import onset_envelopes
from mvr.signal.rhythm.bars import find_bars
from mvr.signal.rhythm.chains import Chain, find_chains
from mvr.signal.rhythm.lags import by_strokes_s, lag_s
from mvr.signal.rhythm.moments import Moments
from mvr.signal.rhythm.parts import Parts
from mvr.signal.rhythm.strokes import sharp_strokes, stroke_rises, struck_near
from mvr.signal.rhythm.struck import struck_beats, struck_lag_s
from mvr.signal.rhythm.swing import swung_beats
from mvr.signal.rhythm.tails import on_with_click
from mvr.signal.rhythm.tempo import SILENT_RMS
from mvr.signal.spectrum import (
    FFT_SIZE,
    HOP,
    MEL_BANDS,
    SAMPLE_RATE_HZ,
    mel_db,
    pitch_classes,
    power_spectrogram,
)

_CHUNK_FRAMES = 2048  # about 48 s: bounds the memory of a long file
_FEWEST_BEATS = 4
_MOVED_S = 0.02  # beats that lie elsewhere than those that bars were told from, so far off
_OFFSET = 0.01  # -40 dBFS: a constant in all samples is not heard, and hides what is
_EDGE = SAMPLE_RATE_HZ // 20  # where a constant begins and ends it rings
_SWELLING_S = 0.05  # heard so late, chords change beside the beats: bars are told from when these are played


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Rows of a sound brought to RMS 1, `FRAME_RATE_HZ` a second.

    Attributes:
        decibels: (frames, 40) mel bands.   classes: (frames, 12) pitch classes.   level: (frames,) power.
        envelopes: (4, frames) onset envelopes.   rises: (6, fine frames) of `mvr.signal.rhythm.strokes`.
        rms: of the sound as it came.
    """

    decibels: FloatArray
    classes: FloatArray
    level: FloatArray
    envelopes: FloatArray
    rises: FloatArray
    rms: float


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """Attributes:
    tempo_bpm: None where there is no pulse; then there are no beats either.
    beats_s, downbeats_s: when beats lie, and those of them that begin a bar.
    bar_beats: beats in a bar.
    """

    tempo_bpm: float | None
    beats_s: Times
    downbeats_s: Times
    bar_beats: int


def hear(samples: FloatArray) -> Heard | None:
    """Spectral rows of mono sound at `SAMPLE_RATE_HZ`; None for silence and for less than one window."""
    if len(samples) < FFT_SIZE:
        return None
    offset = samples.mean()
    if abs(offset) > _OFFSET:
        samples = samples - offset
        if len(samples) > 4 * _EDGE and _rms(samples[_EDGE:-_EDGE]) < SILENT_RMS:
            return None
    rms = _rms(samples)
    if rms < SILENT_RMS:
        return None
    frames = 1 + len(samples) // HOP
    decibels = np.empty((frames, MEL_BANDS), np.float32)
    classes, level = np.empty((frames, 12), np.float32), np.empty(frames, np.float32)
    spare = FFT_SIZE // HOP // 2  # frames whose window reaches beyond the chunk's edge
    for first in range(0, frames, _CHUNK_FRAMES):
        last = min(frames, first + _CHUNK_FRAMES)
        before = min(first, spare)
        piece = samples[(first - before) * HOP : (last + spare) * HOP] / np.float32(rms)
        power = power_spectrogram(piece)[before : before + last - first]
        decibels[first:last], classes[first:last] = mel_db(power), pitch_classes(power)
        level[first:last] = power.sum(axis=1)
    return Heard(
        decibels=decibels,
        classes=classes,
        level=level,
        envelopes=onset_envelopes(decibels),
        rises=stroke_rises(samples),
        rms=rms,
    )


def _rms(samples: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def find_rhythm(heard: Heard | None) -> Rhythm:
    """Tempo, beats and bars; none of them where nothing begins or repeats."""
    nothing = np.zeros(0)
    none = Rhythm(tempo_bpm=None, beats_s=nothing, downbeats_s=nothing, bar_beats=4)
    chains = [] if heard is None else find_chains(heard.envelopes, _FEWEST_BEATS)
    if heard is None or not chains:
        return none
    moments, strokes = Moments(heard.decibels, heard.classes, heard.envelopes), sharp_strokes(heard.rises)
    lags_s = [_lag_s(heard, chain) for chain in chains]
    sharp = [
        struck_near(strokes, chain.times_s - late_s) for chain, late_s in zip(chains, lags_s, strict=True)
    ]
    rows = [
        moments.beaten(chain.times_s if late_s <= _SWELLING_S else np.maximum(chain.times_s - late_s, 0.0))
        for chain, late_s in zip(chains, lags_s, strict=True)
    ]
    parts = Parts(heard.decibels)
    bars = find_bars(
        rows, [chain.traits for chain in chains], sharp, [chain.times_s for chain in chains], parts
    )
    chain, late_s, bpm = chains[bars.chain], lags_s[bars.chain], chains[bars.chain].bpm
    struck = None if chain.on_click else struck_beats(heard.rises, chain.heard_s, bars)
    if struck is not None:
        played_s, bpm = struck.times_s, 60 / struck.click.period_s
    else:
        told_s = struck_lag_s(heard.rises, chain.times_s, bars) if late_s > _SWELLING_S else None
        played_s = chain.times_s - (late_s if told_s is None else told_s)
    times_s = _settled(strokes, played_s)
    if struck is not None or len(times_s) != len(played_s) or np.abs(times_s - played_s).max() > _MOVED_S:
        bars = find_bars([moments.beaten(np.maximum(times_s, 0.0))], [chain.traits], [0.0], [times_s], parts)
    beats = np.maximum(times_s, 0.0)  # a first stroke may be heard as if it had begun before
    return Rhythm(tempo_bpm=bpm, beats_s=beats, downbeats_s=beats[bars.downbeats], bar_beats=bars.bar_beats)


def _settled(strokes: FloatArray, played_s: Times) -> Times:
    """Beats on the long strokes of swung music, and on their click before and after the stretch that keeps it."""
    swung = swung_beats(strokes, played_s)
    return on_with_click(strokes, played_s if swung is None else swung)


def _lag_s(heard: Heard, chain: Chain) -> float:
    """How late the beats of a chain are heard."""
    told_s = lag_s(heard.decibels, heard.envelopes, chain.heard_s)
    return by_strokes_s(told_s, heard.rises, chain.times_s)


def estimate_tempo(samples: FloatArray) -> float | None:
    """Tempo in bpm of mono sound at `SAMPLE_RATE_HZ`; None where it has none."""
    return find_rhythm(hear(samples)).tempo_bpm

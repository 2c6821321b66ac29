"""From notes to sound: parts, buses, room, master.

`render_music` gives stereo float32; the same seed, rate and span give the same samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datasets.synthetic import drums, effects
from mvr.datasets.synthetic.band import Band, Note, form_a_band
from mvr.datasets.synthetic.composition import compose
from mvr.datasets.synthetic.latents import Latents
from mvr.datasets.synthetic.tones import INSTRUMENTS, Tone, highpass, lowpass
from mvr.datatypes import FloatArray

# part: gain, reverb send, echo send
_BUSES = {
    "drums": (0.8, 0.10, 0.0),
    "bass": (0.46, 0.02, 0.0),
    "chords": (0.5, 0.35, 0.08),
    "pad": (0.42, 0.5, 0.0),
    "lead": (0.5, 0.35, 0.28),
}
_PANS = {
    "hat": 0.25,
    "hat_open": 0.25,
    "hat_soft": 0.2,
    "ride": -0.3,
    "shaker": -0.35,
    "tambourine": 0.35,
    "tom": -0.2,
}


@dataclass(frozen=True, kw_only=True)
class Span:
    """What to render: seconds `start_s` .. `start_s + duration_s` of the piece, at `rate_hz`."""

    start_s: float
    duration_s: float
    rate_hz: int

    @property
    def samples(self) -> int:
        """Length in samples."""
        return round(self.duration_s * self.rate_hz)


def render_music(latents: Latents, span: Span, bars: int | None = None) -> FloatArray:
    """Stereo (n, 2) float32 in [-0.82, 0.82] of one span of a piece; after `bars` bars it ends and rings out."""
    rng = np.random.default_rng([latents.seed, 2])
    band = form_a_band(latents, rng)
    notes = compose(band, bars or int(np.ceil((span.start_s + span.duration_s) / band.bar_s)) + 1, rng)
    buses = _play(band, notes, span)
    return _master(band, _mix(band, buses, span), span.rate_hz)


def _play(band: Band, notes: list[Note], span: Span) -> dict[str, FloatArray]:
    """Each part's dry stereo bus; equal notes are rendered once."""
    buses: dict[str, FloatArray] = {}
    waves: dict[tuple[str, int, float, float], FloatArray] = {}
    for number, note in enumerate(notes):
        wave = _wave(band, note, waves, span.rate_hz)
        first = round((note.start_s - span.start_s) * span.rate_hz)
        begin, end = max(0, first), min(span.samples, first + len(wave))
        if begin >= end:
            continue
        if note.part not in buses:
            buses[note.part] = np.zeros((span.samples, 2), np.float32)
        bus = buses[note.part]
        left, right = _pan(note, number)
        piece = wave[begin - first : end - first] * np.float32(note.velocity)
        bus[begin:end, 0] += left * piece
        bus[begin:end, 1] += right * piece
    return buses


def _wave(
    band: Band, note: Note, waves: dict[tuple[str, int, float, float], FloatArray], rate_hz: int
) -> FloatArray:
    if note.part == "drums":
        return drums.hit(note.sound, rate_hz)
    length = max(round(note.length_s, 2), 0.05)
    key = (note.sound, note.midi, length, 0.0)
    if key not in waves:
        hz = 440.0 * 2 ** ((note.midi - 69) / 12)
        sound = "overdriven_guitar" if note.sound == "overdriven_guitar_lead" else note.sound
        tone = Tone(hz, length, _brightness(band, note.part), rate_hz)
        waves[key] = np.asarray(INSTRUMENTS[sound](tone), np.float32)
    return waves[key]


def _brightness(band: Band, part: str) -> float:
    latents = band.latents
    base = 0.15 + 0.45 * latents.energy + 0.3 * latents.valence - 0.3 * (latents.warmth - 0.5)
    return float(np.clip(base + (0.1 if part == "lead" else 0.0), 0.02, 1))


def _pan(note: Note, number: int) -> tuple[np.float32, np.float32]:
    """Equal-power gains; chords and pads spread, bass and lead stay in the middle."""
    place = _PANS.get(note.sound, 0.0) if note.part == "drums" else 0.0
    if note.part in ("chords", "pad"):
        place = 0.55 * (((note.midi * 5 + number % 2) % 7) / 3 - 1)
    angle = (place + 1) * np.pi / 4
    return np.float32(np.cos(angle) * np.sqrt(2)), np.float32(np.sin(angle) * np.sqrt(2))


def _mix(band: Band, buses: dict[str, FloatArray], span: Span) -> FloatArray:
    """Sum of the buses with side-chain, echo and room."""
    rate = span.rate_hz
    latents, style = band.latents, band.style
    beat_s = band.step_s * 4
    first = int(span.start_s // beat_s)
    beats = (first + np.arange(int(span.duration_s / beat_s) + 2)) * beat_s - span.start_s
    ducking = effects.duck(span.samples, beats, rate, style.duck) if style.duck and "drums" in buses else None
    dry = np.zeros((span.samples, 2), np.float32)
    room, repeats = np.zeros_like(dry), np.zeros_like(dry)
    for part, bus in buses.items():
        gain, send, taps = _BUSES[part]
        gain *= style.drums_gain * (0.55 + 0.6 * latents.energy) if part == "drums" else 1.0
        if part in ("chords", "pad", "lead"):
            bus = highpass(bus, 130, rate)
        if ducking is not None and part in ("bass", "pad", "chords"):
            bus = bus * ducking
        dry += gain * bus
        room += gain * send * (0.5 + 1.1 * latents.space) * bus
        repeats += gain * taps * (0.3 + latents.space) * bus
    dry += effects.echo(repeats, 3 * band.step_s, rate)
    seconds = style.room_s * (0.6 + 0.8 * latents.space)
    return dry + effects.reverb(room, seconds, rate)


def _master(band: Band, mix: FloatArray, rate_hz: int) -> FloatArray:
    """Crackle, tape, tone, glue, level, limiter."""
    latents = band.latents
    if band.style.crackle:
        mix = mix + _crackle(len(mix), rate_hz, latents.seed)
    top = 4500 + 12000 * (1 - latents.warmth) + 3000 * latents.energy
    if top < 0.42 * rate_hz:
        mix = lowpass(mix, top, rate_hz, 1)
    mix = highpass(mix, 32, rate_hz)
    mix = mix / np.sqrt((mix**2).mean() + 1e-9)
    mix = effects.glue(mix, rate_hz, 0.2 + 0.5 * latents.energy)
    drive = 0.12 + 0.06 * latents.energy
    return effects.limit(np.tanh(1.1 * drive * mix) / 1.1, rate_hz)


def _crackle(n: int, rate_hz: int, seed: int) -> FloatArray:
    """Vinyl: faint hiss and about eight clicks a second."""
    rng = np.random.default_rng([seed, 3])
    noise = 0.0016 * rng.standard_normal((n, 1), dtype=np.float32)
    clicks = rng.random(n, dtype=np.float32) < 8 / rate_hz
    noise[clicks, 0] += rng.normal(0, 0.09, int(clicks.sum())).astype(np.float32)
    return lowpass(noise, 5200, rate_hz).repeat(2, axis=1)

"""What a piece has settled on before a note is written: style, kit, instruments, chords; and what a note is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datasets.synthetic.latents import Latents
from mvr.datasets.synthetic.styles import JAZZ_PROGRESSIONS, PROGRESSIONS, SCALES, STYLES, Style

STEPS = 16  # sixteenths in a bar


@dataclass(frozen=True)
class Note:
    """One note or hit. `part`: "drums", "bass", "chords", "pad", "lead"; `sound`: instrument or drum;
    `midi`: pitch (60 = middle C), ignored by drums; `velocity`: 0..1."""

    part: str
    sound: str
    start_s: float
    length_s: float
    midi: int
    velocity: float


@dataclass(frozen=True, kw_only=True)
class Band:
    """What a piece has settled on: its latents, style, kit, instruments, chords per bar."""

    latents: Latents
    style: Style
    kit: dict[str, str]
    bass: tuple[str, str]
    chords: tuple[str, str]
    pad: str | None
    lead: str
    progression: tuple[int, ...]

    @property
    def step_s(self) -> float:
        """Length of a sixteenth."""
        return 15.0 / self.latents.tempo_bpm

    @property
    def bar_s(self) -> float:
        """Length of a bar."""
        return STEPS * self.step_s

    def pitch(self, degree: int, octave: int) -> int:
        """MIDI pitch of a scale degree (any integer) in the key, `octave` 4 begins at about middle C."""
        scale = SCALES[self.latents.minor]
        return 12 * (octave + 1) + self.latents.root + scale[degree % 7] + 12 * (degree // 7)

    def chord(self, bar: int) -> list[int]:
        """Scale degrees of a bar's chord: triad, seventh or ninth."""
        root = self.progression[bar % len(self.progression)]
        return [root + third for third in (0, 2, 4, 6, 8)[: 4 if self.style.sevenths else 3]]

    def time_s(self, bar: int, step: float) -> float:
        """Start of a step with swing."""
        late = 0.0
        if self.style.swing_eighths and int(step) % 4 == 2:
            late = self.style.swing * 1.0
        elif not self.style.swing_eighths and int(step) % 2 == 1:
            late = self.style.swing
        return bar * self.bar_s + (step + late) * self.step_s


def form_a_band(latents: Latents, rng: np.random.Generator) -> Band:
    """Draw kit, instruments and chords for one piece."""
    style = STYLES[latents.genre]
    table = JAZZ_PROGRESSIONS if latents.genre == "jazz" else PROGRESSIONS
    progressions = table[latents.minor]
    return Band(
        latents=latents,
        style=style,
        kit=_pick(rng, style.kits) if style.kits else {},
        bass=(_pick(rng, style.bass), _pick(rng, style.bass_figures)),
        chords=_pick(rng, style.chords),
        pad=_pick(rng, style.pads) if style.pads else None,
        lead=_pick(rng, style.leads),
        progression=_pick(rng, progressions),
    )


def _pick(rng: np.random.Generator, options):  # type: ignore[no-untyped-def]
    return options[int(rng.integers(len(options)))]

"""From latents to notes: form, harmony, bass, chords, melody, drums.

A `Note` says when, what and how loud; nothing here makes sound. Times are seconds from the start of the piece,
which is laid out for `FORM_BARS` bars and may be cut anywhere.
"""

from __future__ import annotations

import numpy as np

from mvr.datasets.synthetic.accompaniment import play_bass, play_chords, play_drums, play_pad
from mvr.datasets.synthetic.band import Band, Note
from mvr.datasets.synthetic.melody import draw_motif, play_melody

_PARTS = {"drums": play_drums, "bass": play_bass, "chords": play_chords, "pad": play_pad}


def compose(band: Band, bars: int, rng: np.random.Generator) -> list[Note]:
    """All notes of `bars` bars, in order of time."""
    layers = plan_form(band, bars, rng)
    motif = draw_motif(band, rng)
    notes: list[Note] = []
    for bar in range(bars):
        now = layers[bar]
        for part, play in _PARTS.items():
            if part in now:
                notes += play(band, bar, rng)
        if "lead" in now:
            notes += play_melody(band, bar, motif, rng)
    loosened = [_loosen(note, band, rng) for note in notes]
    return sorted(loosened, key=lambda note: note.start_s)


def plan_form(band: Band, bars: int, rng: np.random.Generator) -> list[set[str]]:
    """Which parts play in each bar: intro, verse, a break, everything, outro; four bars each, fewer when slow."""
    unit = 4 if band.bar_s < 2.6 else 2
    latents = band.latents
    energetic = latents.energy + 0.15 * rng.standard_normal() > 0.3
    harmony = {"chords", "pad"} if band.pad else {"chords"}
    full = harmony | {"bass", "drums", "lead"}
    intro = harmony if not energetic else full - {"lead", "pad"}
    verse = full - ({"pad"} if latents.density < 0.4 else set()) - {"lead"} | (
        {"lead"} if latents.density > 0.55 else set()
    )
    pause = harmony | {"lead"} if latents.energy < 0.8 else full - {"bass"}
    sections = [intro, verse, full, full, pause, full]
    return [set(sections[min((bar + (unit - unit // 2)) // unit, 99) % len(sections)]) for bar in range(bars)]


def _loosen(note: Note, band: Band, rng: np.random.Generator) -> Note:
    start = note.start_s + float(rng.normal(0, band.style.looseness_s))
    velocity = note.velocity * float(np.exp(rng.normal(0, 0.08)))
    return Note(note.part, note.sound, max(0.0, start), note.length_s, note.midi, min(1.0, velocity))

"""The tune over the chords: a motif of two bars, answered and brought to rest every four."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datasets.synthetic.band import STEPS, Band, Note


@dataclass(frozen=True)
class Motif:
    """A tune's cell: rhythms of two bars (steps) and the scale steps between successive notes."""

    rhythms: tuple[tuple[int, ...], tuple[int, ...]]
    moves: tuple[int, ...]


def draw_motif(band: Band, rng: np.random.Generator) -> Motif:
    """Rhythm by density (two to eight notes a bar), mostly steps, now and then a leap."""
    count = int(np.clip(round(1.5 + 6 * band.latents.density + rng.normal(0, 0.8)), 2, 8))
    strong = np.array([4, 0.3, 1.5, 0.4, 2.5, 0.3, 1.8, 0.5, 3, 0.3, 1.5, 0.4, 2.5, 0.3, 1.8, 0.5])
    rhythms = tuple(
        tuple(sorted(int(s) for s in rng.choice(STEPS, size=n, replace=False, p=strong / strong.sum())))
        for n in (count, max(2, count - 1))
    )
    moves = rng.choice([-3, -2, -1, 0, 1, 2, 4], size=24, p=[0.06, 0.16, 0.27, 0.1, 0.24, 0.13, 0.04])
    return Motif((rhythms[0], rhythms[1]), tuple(int(m) for m in moves))


def play_melody(band: Band, bar: int, motif: Motif, rng: np.random.Generator) -> list[Note]:
    """Bars A A' A B: the second answers lower, the fourth comes to rest on the tonic or the chord's fifth."""
    phrase = bar % 4
    steps = motif.rhythms[1 if phrase == 3 else 0]
    chord = [degree % 7 for degree in band.chord(bar)]
    degree = chord[(0, 1, 0, 2)[phrase] % len(chord)]
    octave = 5 if band.latents.valence > 0.35 and band.lead != "overdriven_guitar_lead" else 4
    notes = []
    for index, step in enumerate(steps):
        if index:
            degree += motif.moves[(index + 5 * (phrase == 3)) % len(motif.moves)]
        degree = int(np.clip(degree, -3, 9))
        strong = step % 4 == 0
        if strong and degree % 7 not in chord:
            degree += 1 if (degree + 1) % 7 in chord else -1
        if phrase == 3 and index == len(steps) - 1:
            degree = chord[0]
        end = steps[index + 1] if index + 1 < len(steps) else STEPS
        length = min(end - step, 6 if phrase < 3 else 10) * band.step_s * 0.92
        pitch = band.pitch(degree, octave) - (12 if band.latents.root > 7 else 0)
        notes.append(Note("lead", band.lead, band.time_s(bar, step), length, pitch, 0.85 if strong else 0.7))
    return notes

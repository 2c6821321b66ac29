"""What drums, bass, chords and pad play in one bar."""

from __future__ import annotations

import numpy as np

from mvr.datasets.synthetic.band import STEPS, Band, Note

_LEVEL = {"x": 0.9, "o": 0.55, "g": 0.32}


def play_drums(band: Band, bar: int, rng: np.random.Generator) -> list[Note]:
    """The kit's grids, thinned by density; a fill, a crash or a roll where the style has one."""
    notes = []
    for drum, grid in band.kit.items():
        for step, mark in enumerate(grid):
            if mark == "." or (mark == "g" and rng.random() > 1.4 * band.latents.density):
                continue
            if drum.startswith(("hat", "shaker")) and mark == "o" and band.latents.density < 0.3:
                continue
            accent = 1.0 if step % 4 == 0 else 0.85
            notes.append(Note("drums", drum, band.time_s(bar, step), 0.3, 0, _LEVEL[mark] * accent))
    last = bar % 4 == 3
    if last and band.latents.energy > 0.5 and band.kit:
        fill = "tom" if band.latents.genre in ("rock", "synthwave") else _snare_of(band)
        for step in range(12, 16):
            if rng.random() < band.latents.density:
                notes.append(Note("drums", fill, band.time_s(bar, step), 0.3, 0, 0.35 + 0.1 * (step - 12)))
    if bar % 8 == 0 and bar and band.latents.energy > 0.6 and band.latents.genre != "orchestral":
        notes.append(Note("drums", "crash", band.time_s(bar, 0), 1.0, 0, 0.5))
    if band.latents.genre == "trap" and rng.random() < 0.5:
        start = int(rng.choice([4, 6, 12, 14]))
        for sixth in range(6):  # a roll of sextuplets
            notes.append(
                Note("drums", "hat", band.time_s(bar, start + sixth / 3), 0.1, 0, 0.35 + 0.05 * sixth)
            )
    return notes


def _snare_of(band: Band) -> str:
    return next((drum for drum in band.kit if drum.startswith(("snare", "clap", "timpani"))), "rim")


def play_bass(band: Band, bar: int, rng: np.random.Generator) -> list[Note]:
    """The band's bass figure on the bar's root."""
    sound, figure = band.bass
    root = band.chord(bar)[0]
    octave = 1 if sound in ("sub_bass", "glide_bass", "reese_bass", "saw_bass", "upright_bass") else 2
    if band.pitch(root, octave) < 31:  # below G1 phones and ears give up
        octave += 1
    steps = _bass_steps(band, figure, rng)
    notes = []
    for index, (step, length, move) in enumerate(steps):
        degree = root + (_walk(index, rng) if figure == "walking" else move)
        pitch = band.pitch(degree, octave)
        notes.append(Note("bass", sound, band.time_s(bar, step), length * band.step_s * 0.94, pitch, 0.8))
    return notes


def _walk(index: int, rng: np.random.Generator) -> int:
    """Quarter notes of a walking bass: root, then chord and passing tones."""
    return (0, int(rng.choice([1, 2])), int(rng.choice([2, 4])), int(rng.choice([3, 5, 6, -1])))[index % 4]


def _bass_steps(band: Band, figure: str, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """(step, length in steps, scale steps above the root) of one bar."""
    if figure == "roots":
        return [(0, 16, 0)] if rng.random() > 0.5 * band.latents.density else [(0, 10, 0), (10, 6, 4)]
    if figure == "eighths":
        return [(step, 2, 0) for step in range(0, 16, 2)]
    if figure == "offbeat":
        return [(step, 2, 7 * int(rng.random() < 0.2)) for step in (2, 6, 10, 14)]
    if figure == "octaves":
        return [(step, 2, 7 if step % 4 == 2 else 0) for step in range(0, 16, 2)]
    if figure == "walking":
        return [(step, 4, 0) for step in range(0, 16, 4)]
    if figure == "alternate":
        return [(0, 7, 0), (8, 7, 4)]
    grid = next((grid for drum, grid in band.kit.items() if drum.startswith("kick")), "x.......x.......")
    hits = [step for step, mark in enumerate(grid) if mark in "xo"]
    ends = [*hits[1:], STEPS]
    return [(step, min(8, end - step), 0) for step, end in zip(hits, ends, strict=True)]


def _voicing(band: Band, bar: int, octave: int) -> list[int]:
    """Chord pitches folded into about an octave and a half around the middle: smooth changes between chords."""
    low = 12 * (octave + 1) - 3
    folded = sorted({low + (band.pitch(degree, octave) - low) % 12 for degree in band.chord(bar)})
    return [folded[0], *folded[1:]] if len(folded) < 4 else [folded[0], folded[1] + 12, folded[2], folded[3]]


def play_chords(band: Band, bar: int, rng: np.random.Generator) -> list[Note]:
    """The bar's chord as held, struck, strummed or broken."""
    sound, figure = band.chords
    if sound == "overdriven_guitar":
        root = band.pitch(band.chord(bar)[0], 2)
        pitches = [root if root >= 40 else root + 12]
    else:
        pitches = _voicing(band, bar, 4 if sound in ("bell", "square_pluck") else 3)
    if figure.startswith("arpeggio"):
        return _arpeggio(band, bar, pitches, 4 if figure.endswith("slow") else _arpeggio_step(band))
    if figure == "strum":
        return _strum(band, bar, pitches, rng)
    hits = [(0, "x")] if figure == "hold" else [(i, mark) for i, mark in enumerate(figure) if mark != "."]
    ends = [*(step for step, _ in hits[1:]), STEPS]
    notes = []
    for (step, mark), end in zip(hits, ends, strict=True):
        if mark == "g" and rng.random() > band.latents.density:
            continue
        length = (
            band.step_s * (end - step) * (0.9 if sound != "overdriven_guitar" or figure == "hold" else 0.75)
        )
        for voice, pitch in enumerate(pitches):
            roll = 0.012 * voice if sound in ("piano", "guitar") else 0.0
            start = band.time_s(bar, step) + roll
            notes.append(
                Note("chords", sound, start, length, pitch, 0.9 * _LEVEL[mark] / len(pitches) ** 0.5)
            )
    return notes


def _arpeggio_step(band: Band) -> int:
    return 1 if band.latents.density > 0.6 and band.latents.tempo_bpm < 140 else 2


def _arpeggio(band: Band, bar: int, pitches: list[int], every: int) -> list[Note]:
    ladder = [*pitches, pitches[0] + 12, *pitches[::-1][:-1]]
    sound = band.chords[0]
    return [
        Note("chords", sound, band.time_s(bar, step), band.step_s * every * 1.2,
             ladder[(step // every) % len(ladder)] + 12 * (sound != "strings"), 0.62 if step % 4 else 0.78)
        for step in range(0, STEPS, every)
    ]  # fmt: skip


def _strum(band: Band, bar: int, pitches: list[int], rng: np.random.Generator) -> list[Note]:
    """Down, down-up, up-down-up: six strings, 14 ms apart."""
    strings = sorted([pitches[0] - 12, *pitches, pitches[0] + 12, pitches[1] + 12])
    notes = []
    for step, down in ((0, True), (4, True), (6, False), (10, False), (12, True), (14, False)):
        order = strings if down else strings[::-1][:4]
        for place, pitch in enumerate(order):
            start = band.time_s(bar, step) + 0.014 * place
            level = (0.5 if down else 0.33) * float(rng.uniform(0.85, 1.1))
            notes.append(Note("chords", "guitar", start, band.step_s * 4, pitch, level))
    return notes


def play_pad(band: Band, bar: int, rng: np.random.Generator) -> list[Note]:
    """The bar's chord, held behind everything."""
    assert band.pad is not None
    return [
        Note("pad", band.pad, band.time_s(bar, 0), band.bar_s * 0.98, pitch, 0.5)
        for pitch in _voicing(band, bar, 3)
    ]

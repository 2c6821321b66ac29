"""From latents to notes: form, harmony, bass, chords, melody, drums.

A `Note` says when, what and how loud; nothing here makes sound. Times are seconds from the start of the piece,
which is laid out for `FORM_BARS` bars and may be cut anywhere.
"""

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


def compose(band: Band, bars: int, rng: np.random.Generator) -> list[Note]:
    """All notes of `bars` bars, in order of time."""
    layers = plan_form(band, bars, rng)
    motif = draw_motif(band, rng)
    notes: list[Note] = []
    for bar in range(bars):
        now = layers[bar]
        for part, play in (("drums", _drums), ("bass", _bass), ("chords", _chords), ("pad", _pad)):
            if part in now:
                notes += play(band, bar, rng)
        if "lead" in now:
            notes += _melody(band, bar, motif, rng)
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


_LEVEL = {"x": 0.9, "o": 0.55, "g": 0.32}


def _drums(band: Band, bar: int, rng: np.random.Generator) -> list[Note]:
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


def _bass(band: Band, bar: int, rng: np.random.Generator) -> list[Note]:
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


def _chords(band: Band, bar: int, rng: np.random.Generator) -> list[Note]:
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


def _pad(band: Band, bar: int, rng: np.random.Generator) -> list[Note]:
    assert band.pad is not None
    return [
        Note("pad", band.pad, band.time_s(bar, 0), band.bar_s * 0.98, pitch, 0.5)
        for pitch in _voicing(band, bar, 3)
    ]


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


def _melody(band: Band, bar: int, motif: Motif, rng: np.random.Generator) -> list[Note]:
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

# ruff: noqa: E501  (drum grids stand under each other)
"""How each genre is played: drum grids, instruments, figures. Data; `composition` turns it into notes.

A grid is 16 characters, one per sixteenth of a 4/4 bar: `x` a hit, `o` a softer one, `g` a ghost note that only dense
tracks play, `.` nothing. Chord figures use the same grid; a held chord lasts until the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

Kit = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Style:
    """Attributes:
    kits: alternative drum grids, one is drawn per track; empty for music without drums.
    bass: instruments to draw from and figures: roots, eighths, offbeat, octaves, walking, kick.
    chords: (instrument, figure) pairs to draw from; a figure is a grid, "hold", "arpeggio" or "strum".
    pads: instruments for held chords behind everything.
    leads: instruments of the melody.
    sevenths: chords have sevenths (and ninths).
    swing: delay of every other sixteenth (or eighth, for `swing_eighths`), in sixteenths.
    looseness_s: standard deviation of human timing.
    room_s: reverb time of a dry track; `space` adds to it.
    duck: depth of the side-chain.
    """

    kits: tuple[Kit, ...]
    bass: tuple[str, ...]
    bass_figures: tuple[str, ...]
    chords: tuple[tuple[str, str], ...]
    pads: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    sevenths: bool = False
    swing: float = 0.0
    swing_eighths: bool = False
    looseness_s: float = 0.004
    room_s: float = 1.2
    duck: float = 0.0
    drums_gain: float = 1.0
    crackle: bool = False


STYLES: dict[str, Style] = {
    "ambient": Style(
        kits=(), bass=("sub_bass",), bass_figures=("roots",),
        chords=(("bell", "x.....o.....o..."), ("piano", "x.........o....."), ("electric_piano", "x.......o......."),
                ("bell", "arpeggio_slow")),
        pads=("pad", "strings"), leads=("bell", "flute", "piano"), sevenths=True, looseness_s=0.02, room_s=3.6,
    ),
    "lo-fi": Style(
        kits=(
            {"kick_soft": "x......o..x.....", "snare": "....x.......x..g", "hat_soft": "x.o.x.o.x.o.x.og"},
            {"kick_soft": "x..o......x..o..", "rim": "....x.......x...", "hat_soft": "x.oox.o.x.oox.o."},
            {"kick_soft": "x.....x...x.....", "snare": "....x..g....x...", "shaker": "x.o.x.o.x.o.x.o."},
        ),
        bass=("upright_bass", "sub_bass"), bass_figures=("kick", "roots"),
        chords=(("electric_piano", "x.........o....."), ("piano", "x..o......o....."), ("guitar", "x.....o...x...o.")),
        leads=("electric_piano", "guitar", "flute", "bell"), sevenths=True, swing=0.42, looseness_s=0.011, room_s=0.9,
        crackle=True, drums_gain=0.85,
    ),
    "house": Style(
        kits=(
            {"kick": "x...x...x...x...", "clap": "....x.......x...", "hat_open": "..x...x...x...x.", "hat": "ogogogogogogogog"},
            {"kick": "x...x...x...x..g", "snare_tight": "....x.......x...", "hat_open": "..x...x...x...x.", "shaker": "xoxoxoxoxoxoxoxo"},
            {"kick": "x...x...x...x...", "clap": "....x.......x..g", "ride": "..x...x...x...x.", "tambourine": "x.oox.oox.oox.oo"},
        ),
        bass=("saw_bass", "sub_bass"), bass_figures=("offbeat", "octaves"),
        chords=(("piano", "x..x..x...x..x.."), ("saw_lead", "..x...x...x...x."), ("electric_piano", "x..x....x..x..o."),
                ("saw_lead", "arpeggio")),
        pads=("pad",), leads=("square_pluck", "saw_lead", "bell"), sevenths=True, swing=0.1, looseness_s=0.002,
        room_s=1.3, duck=0.65, drums_gain=1.1,
    ),
    "drum and bass": Style(
        kits=(
            {"kick_hard": "x.........x.....", "snare_tight": "....x..g.g..x...", "hat": "x.o.x.o.x.o.x.o.", "ride": "..o...o...o...o."},
            {"kick_hard": "x..o......xo....", "snare_tight": "....x..g.g..x..g", "hat": "xoxoxoxoxoxoxoxo"},
            {"kick_hard": "x.....x...x.....", "snare_tight": "....x.......x.go", "shaker": "xoxoxoxoxoxoxoxo", "hat_open": "......x.......x."},
        ),
        bass=("reese_bass",), bass_figures=("roots", "kick"),
        chords=(("saw_lead", "x.....x.....x..."), ("square_pluck", "arpeggio"), ("electric_piano", "x.....o.........")),
        pads=("pad", "strings"), leads=("saw_lead", "square_pluck"), looseness_s=0.002, room_s=1.5, duck=0.3,
        drums_gain=1.2,
    ),
    "rock": Style(
        kits=(
            {"kick": "x.....x.x.....o.", "snare_big": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
            {"kick": "x.x.....x.x...o.", "snare_big": "....x.......x...", "ride": "x.x.x.x.x.x.x.x."},
            {"kick": "x...x...x...x...", "snare_big": "....x.......x.oo", "hat_open": "x...x...x...x..."},
        ),
        bass=("saw_bass", "upright_bass"), bass_figures=("eighths",),
        chords=(("overdriven_guitar", "x.x.x.x.x.x.x.x."), ("overdriven_guitar", "x.....x.x.....x."), ("overdriven_guitar", "hold"),
                ("overdriven_guitar", "x.xx..x.x.xx..x.")),
        leads=("overdriven_guitar_lead", "guitar"), looseness_s=0.006, room_s=0.9, drums_gain=1.15,
    ),
    "orchestral": Style(
        kits=(
            {"timpani": "x.......o......."}, {"timpani": "x.......x.o.o.o."}, {"timpani": "x..............."},
        ),
        bass=("strings",), bass_figures=("roots", "eighths"),
        chords=(("strings", "hold"), ("strings", "x.x.x.x.x.x.x.x."), ("piano", "arpeggio"), ("brass", "x.......o......."),
                ("strings", "arpeggio")),
        pads=("strings",), leads=("flute", "brass", "strings"), looseness_s=0.012, room_s=2.4, drums_gain=0.8,
    ),
    "folk": Style(
        kits=(
            {}, {"kick_soft": "x.......x.......", "tambourine": "....x.......x..."},
            {"kick_soft": "x...x...x...x...", "shaker": "x.o.x.o.x.o.x.o."},
        ),
        bass=("upright_bass",), bass_figures=("roots", "alternate"),
        chords=(("guitar", "strum"), ("guitar", "arpeggio"), ("guitar", "x...o.o.x...o.o.")),
        leads=("flute", "guitar", "strings"), looseness_s=0.012, room_s=0.8, drums_gain=0.8,
    ),
    "jazz": Style(
        kits=(
            {"ride": "x...x.x.x...x.x.", "brush": "....x.......x...", "kick_soft": "o.......o......."},
            {"ride": "x...x.x.x...x.x.", "hat_soft": "....x.......x...", "rim": "......g.......g.", "kick_soft": "o.........o....."},
        ),
        bass=("upright_bass",), bass_figures=("walking",),
        chords=(("piano", "x.....o........."), ("piano", "..x...........o."), ("electric_piano", "x.....x......."),
                ("guitar", "x...x...x...x...")),
        leads=("piano", "flute", "brass", "guitar"), sevenths=True, swing=0.66, swing_eighths=True, looseness_s=0.01,
        room_s=1.0, drums_gain=0.75,
    ),
    "synthwave": Style(
        kits=(
            {"kick": "x...x...x...x...", "snare_big": "....x.......x...", "hat": "..x...x...x...x."},
            {"kick": "x.......x.o.....", "snare_big": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
            {"kick": "x...x...x...x...", "snare_big": "....x.......x...", "hat": "xoxoxoxoxoxoxoxo", "tom": "..............xo"},
        ),
        bass=("saw_bass",), bass_figures=("octaves", "eighths"),
        chords=(("saw_lead", "arpeggio"), ("pad", "hold"), ("saw_lead", "x.....x.....x..."), ("square_pluck", "arpeggio")),
        pads=("pad",), leads=("saw_lead", "saw_lead", "bell"), looseness_s=0.001, room_s=1.9, duck=0.35,
    ),
    "trap": Style(
        kits=(
            {"kick_808": "x......o..x.....", "clap": "........x.......", "hat": "x.x.x.x.x.xxx.x."},
            {"kick_808": "x.....x...x..o..", "snare_tight": "........x.......", "hat": "x.xxx.x.x.x.xxxx"},
            {"kick_808": "x..o......x.....", "clap": "........x.....g.", "hat": "xoxoxoxoxoxoxoxx", "hat_open": "..............x."},
        ),
        bass=("glide_bass",), bass_figures=("kick",),
        chords=(("bell", "arpeggio_slow"), ("piano", "x.....x.....x..."), ("square_pluck", "x..x..x...x....."), ("pad", "hold")),
        pads=("pad", "strings"), leads=("bell", "flute", "square_pluck"), looseness_s=0.002, room_s=1.6, drums_gain=1.1,
    ),
}  # fmt: skip

# chord roots as steps of the scale (0 = tonic), one chord per bar
PROGRESSIONS = {
    False: ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 5, 4), (3, 0, 4, 5), (0, 2, 3, 4), (0, 3, 0, 4)),
    True: ((0, 5, 2, 6), (0, 3, 5, 4), (0, 6, 5, 6), (0, 3, 6, 2), (5, 6, 0, 0), (0, 2, 5, 6)),
}
JAZZ_PROGRESSIONS = {
    False: ((1, 4, 0, 5), (0, 5, 1, 4), (2, 5, 1, 4), (3, 6, 2, 5)),
    True: ((0, 3, 6, 2), (1, 4, 0, 0), (0, 5, 1, 4), (3, 4, 0, 5)),
}
SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10)}

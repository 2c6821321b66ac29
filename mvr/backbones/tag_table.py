"""Words for the logits of `audio-tags`: 45 tags, each with the outputs it is the mean of and what kind of word it is.

Outputs of the Million Song checkpoint have "msd:" in front, those of MagnaTagATune "mtt:"; "-" stands before one that
is reversed ("quiet" for loud). The tags are those that AudioSet's classes share by meaning; "classic rock" and
"progressive rock" are left out, since their outputs answer to old and orchestral sound.
"""

from __future__ import annotations

import re

GENRE, MOOD, INSTRUMENT = "genre", "mood", "instrument"
KINDS = (GENRE, MOOD, INSTRUMENT)

# kind: tag <- outputs; * is the Million Song checkpoint
_TABLE = """
genre: rock <- rock, *rock
genre: indie, alternative <- *alternative, *indie, *alternative rock, *indie rock, *indie pop
genre: metal <- metal, *metal, *heavy metal, *hard rock
genre: punk <- *punk
genre: pop <- pop, *pop, *catchy
genre: electronic <- electronic, *electronic, *electronica, *electro
genre: techno <- techno
genre: house <- *House
genre: dance <- dance, *dance
mood: party, fast <- *party, fast
mood: loud <- loud, -quiet
genre: ambient <- ambient, *ambient
genre: new age <- new age
mood: chillout <- *chillout, *chill, *easy listening
mood: slow, tender <- slow, soft, *Mellow, *beautiful
mood: happy <- *happy
mood: sad <- *sad
genre: jazz <- *jazz
genre: blues <- *blues
genre: country <- country, *country
genre: folk <- *folk
instrument: acoustic <- *acoustic
genre: soul <- *soul
genre: r&b <- *rnb, *sexy
genre: funk <- *funk
genre: hip hop <- *Hip-Hop
genre: classical <- classical, classic
genre: opera <- opera
instrument: choir <- choir, choral
genre: indian <- indian
instrument: guitar <- guitar, *guitar
instrument: piano <- piano
instrument: harpsichord <- harpsichord
instrument: synthesizer <- synth
instrument: drums <- drums
instrument: beat <- beat, beats
instrument: strings <- strings
instrument: violin <- violin
instrument: cello <- cello
instrument: flute <- flute
instrument: harp <- harp
instrument: sitar <- sitar
instrument: vocals <- vocal, vocals, singing, voice, -no vocals, -no vocal, -no voice, -*instrumental
instrument: female voice <- female, woman, female vocal, female voice, *female vocalists, *female vocalist
instrument: male voice <- male, man, male vocal, male voice, *male vocalists
"""


def _rows() -> list[tuple[str, str, list[str]]]:
    lines = [re.match(r"(\w+): (.+) <- (.+)", line) for line in _TABLE.strip().splitlines()]
    return [(line[1], line[2], [_output(name) for name in line[3].split(", ")]) for line in lines if line]


def _output(name: str) -> str:
    sign = "-" if name.startswith("-") else ""
    plain = name.removeprefix("-")
    return f"{sign}msd:{plain[1:]}" if plain.startswith("*") else f"{sign}mtt:{plain}"


TAG_OUTPUTS: dict[str, list[str]] = {tag: outputs for _, tag, outputs in _rows()}
TAG_KINDS: dict[str, str] = {tag: kind for kind, tag, _ in _rows()}

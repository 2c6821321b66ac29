"""Plain words to concepts and tags: "calm piano", "sunny beach", "not loud"; for systems that know no sentences.

Every word of a text that is a concept, a tag, a part of one ("slow" of "slow, tender") or a synonym counts; "no", "not"
and "without" reverse the next one; the others are passed over. A text without any known word is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from mvr.datatypes import FloatArray
from mvr.errors import UsageError

_DEVIATIONS = 3.0  # how far a named word stands out: as a clear case does
_REVERSING = frozenset({"no", "not", "without"})
# what people type -> tags or concepts, "-" in front of one that is reversed
_SYNONYMS = {
    "calm": ("chillout", "slow, tender", "ambient", "-loud"),
    "quiet": ("-loud", "slow, tender"),
    "relaxed": ("chillout", "slow, tender"),
    "relaxing": ("chillout", "ambient", "new age"),
    "peaceful": ("new age", "ambient", "slow, tender"),
    "gentle": ("slow, tender",),
    "soft": ("slow, tender", "-loud"),
    "romantic": ("slow, tender",),
    "dreamy": ("ambient", "new age"),
    "energetic": ("party, fast", "loud", "dance"),
    "upbeat": ("party, fast", "happy", "dance"),
    "aggressive": ("loud", "metal", "punk"),
    "angry": ("loud", "metal"),
    "heavy": ("loud", "metal"),
    "cheerful": ("happy",),
    "joyful": ("happy",),
    "melancholic": ("sad",),
    "melancholy": ("sad",),
    "orchestral": ("classical", "strings"),
    "orchestra": ("classical", "strings"),
    "synth": ("synthesizer",),
    "rap": ("hip hop",),
    "rnb": ("r&b",),
    "edm": ("dance", "house", "electronic"),
    "singing": ("vocals",),
    "voice": ("vocals",),
    "song": ("vocals",),
    "instrumental": ("-vocals", "-female voice", "-male voice"),
    "drum": ("drums",),
    "fiddle": ("violin",),
    "chill": ("chillout",),
    "sea": ("beach",),
    "ocean": ("beach", "underwater"),
    "river": ("lake river",),
    "lake": ("lake river",),
    "city": ("building city",),
    "night": ("light night",),
    "garden": ("plant garden",),
    "bike": ("bicycle",),
    "game": ("video game",),
    "ski": ("snow",),
}


def weights_of_text(text: str, names: Iterable[str]) -> dict[str, float]:
    """Names (of tags or concepts) that a text speaks of -> 1.0, or -1.0 where it reverses them.

    >>> weights_of_text("calm piano, not loud", ["chillout", "slow, tender", "piano", "loud"])
    {'chillout': 1.0, 'slow, tender': 1.0, 'loud': -1.0, 'piano': 1.0}
    """
    known = {part: name for name in names for part in (name, *name.split(", "))}
    found: dict[str, float] = {}
    sign, rest = 1.0, " ".join(re.findall(r"[\w&'-]+", text.casefold()))
    while rest:
        phrase = next((p for p in _phrases(rest) if p in known or p in _SYNONYMS), "")
        for name in (known[phrase],) if phrase in known else _SYNONYMS.get(phrase, ()):
            target = known.get(name.removeprefix("-"))
            if target is not None:
                found[target] = -sign if name.startswith("-") else sign
        word = phrase or rest.split(" ")[0]
        sign = -1.0 if word in _REVERSING else 1.0
        rest = rest[len(word) :].strip()
    return found


def _phrases(rest: str) -> list[str]:
    """Beginnings of one to three words, the longest first: "female voice" before "female"."""
    words = rest.split(" ")
    return [" ".join(words[:count]) for count in (3, 2, 1) if count <= len(words)]


def row_of_text(text: str, names: tuple[str, ...]) -> FloatArray | None:
    """(N,) deviations of named words, 0 elsewhere; None where the text names none of them."""
    weights = weights_of_text(text, names)
    if not weights:
        return None
    return np.array([_DEVIATIONS * weights.get(name, 0.0) for name in names], np.float32)


def require_words(text: str, rows: Iterable[FloatArray | None], tags: tuple[str, ...]) -> None:
    """Refuse a text that names nothing. Raises UsageError."""
    if all(row is None for row in rows):
        shown = ", ".join(name for name in tags if "," not in name)
        raise UsageError(
            f"none of the words {text!r} is known; choose from {shown}, or what can be seen (car, snow, dog ...)"
        )

"""Tracks by words alone: "calm piano" against what each track sounds like; no query, no tags needed."""

from __future__ import annotations

from mvr.datatypes import Modality
from mvr.embeddings.system import load_system
from mvr.library.guesses import TAGGER
from mvr.library.item import Item
from mvr.library.library import Library

_TOGETHER = 1000  # tracks whose features are read in one look


def search_words(library: Library, text: str) -> list[tuple[Item, float]]:
    """Tracks that are music and whose sound was tagged, best first, with the cosine of their best segment.

    Raises:
        UsageError: no word of the text is known.
    """
    system = load_system(TAGGER)
    wanted = system.embed_text(text).vectors[0, 0]
    found, tracks = [], library.items(Modality.AUDIO)
    for at in range(0, len(tracks), _TOGETHER):
        some = tracks[at : at + _TOGETHER]
        tagged = library.features_of_all(some, system)
        for item, guesses in zip(some, library.guesses_of(some), strict=True):
            if guesses and item.id in tagged:
                heard = system.encode(tagged[item.id].features, Modality.AUDIO).vectors[:, 0]
                found.append((item, float((heard @ wanted).max())))
    return sorted(found, key=lambda pair: -pair[1])

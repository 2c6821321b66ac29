"""Tracks by words alone: "calm piano" against what each track sounds like; no query, no tags needed."""

from __future__ import annotations

from mvr.datatypes import Modality
from mvr.embeddings.system import load_system
from mvr.library.guesses import TAGGER
from mvr.library.item import Item
from mvr.library.library import Library


def search_words(library: Library, text: str) -> list[tuple[Item, float]]:
    """Tracks that are music and whose sound was tagged, best first, with the cosine of their best segment.

    Raises:
        UsageError: no word of the text is known.
    """
    system = load_system(TAGGER)
    wanted = system.embed_text(text).vectors[0, 0]
    found = []
    for item in library.items(Modality.AUDIO):
        features = library.features(item, system)
        if features is not None and library.guesses(item):
            heard = system.encode(features.features, Modality.AUDIO).vectors[:, 0]
            found.append((item, float((heard @ wanted).max())))
    return sorted(found, key=lambda pair: -pair[1])

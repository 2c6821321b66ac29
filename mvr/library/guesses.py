"""Guessed words for tracks: genre, mood and instruments by the tags of `audio-tags`, marked as guesses.

They never take the place of tags that a track has, and they are kept nowhere but as features in the cache: the words
are made anew from these. A word is guessed when it stands out by one deviation against the reference sounds; its
confidence is the share of ordinary sounds that it stands out more than (the normal distribution's), no chance of being
right: by agreement with another tagger, dance, tender and hip hop are good words, blues, sitar and folk poor ones.
Sound that is speech, noise or silence gets no words.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from mvr.backbones.soundscape import is_music
from mvr.backbones.tag_table import KINDS, TAG_KINDS
from mvr.config.paths import assets_dir
from mvr.datatypes import FloatArray, JsonDict, Modality
from mvr.embeddings.system import SegmentFeatures, System, load_system
from mvr.heads.bridge import BridgeHead

LEAST_DEVIATIONS = 1.0
MOST = {"genre": 3, "mood": 2, "instrument": 4}
TAGGER, CHECK = (
    "profiles",
    "soundscape",
)  # parts of `bridge-mini`: the first one's features are shared with it


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A word that a network guessed: `kind` is genre, mood or instrument, `confidence` from 0 to 1."""

    word: str
    kind: str
    confidence: float

    def to_json(self) -> JsonDict:
        """JSON-able form."""
        return asdict(self)


class Guesser:
    """Guesses from features; loads its two small networks when first needed."""

    @property
    def ready(self) -> bool:
        """Whether the networks are there: a folder of assets without the parts guesses nothing."""
        return all(
            (assets_dir() / "systems" / "parts" / f"{name}.json").is_file() for name in (TAGGER, CHECK)
        )

    @cached_property
    def systems(self) -> tuple[System, ...]:
        """The tagger and the music check, whose features of a track are needed; nothing where they are not there."""
        return (load_system(TAGGER), load_system(CHECK)) if self.ready else ()

    def guess(self, features_of: Callable[[System], SegmentFeatures | None]) -> tuple[Guess, ...]:
        """Words for a track, strongest first within each kind; none where a feature lacks or it is no music."""
        tagger, check = self.systems
        tags, soundscape = features_of(tagger), features_of(check)
        if tags is None or soundscape is None or not is_music(soundscape.features):
            return ()
        head = tagger.head
        assert isinstance(head, BridgeHead)
        heard = head.tables.heard(tags.features.mean(axis=0, keepdims=True))[0]
        return words_that_stand_out(heard, head.tables.tags)

    def guess_file(self, path: Path) -> tuple[Guess, ...]:
        """Words for the sound of a file that no library holds. Raises MediaError: it cannot be used."""
        return self.guess(lambda system: system.features_of_file(path, Modality.AUDIO)) if self.ready else ()


def words_that_stand_out(heard: FloatArray, tags: tuple[str, ...]) -> tuple[Guess, ...]:
    """Guesses from tags (T,) in deviations."""
    found = []
    for kind in KINDS:
        ranked = sorted(
            (-float(value), tag) for tag, value in zip(tags, heard, strict=True) if TAG_KINDS[tag] == kind
        )
        for negative, tag in ranked[: MOST[kind]]:
            if -negative >= LEAST_DEVIATIONS:
                found.append(Guess(word=tag, kind=kind, confidence=round(_share_below(-negative), 3)))
    return tuple(found)


def _share_below(deviations: float) -> float:
    """The normal distribution's share below so many deviations.

    >>> round(_share_below(1.0), 3)
    0.841
    """
    return 0.5 * (1 + math.erf(deviations / math.sqrt(2)))

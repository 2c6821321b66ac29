"""Words for what is seen, asked for and heard, from the tables of a bridge; pure arithmetic.

A concept is seen when it stands out by the tables' `least_seen` deviations and has a profile worth a word. A tag is
asked for when the profile of one of the seen concepts exceeds `LEAST_PROFILE`. A tag is heard when it stands out by
`least_heard` in sound that is music. "Because of" is what is both asked for and heard. At most `MOST_WORDS` of each,
strongest first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datatypes import FloatArray
from mvr.heads.bridge import BridgeTables

LEAST_PROFILE = 0.3
MOST_WORDS = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class QueryWords:
    """What is said of a query.

    Attributes:
        sees: of a clip, what is in the picture.
        asks_for: of a clip, what the music should be like.
        hears: of music, what it is like.
        tags: (T,) how much each tag is asked for by a clip, or heard in music.
    """

    sees: tuple[str, ...] = ()
    asks_for: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    tags: FloatArray


def words_of_clip(tables: BridgeTables, features: FloatArray) -> QueryWords:
    """Words for a clip from its concept scores (S, C), averaged over its segments."""
    mean = features.mean(axis=0, keepdims=True)
    seen, wanted = tables.seen(mean)[0], tables.wanted(mean)[0]
    told = tables.mixture.max(axis=1) > LEAST_PROFILE
    concepts = strongest(np.where(told, seen, -np.inf), tables.least_seen)
    profile = tables.mixture[concepts].max(axis=0) if concepts else np.zeros(len(tables.tags))
    asked = np.where(profile > LEAST_PROFILE, wanted, 0.0).astype(np.float32)
    return QueryWords(
        sees=tuple(tables.concepts[at] for at in concepts),
        asks_for=tuple(tables.tags[at] for at in strongest(asked, 0.0)),
        tags=asked,
    )


def heard_tags(tables: BridgeTables, features: FloatArray) -> FloatArray:
    """(T,) how far each tag stands out in a sound, from its logits (S, L), averaged over its segments."""
    found: FloatArray = tables.heard(features.mean(axis=0, keepdims=True))[0]
    return found


def words_of_music(tables: BridgeTables, heard: FloatArray) -> tuple[str, ...]:
    """The tags that stand out most."""
    return tuple(tables.tags[at] for at in strongest(heard, tables.least_heard))


def because(tables: BridgeTables, asked: FloatArray, heard: FloatArray) -> tuple[str, ...]:
    """Tags that are both asked for and heard, the strongest product first."""
    product = np.where((asked > 0) & (heard > tables.least_heard), asked * heard, 0.0).astype(np.float32)
    return tuple(tables.tags[at] for at in strongest(product, 0.0))


def strongest(values: FloatArray, least: float) -> list[int]:
    """Positions of the largest values above `least`, at most `MOST_WORDS`.

    >>> strongest(np.array([0.2, 3.0, 1.0, 2.0, 4.0], np.float32), 0.5)
    [4, 1, 3]
    """
    order = np.argsort(-values, kind="stable")[:MOST_WORDS]
    return [int(at) for at in order if values[at] > least]

"""Why this match: what can be heard and seen of the two segments, in a few measured words.

The numbers are dimensions of the backbone `descriptors` (a system with another backbone has none of them), so they say
what the system looked at, not what a person should feel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mvr.backbones.backbone import Backbone
from mvr.datatypes import FloatArray
from mvr.library import Item

if TYPE_CHECKING:
    from mvr.timing.film import FilmTiming
    from mvr.timing.music import MusicTiming

# dimension -> (name of the fact, number of the descriptor -> number to show)
_FACTS: dict[str, tuple[str, Callable[[float], float]]] = {
    "rhythm.tempo": ("tempo_bpm", lambda octaves: 120 * 2**octaves),
    "rhythm.onset_rate": ("onsets_per_s", float),
    "harmony.mode": ("major_less_minor", float),
    "shape.centroid_mean": ("brightness_hz", lambda octaves: 1000 * 2**octaves),
    "cuts.rate": ("cuts_per_s", float),
    "motion.flow_mean": ("motion_widths_per_s", lambda log: 10**log),
    "colour.lightness_mean": ("lightness", float),
    "colour.warm": ("warm_less_cold", float),
}
_CUT_EVERY_S = 30.0  # rarer cuts are not worth a word


def facts_of(backbone: Backbone, features: FloatArray) -> dict[str, float]:
    """Facts of one segment from its features (D,); none for a backbone without named dimensions."""
    dimensions = getattr(backbone, "dimensions", None)
    if dimensions is None:
        return {}
    values = {dimension.name: float(value) for dimension, value in zip(dimensions(), features, strict=True)}
    facts = {fact: round(show(values[name]), 4) for name, (fact, show) in _FACTS.items() if name in values}
    if facts.get("onsets_per_s", 1) == 0:  # where nothing begins, the feature holds a tempo for want of one
        facts.pop("tempo_bpm", None)
    return facts


def facts_of_item(item: Item, backbone: Backbone, features: FloatArray) -> dict[str, float]:
    """Facts of one segment of an item; the tempo is the item's own, tagged or estimated on a longer span, or none."""
    facts = facts_of(backbone, features)
    if facts.pop("tempo_bpm", None) is not None and item.tempo_bpm is not None:
        return {"tempo_bpm": item.tempo_bpm, **facts}
    return facts


def with_tempo(facts: dict[str, float], music: MusicTiming) -> dict[str, float]:
    """Facts of a track with its measured tempo where none was known when the list was made."""
    if "tempo_bpm" in facts or "onsets_per_s" not in facts or music.tempo_bpm is None:
        return facts
    return {"tempo_bpm": round(music.tempo_bpm, 1), **facts}


def with_cuts(facts: dict[str, float], film: FilmTiming) -> dict[str, float]:
    """Facts of a clip with the cuts that its time line shows in place of those guessed from sampled frames."""
    if "cuts_per_s" not in facts:
        return facts
    return facts | {"cuts_per_s": round(len(film.cuts_s) / max(film.duration_s, 1.0), 4)}


def words_of(facts: dict[str, float]) -> list[str]:
    """Facts as short phrases.

    >>> words_of({"tempo_bpm": 111.7, "onsets_per_s": 3.24, "major_less_minor": -0.4})
    ['112 bpm', '3.2 onsets a second', 'minor']
    >>> words_of({"cuts_per_s": 0.5, "motion_widths_per_s": 0.01, "lightness": 20.0})
    ['a cut every 2.0 s', 'slow movement', 'dark']
    """
    words = []
    if "tempo_bpm" in facts:
        words.append(f"{facts['tempo_bpm']:.0f} bpm")
    if "onsets_per_s" in facts:
        words.append(f"{facts['onsets_per_s']:.1f} onsets a second")
    if abs(facts.get("major_less_minor", 0)) > 0.1:
        words.append("major" if facts["major_less_minor"] > 0 else "minor")
    if facts.get("cuts_per_s", 0) > 1 / _CUT_EVERY_S:
        words.append(f"a cut every {1 / facts['cuts_per_s']:.1f} s")
    if "motion_widths_per_s" in facts:
        speed = facts["motion_widths_per_s"]
        words.append(
            "slow movement" if speed < 0.03 else "lively movement" if speed < 0.2 else "fast movement"
        )
    if "lightness" in facts and not 35 <= facts["lightness"] <= 70:
        words.append("dark" if facts["lightness"] < 35 else "bright")
    return words

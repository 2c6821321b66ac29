"""Which items may be ranked."""

from __future__ import annotations

from dataclasses import dataclass

from mvr.library import Item


@dataclass(frozen=True, kw_only=True)
class Filters:
    """All that are given must hold; an item that lacks the fact a filter asks for is left out.

    Attributes:
        genres, moods: the item has at least one of them (upper and lower case alike).
        licences: the item's licence begins with one of them, such as "CC0" or "CC BY".
        commercial: keep only what one may earn money with, see `mvr.library.rights`; unknown is left out.
        min_duration_s, max_duration_s, min_tempo_bpm, max_tempo_bpm: inclusive.
        ids: only these items.
    """

    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    commercial: bool = False
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    min_tempo_bpm: float | None = None
    max_tempo_bpm: float | None = None
    ids: frozenset[str] | None = None

    def allow(self, item: Item) -> bool:
        """Whether the item may be ranked."""
        return (
            _any_of(self.genres, item.genre)
            and _any_of(self.moods, item.mood)
            and (not self.commercial or item.rights.commercial)
            and self._licence_allows(item.licence)
            and _within(item.duration_s, self.min_duration_s, self.max_duration_s)
            and _within(item.tempo_bpm, self.min_tempo_bpm, self.max_tempo_bpm)
            and (self.ids is None or item.id in self.ids)
        )

    def _licence_allows(self, licence: str) -> bool:
        plain = _plain(licence)
        return not self.licences or any(plain.startswith(_plain(wanted)) for wanted in self.licences)


EVERYTHING = Filters()


def _plain(licence: str) -> str:
    return licence.casefold().replace("_", "-").strip()


def _any_of(wanted: tuple[str, ...], labels: tuple[str, ...]) -> bool:
    return not wanted or not {w.casefold() for w in wanted}.isdisjoint(label.casefold() for label in labels)


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)

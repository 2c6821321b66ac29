"""Which items may be ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mvr.backbones.tag_table import GENRE, INSTRUMENT, MOOD, TAG_KINDS
from mvr.errors import UsageError
from mvr.library import Item
from mvr.library.guesses import Guess


@dataclass(frozen=True, kw_only=True)
class Filters:
    """All that are given must hold; an item that lacks the fact a filter asks for is left out.

    Attributes:
        genres, moods, instruments: the item has at least one of them (upper and lower case alike); where it has no
            tag of the kind, a guessed word counts.
        licences: the item's licence begins with one of them, such as "CC0" or "CC BY".
        commercial: refuse systems whose weights forbid it, and keep only what one may earn money with (see
            `mvr.library.rights`); unknown is left out.
        min_duration_s, max_duration_s, min_tempo_bpm, max_tempo_bpm: inclusive.
        ids: only these items.
    """

    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    commercial: bool = False
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    min_tempo_bpm: float | None = None
    max_tempo_bpm: float | None = None
    ids: frozenset[str] | None = None

    def allow(self, item: Item, guessed: Sequence[Guess] = ()) -> bool:
        """Whether the item may be ranked."""
        return (
            _any_of(self.genres, genres_of(item, guessed))
            and _any_of(self.moods, moods_of(item, guessed))
            and _any_of(self.instruments, _words(guessed, INSTRUMENT))
            and (not self.commercial or item.rights.commercial)
            and self._licence_allows(item.licence)
            and _within(item.duration_s, self.min_duration_s, self.max_duration_s)
            and _within(item.tempo_bpm, self.min_tempo_bpm, self.max_tempo_bpm)
            and (self.ids is None or item.id in self.ids)
        )

    def _licence_allows(self, licence: str) -> bool:
        plain = plain_licence(licence)
        return not self.licences or any(plain.startswith(plain_licence(wanted)) for wanted in self.licences)


EVERYTHING = Filters()


INSTRUMENTS = tuple(tag for tag, kind in TAG_KINDS.items() if kind == INSTRUMENT)


def known_instruments(words: Sequence[str]) -> tuple[str, ...]:
    """The words, each an instrument that a track can be guessed to have. Raises UsageError: another one."""
    for word in words:
        if word.casefold() not in INSTRUMENTS:
            raise UsageError(f"unknown instrument {word!r}; choose from {', '.join(INSTRUMENTS)}")
    return tuple(words)


def plain_licence(licence: str) -> str:
    """A licence as filters compare it."""
    return licence.casefold().replace("_", "-").strip()


def genres_of(item: Item, guessed: Sequence[Guess]) -> tuple[str, ...]:
    """Genres by which an item is found: those of its tags, or else guessed ones."""
    return item.genre or _words(guessed, GENRE)


def moods_of(item: Item, guessed: Sequence[Guess]) -> tuple[str, ...]:
    """Moods by which an item is found: those of its tags, or else guessed ones."""
    return item.mood or _words(guessed, MOOD)


def _words(guessed: Sequence[Guess], kind: str) -> tuple[str, ...]:
    """Guessed words of a kind, each of a double one ("slow, tender") by itself, too."""
    words = [guess.word for guess in guessed if guess.kind == kind]
    return tuple(dict.fromkeys([*words, *(part for word in words for part in word.split(", "))]))


def _any_of(wanted: tuple[str, ...], labels: tuple[str, ...]) -> bool:
    return not wanted or not {w.casefold() for w in wanted}.isdisjoint(label.casefold() for label in labels)


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)

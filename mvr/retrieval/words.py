"""Explanations of a list: what a system sees, asks for and hears, where it has tables of words (heads of a bridge)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mvr.datatypes import Direction, FloatArray, Modality
from mvr.embeddings.system import SegmentFeatures, System
from mvr.heads.bridge import BridgeTables
from mvr.library import Item, Library
from mvr.retrieval.explanation import QueryWords, because, heard_tags, words_of_clip, words_of_music
from mvr.retrieval.query import Query
from mvr.retrieval.ranked import Result


class Words:
    """What can be said under one system; nothing for a system without words.

    Args:
        library: where features of items are.
        system: a bridge, or a mixture that has one as a member.
    """

    def __init__(self, library: Library, system: System) -> None:
        self._library = library
        self._system = next((part for part in system.parts if part.explains), None)

    def hears(self, direction: Direction) -> bool:
        """Whether a query's words depend on its sound being music."""
        return direction is Direction.MUSIC_TO_VIDEO and self._tables() is not None

    def of_query(
        self, direction: Direction, found: SegmentFeatures, *, is_music: bool = True
    ) -> QueryWords | None:
        """Words for a query from its features under this system; none for sound that is no music."""
        tables = self._tables()
        if tables is None:
            return None
        if direction is Direction.VIDEO_TO_MUSIC:
            return words_of_clip(tables, found.features)
        if not is_music:
            return None
        heard = heard_tags(tables, found.features)
        return QueryWords(hears=words_of_music(tables, heard), tags=heard)

    def explain(self, query: Query, results: Sequence[Result]) -> list[Result]:
        """The results with their guessed words, what is heard in each and why it is there."""
        guessed = self._library.guesses_of([result.item for result in results])
        pairs = zip(results, guessed, strict=True)
        return [self._explained(query, replace(result, guessed=words)) for result, words in pairs]

    def _explained(self, query: Query, result: Result) -> Result:
        tables, words = self._tables(), query.words
        if tables is None or words is None:
            return result
        features = self._features(result.item)
        if features is None:
            return result
        if query.direction is Direction.MUSIC_TO_VIDEO:
            clip = words_of_clip(tables, features)
            return replace(result, because=because(tables, clip.tags, words.tags), heard=clip.sees)
        heard = heard_tags(tables, features)
        return replace(
            result, because=because(tables, words.tags, heard), heard=words_of_music(tables, heard)
        )

    def _features(self, item: Item) -> FloatArray | None:
        """Features of an item; None where there are none, or its sound is no music."""
        assert self._system is not None
        found = self._library.features(item, self._system)
        if found is None or (
            item.modality is Modality.AUDIO and not self._library.is_music(item.path, item.content)
        ):
            return None
        return found.features

    def _tables(self) -> BridgeTables | None:
        return self._system.tables if self._system is not None else None

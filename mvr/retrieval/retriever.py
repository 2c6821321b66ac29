"""The Retriever: one library, one system; queries are embedded once and ranked at any alpha.

    retriever = Retriever(library, system)
    query = retriever.embed_query("clip.mp4", Direction.VIDEO_TO_MUSIC)
    ranked = retriever.rank(query, alpha=0.3, k=10)
    ranked = retriever.rank(query, alpha=0.8, k=10)      # exact, and no vector is touched again

An item scores by its best pair of segments; `start_s` of a result is where that segment begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mvr.config.digest import content_hash
from mvr.config.threads import one_thread
from mvr.datatypes import Direction, FloatArray, branch_weights
from mvr.embeddings.mixed import MixedSystem
from mvr.embeddings.system import SegmentFeatures, System
from mvr.errors import UsageError
from mvr.index.mixture import best_first
from mvr.library import Library, LibraryIndex, Progress, Skipped
from mvr.library.catalogue import display_name
from mvr.media.progress import stretch
from mvr.retrieval.diversity import pick_diverse
from mvr.retrieval.facts import facts_of
from mvr.retrieval.filters import EVERYTHING, Filters
from mvr.retrieval.kept import KeptProducts
from mvr.retrieval.query import Query, blend_text
from mvr.retrieval.ranked import RankedList
from mvr.retrieval.ranking import Compared, Joined, MixedRanking, OneRanking, Ranking
from mvr.retrieval.words import Words

_FEATURES_SHARE = 0.6  # of the time for a piece of music; the rest goes into hearing whether it is one
_DIVERSE_POOL = 10  # diversity picks among this many times k of the best


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """How a list is to be made; see `Retriever.rank`."""

    alpha: float
    k: int
    filters: Filters
    diversity: float
    text: str | None
    text_weight: float

    @property
    def pool(self) -> int:
        """How many of the best are looked at."""
        return max(50, _DIVERSE_POOL * self.k) if self.diversity > 0 else self.k


@dataclass(kw_only=True)
class _Asked:
    """A file that is asked with: its features by recipe, and whether its sound is music, as far as they are known."""

    path: Path
    content: str
    direction: Direction
    features: dict[str, SegmentFeatures] = field(default_factory=dict)
    is_music: bool | None = None


class Retriever:
    """Ranks a library's items under one system; safe to share between threads.

    Args:
        library: what is searched.
        system: whose embeddings.
    """

    def __init__(self, library: Library, system: System) -> None:
        self.library = library
        self.system = system
        self._words = Words(library, system)
        self._kept = KeptProducts()
        self._filtered: tuple[Filters, object, npt.NDArray[np.bool_]] | None = None
        self._joined_items: Joined | None = None
        self._members = (
            [(member, Retriever(library, member.system)) for member in system.members]
            if isinstance(system, MixedSystem)
            else []
        )

    def lacks(self, direction: Direction) -> bool:
        """Whether `prepare` has something to look at: items of another system, or of an earlier version of this one."""
        target = direction.target
        lacking = any(self.library.index(part, target).missing for part in self.system.parts)
        return lacking and bool(self.library.missing(self.system, target))

    def prepare(self, direction: Direction, progress: Progress | None = None) -> list[Skipped]:
        """Embed items that were added under another system, and build the index; returns unreadable files."""
        skipped = self.library.embed_missing(self.system, direction.target, progress)
        for part in self.system.parts:
            self.library.index(part, direction.target)
        return skipped

    def embed_query(self, path: Path | str, direction: Direction) -> Query:
        """Embed a clip or a piece of music; a file that the library holds is not computed again.

        Raises:
            MediaError: the file cannot be used. UsageError: it is not there.
        """
        path = Path(path)
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        return self._embed(_Asked(path=path, content=content_hash(path), direction=direction))

    def _embed(self, asked: _Asked) -> Query:
        """The query; members of a mixture that share a backbone share what it says of the file."""
        direction = asked.direction
        if self._members:
            recipes = {one.system.recipe_hash(direction.query) for _, one in self._members}
            parts = []
            for _, retriever in self._members:
                new = retriever.system.recipe_hash(direction.query) not in asked.features
                at = len(asked.features) / len(recipes)
                with stretch(at, at + new / len(recipes)):
                    parts.append(retriever._embed(asked))
            return self._joined(tuple(parts))
        hears = self._words.hears(direction)
        with stretch(0.0, _FEATURES_SHARE if hears else 1.0):
            found = self._features(asked)
        if hears and asked.is_music is None:
            with stretch(_FEATURES_SHARE, 1.0):
                asked.is_music = self.library.is_music(asked.path, asked.content)
        return Query(
            name=display_name(asked.path),
            content=asked.content,
            direction=direction,
            duration_s=found.segments[-1].end_s,
            segments=found.segments,
            embeddings=self.system.encode(found.features, direction.query),
            system=self.system.identity,
            facts=facts_of(self.system.backbone(direction.query), found.features[0]),
            words=self._words.of_query(direction, found, is_music=asked.is_music is not False),
        )

    def _features(self, asked: _Asked) -> SegmentFeatures:
        """Features of the file, the library's where it holds it."""
        modality = asked.direction.query
        recipe = self.system.recipe_hash(modality)
        if recipe not in asked.features:
            known = self.library.features_of(asked.content, self.system, modality)
            asked.features[recipe] = known or self.library.timings.look_on(
                asked.path,
                asked.content,
                modality,
                lambda: self.system.features_of_file(asked.path, modality),
                on_disk=False,
            )
        return asked.features[recipe]

    def _joined(self, parts: tuple[Query, ...]) -> Query:
        """One query of a mixture from its members' queries."""
        facts: dict[str, float] = {}
        for part in parts:
            facts |= part.facts
        words = next((part.words for part in parts if part.words is not None), None)
        return replace(parts[0], system=self.system.identity, facts=facts, words=words, parts=parts)

    def waits(self, ranked: RankedList) -> bool:
        """Whether something of a list has to be measured before it can be placed."""
        query, timings = ranked.query, self.library.timings
        asked = timings.known(query.content, query.direction.query)
        return not asked or bool(timings.missing([result.item for result in ranked.results]))

    def place(
        self, ranked: RankedList, path: Path, progress: Callable[[float], None] | None = None
    ) -> RankedList:
        """The same list with each track's start moved to where it meets the picture, see `mvr.retrieval.timed`.

        Args:
            ranked: from `rank`.
            path: the file that was asked with; it is decoded where it was not measured yet.
            progress: called with the share of it that is decoded.

        Raises:
            MediaError: the file cannot be used.
        """
        from mvr.retrieval.timed import place_list

        query, timings = ranked.query, self.library.timings
        timings.measure(path, query.content, query.direction.query, progress, on_disk=False)
        return place_list(ranked, timings)

    def query_item(self, item_id: str) -> Query:
        """Ask with an item of the library itself. Raises NotInLibrary."""
        item = self.library.item(item_id)
        direction = next(d for d in Direction if d.query is item.modality)
        return self.embed_query(item.path, direction)

    def rank(
        self,
        query: Query,
        alpha: float | None = None,
        k: int = 10,
        *,
        filters: Filters = EVERYTHING,
        diversity: float = 0.0,
        text: str | None = None,
        text_weight: float = 0.0,
    ) -> RankedList:
        """Rank the library for a query.

        Args:
            query: from `embed_query` of a retriever with the same system.
            alpha: 0 follows what pairs taught, 1 follows labels such as genre; None: what the system's card says.
            k: length of the list at most.
            filters: which items may be ranked.
            diversity: 0 ranks by score alone; towards 1, items like those above them go down.
            text: words that move the query, for systems that know words.
            text_weight: 0 the clip alone, 1 the words alone.

        A result whose file is gone is marked as missing and the list is made again without it.

        Raises:
            UsageError: a number out of range, words for a system that knows none, a query of another system, commercial
                use with a system whose weights do not allow it.
        """
        alpha = self.system.card.alpha_default if alpha is None else alpha
        _check_ranges(alpha=alpha, diversity=diversity, text_weight=text_weight)
        if k < 1:
            raise UsageError(f"k must be at least 1, not {k}")
        if filters.commercial:
            self.system.card.require_commercial()
        wish = _Wish(
            alpha=alpha,
            k=k,
            filters=filters,
            diversity=diversity,
            text=text,
            text_weight=text_weight if text else 0.0,
        )
        while True:
            with one_thread():
                ranked = self._rank(query, wish)
            gone = [result.item.id for result in ranked.results if not result.item.path.exists()]
            if not gone or not self.library.check_files(gone):
                return ranked

    def _rank(self, query: Query, wish: _Wish) -> RankedList:
        query.check_system(self.system.identity)
        index = None if self._members else self.library.index(self.system, query.direction.target)
        if index is not None and index.measured is not None:
            return self._rank_nearest(query, wish, index)
        ranking = self._ranking(query, wish.alpha, wish.text, wish.text_weight)
        allowed = self._allowed(ranking, wish.filters)
        order = best_of_each(ranking.scores, allowed, ranking.music, wish.pool)
        return self._listed(query, wish, ranking, order, allowed)

    def _rank_nearest(self, query: Query, wish: _Wish, index: LibraryIndex) -> RankedList:
        """Of a library too large to look at every row: the items of the nearest rows, with exact scores."""
        alpha, wanted = wish.alpha, wish.pool
        allowed, vectors = (
            self._allowed(index, wish.filters),
            self._moved(query, wish.text, wish.text_weight),
        )
        rows_allowed = None if allowed.all() else allowed[index.owner]
        weights, fetch = branch_weights(alpha, len(self.system.branches)), 8 * wanted
        while True:
            found = [
                index.index.search(segment, weights, fetch, allowed=rows_allowed).rows for segment in vectors
            ]
            positions = np.unique(index.owner[np.concatenate(found)])
            part = index.part(positions)
            compared = Compared(part, tuple(part.index.cross(segment) for segment in vectors))
            ranking = OneRanking(self.library, self.system, query, compared, alpha)
            order = best_of_each(ranking.scores, np.ones(len(part), bool), part.music, wanted)
            if len(order) >= wanted or len(positions) >= allowed.sum() or fetch >= len(index.times):
                break
            fetch *= 4  # of many copies of one piece
        ranked = self._listed(query, wish, ranking, order, allowed)
        assert index.measured is not None
        return replace(ranked, library_items=len(index), answer=index.measured.words)

    def _listed(
        self,
        query: Query,
        wish: _Wish,
        ranking: Ranking,
        order: npt.NDArray[np.int64],
        allowed: npt.NDArray[np.bool_],
    ) -> RankedList:
        if wish.diversity > 0:
            scores, vectors = ranking.scores[order], ranking.vectors(order)
            order = order[pick_diverse(scores, vectors, wish.k, wish.diversity)]
        results = ranking.results(order[: wish.k])
        return RankedList(
            query=query,
            system=self.system.name,
            alpha=wish.alpha,
            results=tuple(self._words.explain(query, results)),
            candidates=int(allowed.sum()),
            library_items=len(ranking.items),
            missing=ranking.missing,
            mixture=tuple(ranking.mixture()),
        )

    def _allowed(self, ranking: Ranking | LibraryIndex, filters: Filters) -> npt.NDArray[np.bool_]:
        """Items whose file was there when it was last looked for and that the filters let through; what these say is
        kept for the next alpha, since every item has to be looked at."""
        if filters == EVERYTHING:
            return ranking.present
        held = self._filtered
        if held is None or held[0] != filters or held[1] is not ranking.written:
            by_words = bool(filters.genres or filters.moods or filters.instruments)
            guessed = self.library.guesses_of(ranking.items) if by_words else [()] * len(ranking.items)
            pairs = zip(ranking.items, guessed, strict=True)
            through = np.array([filters.allow(item, words) for item, words in pairs], bool)
            self._filtered = held = (filters, ranking.written, through)
        allowed: npt.NDArray[np.bool_] = ranking.present & held[2]
        return allowed

    def _ranking(self, query: Query, alpha: float, text: str | None, weight: float) -> Ranking:
        """Scores of all items, before any filter."""
        if not self._members:
            compared = self._compare(query, text, weight)
            return OneRanking(self.library, self.system, query, compared, alpha)
        if weight and not self.system.card.text:
            self.system.embed_text(text or "")  # says that it knows no words
        rankings = []
        for (member, retriever), part in zip(self._members, query.parts, strict=True):
            knows = member.system.card.text
            ranking = retriever._ranking(
                part, member.alpha, text if knows else None, weight if knows else 0.0
            )
            assert isinstance(ranking, OneRanking)
            share = member.weight * (
                1.0 if knows else 1.0 - weight
            )  # words speak through those that know them
            rankings.append((member.system.name, share, member.alpha, ranking))
        indexes = [self.library.index(m.system, query.direction.target) for m, _ in self._members]
        joined = self._joined_items
        if joined is None or not joined.is_of(indexes):
            self._joined_items = joined = Joined(indexes)
        return MixedRanking(rankings, joined)

    def _compare(self, query: Query, text: str | None, weight: float) -> Compared:
        """The query against every row of the present index, kept for the next alpha."""
        index = self.library.index(self.system, query.direction.target)
        held = self._kept.get(query, text or "", weight, index)
        if held is not None and held.index is index:
            compared = held
        else:
            compared = Compared.of(index, self._moved(query, text, weight), held)
        self._kept.put(query, text or "", weight, compared)
        return compared

    def _moved(self, query: Query, text: str | None, weight: float) -> FloatArray:
        """The query's vectors (S, B, D), moved by words."""
        vectors = query.embeddings.vectors
        if text and weight > 0:
            return blend_text(
                vectors, self.system.embed_text(text, query.direction.target).vectors[0], weight
            )
        return vectors


def best_of_each(
    scores: FloatArray, allowed: npt.NDArray[np.bool_], music: npt.NDArray[np.int64], count: int
) -> npt.NDArray[np.int64]:
    """The `count` best allowed items, best first, each piece of music once: of copies the best scoring one stays.

    Only as many items are put in order as it takes.
    """
    candidates = np.flatnonzero(allowed)
    looked = count
    while True:
        order = candidates[best_first(scores[candidates], looked)]
        firsts = np.unique(music[order], return_index=True)[1]
        if len(firsts) >= count or len(order) == len(candidates):
            kept: npt.NDArray[np.int64] = order[np.sort(firsts)][:count]
            return kept
        looked = 4 * looked


def _check_ranges(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value <= 1:  # NaN compares false
            raise UsageError(f"{name} must be from 0 to 1, not {value}")

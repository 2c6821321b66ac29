"""What the arena may ask of retrieval: queries, competitors and their lists over one library."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mvr.arena.candidates import Candidate, Competitor, QueryItem
from mvr.arena.reranking.model import Reranker
from mvr.datatypes import Direction, Modality
from mvr.errors import NotInLibrary
from mvr.library import Item
from mvr.page.library import DEMO, Catalogue
from mvr.page.search import Learned
from mvr.page.serving import PerKey
from mvr.retrieval import Query, Retriever

_LISTED_S = 5.0
_KEPT_QUERIES = 2000
ALPHAS = (0.0, 0.5, 1.0)  # of a system that has a slider: its two ends and the middle compete


@dataclass(frozen=True, kw_only=True)
class OwnClip:
    """A visitor's own file as a query: its path stays on the server, its id says nothing."""

    item: QueryItem
    path: Path
    direction: Direction


class Contest:
    """`mvr.arena.candidates.Candidates` over a library of the catalogue; safe to use from several threads.

    Args:
        catalogue: systems and libraries.
        library: key of the library whose items are ranked; queries are its own, or of the demo library where it has
            none of the kind.
        learned: re-rankings that votes taught.
        brings_music: whether the own sound of a clip of the library is music that may compete; the demo's never does.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        library: str,
        learned: Learned | None = None,
        brings_music: Callable[[Item], bool] = lambda clip: False,
    ) -> None:
        self._catalogue, self._library = catalogue, library
        self._learned = learned or Learned(catalogue)
        self._brings_music = brings_music
        self._trials: dict[str, Reranker] = {}
        self._own: dict[str, OwnClip] = {}
        self._claimed: dict[str, str] = {}
        self._lists: dict[tuple[str, Modality | None], tuple[float, list[Item]]] = {}
        self._queries: PerKey[tuple[str, str], Query] = PerKey(_KEPT_QUERIES)
        self._ready: PerKey[tuple[str, Direction], Retriever] = PerKey(_KEPT_QUERIES)
        self._lock = threading.Lock()

    def competitors(self) -> list[Competitor]:
        """Every ready system, at three alphas where it has a slider, and its re-rankings on trial."""
        found: dict[str, Competitor] = {}
        for choice in self._catalogue.ready():
            alphas: set[float | None] = {*ALPHAS, choice.card.alpha_default} if choice.card.alpha else {None}
            version = self._catalogue.system(choice.name).identity
            for model in self._on_trial(choice.name):
                alphas.add(model.played_alpha)
                trial = Competitor(
                    system_id=model.competitor,
                    version=model.identity,
                    alpha=model.played_alpha,
                    direction=Direction(model.direction),
                    trained_on=frozenset(model.training_groups),
                )
                found[trial.name] = trial
                self._trials[trial.name] = model
            for alpha in sorted(alphas, key=lambda one: one or 0.0):
                plain = Competitor(system_id=choice.name, version=version, alpha=alpha)
                found[plain.name] = plain
        return list(found.values())

    def _on_trial(self, system: str) -> list[Reranker]:
        models = (self._learned.candidate(system, direction) for direction in Direction)
        return [model for model in models if model is not None]

    @property
    def pool_version(self) -> str:
        """Hash of the items that can be ranked."""
        ids = "\n".join(sorted(item.id for item in self._listed(self._library)))
        return hashlib.sha256(ids.encode()).hexdigest()[:16]

    def queries(self, direction: Direction) -> Sequence[QueryItem]:
        """Items of the query's modality: this library's, or the demo library's where it has none."""
        for key in dict.fromkeys((self._library, DEMO)):
            if found := self._listed(key, direction.query):
                return [self._query_item(item, key) for item in sorted(found, key=lambda item: item.id)]
        return []

    def items(self, direction: Direction) -> Sequence[Candidate]:
        """Every item that could be ranked."""
        items = sorted(self._listed(self._library, direction.target), key=lambda item: item.id)
        return [_candidate(item, 0, 0.0, 0.0) for item in items]

    def top(self, query: QueryItem, competitor: Competitor, k: int) -> Sequence[Candidate]:
        """A competitor's best `k` items, one per music."""
        trial = self._trials.get(competitor.name)
        system = competitor.system_id if trial is None else trial.system
        retriever = self._prepared(system, self._direction(query))
        places = 2 * max(k, trial.depth if trial is not None else 0)
        ranked = retriever.rank(self._embedded(query, system), competitor.alpha or 0.0, places)
        if trial is not None:
            ranked = self._learned.reorder(ranked, self._library, trial)
        found: dict[str, Candidate] = {}
        for result in ranked.results:
            candidate = _candidate(result.item, len(found) + 1, result.score, result.start_s)
            found.setdefault(candidate.group_id, candidate)
        return [replace(item, rank=rank) for rank, item in enumerate(list(found.values())[:k], start=1)]

    def add_own(self, clip: OwnClip) -> None:
        """Let a visitor's own file be asked for, as long as this server runs."""
        with self._lock:
            self._own[clip.item.query_id] = clip

    def own(self, query_id: str) -> OwnClip | None:
        """A visitor's own file by the id of its query."""
        with self._lock:
            return self._own.get(query_id)

    def claim(self, query_id: str, voter: str) -> bool:
        """Whether a visitor's own file belongs to this voter: to the first one who asks with its id."""
        with self._lock:
            return query_id in self._own and self._claimed.setdefault(query_id, voter) == voter

    def duration_s(self, item_id: str) -> float:
        """Length of an item or of a query. Raises NotInLibrary when it is gone."""
        own = self.own(item_id)
        return own.item.duration_s if own is not None else self.item(item_id).duration_s

    def path(self, item_id: str) -> Path:
        """The file of an item or of a query. Raises NotInLibrary when it is gone."""
        own = self.own(item_id)
        return own.path if own is not None else self.item(item_id).path

    def item(self, item_id: str) -> Item:
        """An item of this library or of the demo library. Raises NotInLibrary."""
        for key in dict.fromkeys((self._library, DEMO)):
            try:
                return self._catalogue.library(key).item(item_id)
            except NotInLibrary:
                continue
        raise NotInLibrary(f"item {item_id} is no longer in the library")

    def _listed(self, library: str, modality: Modality | None = None) -> list[Item]:
        """Items of a library, read again after some seconds: one battle asks for them several times."""
        now = time.monotonic()
        with self._lock:
            known = self._lists.get((library, modality))
        if known is None or now - known[0] > _LISTED_S:
            known = now, [item for item in self._catalogue.items(library, modality) if not item.missing]
            with self._lock:
                self._lists[library, modality] = known
        return known[1]

    def _query_item(self, item: Item, library: str) -> QueryItem:
        rendered = library == DEMO or any(item.content == demo.content for demo in self._listed(DEMO))
        return QueryItem(
            query_id=item.id,
            group_id=item.same_as or item.id,
            duration_s=item.duration_s,
            sha256=item.content,
            genre=item.genre[0] if item.genre else None,
            source="demo" if rendered else "library",
            own_music=item.modality is Modality.VIDEO and not rendered and self._brings_music(item),
        )

    def _prepared(self, system: str, direction: Direction) -> Retriever:
        """The retriever of a system, with every item of the library embedded under it."""

        def prepared() -> Retriever:
            retriever = self._catalogue.retriever(self._library, system)
            retriever.prepare(direction)
            return retriever

        return self._ready.get((system, direction), prepared)

    def _embedded(self, query: QueryItem, system: str) -> Query:

        def embedded() -> Query:
            retriever = self._catalogue.retriever(self._library, system)
            return retriever.embed_query(self.path(query.query_id), self._direction(query))

        return self._queries.get((query.query_id, system), embedded)

    def _direction(self, query: QueryItem) -> Direction:
        own = self.own(query.query_id)
        if own is not None:
            return own.direction
        modality = self.item(query.query_id).modality
        return Direction.VIDEO_TO_MUSIC if modality is Modality.VIDEO else Direction.MUSIC_TO_VIDEO


def _candidate(item: Item, rank: int, score: float, start_s: float) -> Candidate:
    group = item.same_as or item.id
    return Candidate(item_id=item.id, group_id=group, rank=rank, score=score, start_s=start_s)

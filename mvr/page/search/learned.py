"""What votes taught, applied to the page's lists: re-rankings that passed their gates, and each visitor's own.

A visitor's own is fitted from their votes in the store when it is asked for and lives in memory only; it knows them by
the signed id that their browser keeps for the tab Vote.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from mvr.arena.reranking.files import candidate_path, load_if_there, promoted_path
from mvr.arena.reranking.model import Reranker
from mvr.arena.reranking.personal import LEAST_VOTES, PERSONAL_DEPTH, personal_reranker, usable_votes
from mvr.datatypes import Direction
from mvr.errors import MvrError
from mvr.page import texts
from mvr.page.library import DEMO, Catalogue
from mvr.page.search.desk import Ask, Desk, rank, rank_shared
from mvr.page.serving import PerKey
from mvr.retrieval import RankedList
from mvr.retrieval.teaching import item_features, similarity
from mvr.votes.store import VoteStore
from mvr.votes.voter import VoterSigner

logger = logging.getLogger(__name__)
PERSONAL_ALPHA = 0.5  # where the slider stands when one's own taste is learned
_KEPT_TASTES = 200


@dataclass(frozen=True, kw_only=True)
class Reordered:
    """A list after what votes taught, and one sentence on what they did."""

    ranked: RankedList
    said: str


class Learned:
    """Re-rankings for the lists of the page; safe to use from several threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._tastes: PerKey[tuple[str, ...], Reranker | None] = PerKey(_KEPT_TASTES)

    def promoted(self, system: str, direction: Direction) -> Reranker | None:
        """The re-ranking in force. Raises DataError or SettingsMismatch on a damaged or outdated file."""
        return load_if_there(promoted_path(system, direction), self._catalogue.system(system).identity)

    def candidate(self, system: str, direction: Direction) -> Reranker | None:
        """The re-ranking that is on trial in the arena, None where there is none that can be used."""
        try:
            return load_if_there(candidate_path(system, direction), self._catalogue.system(system).identity)
        except MvrError as error:
            logger.warning("a re-ranking on trial is left out: %s", error)
            return None

    def by_votes(self, ranked: RankedList, library: str) -> Reordered:
        """The list by what all votes taught, if that passed its gates."""
        try:
            model = self.promoted(ranked.system, ranked.query.direction)
        except MvrError as error:  # the system's own list is still right, and the visitor reads why
            logger.warning("a promoted re-ranking cannot be used: %s", error)
            return Reordered(ranked=ranked, said=str(error))
        if model is None:
            return Reordered(ranked=ranked, said=texts.TASTE_NONE)
        return self._reordered(ranked, library, model, texts.TASTE_VOTES)

    def by_own_taste(self, ranked: RankedList, library: str, store: VoteStore, voter: str) -> Reordered:
        """The list by what one visitor's votes taught, from twenty votes in this direction on."""
        direction = ranked.query.direction
        rows = usable_votes(store, voter, direction) if voter else []
        if len(rows) < LEAST_VOTES:
            words: dict[str, object] = {"have": len(rows), "wanted": LEAST_VOTES}
            words |= {"missing": LEAST_VOTES - len(rows), "what": texts.TASTE_OF[str(direction)]}
            return Reordered(ranked=ranked, said=texts.TASTE_MISSING.format(**words))
        key = (voter, ranked.system, str(direction), str(len(rows)), str(rows[-1]["vote_id"]))

        def fitted() -> Reranker | None:
            retriever = self._catalogue.retriever(DEMO, ranked.system)  # what people vote on
            retriever.prepare(direction)
            items = retriever.library.items(direction.target)
            return personal_reranker(
                rows,
                similarity(retriever, PERSONAL_ALPHA),
                item_features(retriever, items, PERSONAL_ALPHA),
                system=ranked.system,
                version=retriever.system.identity,
            )

        own = self._tastes.get(key, fitted)
        if own is None:
            return Reordered(ranked=ranked, said=texts.TASTE_NO_HELP.format(votes=len(rows)))
        return self._reordered(ranked, library, own, texts.TASTE_MINE)

    def reorder(self, ranked: RankedList, library: str, model: Reranker) -> RankedList:
        """The list with its first places in the order of similarity and what votes taught; scores stay."""
        retriever = self._catalogue.retriever(library, ranked.system)
        head = {result.item.id: result for result in ranked.results}
        items = [result.item for result in ranked.results[: model.depth]]
        features = item_features(retriever, items, model.alpha)
        order = model.rerank(list(head), [result.score for result in ranked.results], features)
        results = [replace(head[item], rank=rank) for rank, (item, _) in enumerate(order, start=1)]
        return replace(ranked, results=tuple(results))

    def _reordered(self, ranked: RankedList, library: str, model: Reranker, words: str) -> Reordered:
        changed = self.reorder(ranked, library, model)
        pairs = zip(ranked.results, changed.results, strict=True)
        moved = sum(old.item.id != new.item.id for old, new in pairs)
        depth = min(model.depth, len(ranked.results))
        return Reordered(ranked=changed, said=words.format(votes=model.votes, moved=moved, depth=depth))


class Ballots(Protocol):
    """What one's own taste is learned from: the votes, and who somebody is."""

    @property
    def store(self) -> VoteStore:
        """The votes."""

    @property
    def signer(self) -> VoterSigner:
        """Knows a voter by the signed id."""


@dataclass(frozen=True, kw_only=True)
class Teachers:
    """What a list may be ranked by: systems, what votes taught, and the votes (opened for one's own taste alone)."""

    catalogue: Catalogue
    learned: Learned
    ballots: Callable[[], Ballots]


def rank_by_taste(teachers: Teachers, desk: Desk, ask: Ask, cookie: str) -> None:
    """Rank for the clip on the desk, then let votes change the order if asked; the desk notes what they did.

    Raises:
        VoteRefused: the visitor's id is not of this server.
    """
    wide = replace(ask, count=max(ask.count, PERSONAL_DEPTH)) if ask.taste == "mine" else ask
    ranked, told = rank_shared(desk, wide, teachers.catalogue)
    if ranked is None:
        ranked = rank(desk, wide, teachers.catalogue)
    found = Reordered(ranked=ranked, said=told)
    if ask.taste != "plain" and ask.diversity > 0:
        found = Reordered(ranked=ranked, said=texts.TASTE_DIVERSE)
    elif ask.taste == "votes":
        found = teachers.learned.by_votes(ranked, ask.library)
    elif ask.taste == "mine":
        ballots = teachers.ballots()
        voter = ballots.signer.voter(cookie) if cookie else ""
        found = teachers.learned.by_own_taste(ranked, ask.library, ballots.store, voter)
    with desk.lock:  # only now, so that what is refused leaves the list as it was
        desk.asked = ask
        desk.ranked = replace(found.ranked, results=found.ranked.results[: ask.count])
        desk.note = found.said

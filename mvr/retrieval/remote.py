"""A library's index in a database that several machines share, searched from there; `mvr.retrieval.push` fills it.

Lists are those of a `Retriever` over the same items: scores are computed here, from the stored rows. Only items that
are there as a whole count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from mvr.datatypes import JsonDict, Modality, branch_weights
from mvr.embeddings.mixed import MixedSystem
from mvr.embeddings.system import System
from mvr.errors import UsageError
from mvr.index.remote import (
    Found,
    FoundItem,
    FoundMixture,
    MixedItem,
    Part,
    Place,
    Row,
    Space,
    Wanted,
    search,
    search_mixture,
)
from mvr.library import Item
from mvr.retrieval.filters import Filters, plain_licence
from mvr.retrieval.query import Query
from mvr.retrieval.ranked import RankedList, Result


def space_of(system: System, modality: Modality) -> Space:
    """Where a system's embeddings of one modality lie."""
    return Space(
        system=system.identity, modality=str(modality), branches=system.branches, dim=system.head.dim
    )


@dataclass(frozen=True, kw_only=True)
class _Look:
    """What is asked of which place."""

    place: Place
    query: Query
    alpha: float
    wanted: Wanted


def rank_place(
    place: Place, system: System, query: Query, alpha: float | None = None, k: int = 10, *, filters: Filters
) -> RankedList:
    """Rank what a place holds for a query; see `Retriever.rank`.

    Raises:
        UsageError: the place holds nothing of this system, or a query of another one. IndexUnreachable: no answer.
    """
    query.check_system(system.identity)
    if filters.instruments:
        raise UsageError(
            "an index in a database has no guessed instruments; leave out --instrument or --index"
        )
    if filters.commercial:
        system.card.require_commercial()
    alpha = system.card.alpha_default if alpha is None else alpha
    look, asked = _Look(place=place, query=query, alpha=alpha, wanted=_wanted(filters)), k
    while True:
        ranked = _list(look, system, asked)
        once = _once(ranked.results)
        if len(once) >= k or len(ranked.results) < asked:
            return replace(ranked, results=tuple(once[:k]))
        asked *= 2  # some of them hold the same music


def _once(results: Sequence[Result]) -> list[Result]:
    """Each piece of music once, as a `Retriever` lists it."""
    first: dict[str, Result] = {}
    for result in results:
        first.setdefault(result.item.same_as or result.item.id, result)
    return [replace(result, rank=rank) for rank, result in enumerate(first.values(), start=1)]


def _list(look: _Look, system: System, k: int) -> RankedList:
    """The best items, of copies of one piece each."""
    if isinstance(system, MixedSystem):
        return _mixed_list(look, system, k)
    place, query = look.place, look.query
    space = space_of(system, query.direction.target)
    weights = branch_weights(look.alpha, len(system.branches))
    found = search(place, space, query.embeddings.vectors, weights, k, look.wanted)
    rows = place.rows(space, [(hit.position, hit.number) for hit in found.items])
    holding = place.holding(space)
    assert holding is not None
    return RankedList(
        query=query,
        system=system.name,
        alpha=look.alpha,
        results=tuple(
            replace(_result(hit, row, query), branches=dict(zip(system.branches, hit.branches, strict=True)))
            for hit in found.items
            if (row := rows.get((hit.position, hit.number))) is not None  # else taken out by somebody since
        ),
        candidates=found.candidates,
        library_items=holding.items,
        missing=max(0, holding.announced - holding.items),
        answer=_answer(found),
    )


def _answer(found: Found) -> str:
    """What a list may be called."""
    if found.proven:
        return "proven complete"
    assert found.measured is not None  # codes are used where it is
    return found.measured.words


def _result(hit: FoundItem, row: Row, query: Query) -> Result:
    """One line of a list, without its rank."""
    span = query.segments[hit.asked]
    return Result(
        rank=0,
        item=item_from(row.document),
        score=hit.score,
        start_s=row.start_s,
        end_s=row.end_s,
        query_start_s=span.start_s,
        query_end_s=span.end_s,
        branches={},
        facts=dict(row.facts),
    )


def _mixed_list(look: _Look, system: MixedSystem, k: int) -> RankedList:
    """Of a mixture: sums over the items that every member has there."""
    target, total = look.query.direction.target, sum(member.weight for member in system.members)
    parts = [
        Part(
            space=space_of(member.system, target),
            query=part.embeddings.vectors,
            weights=branch_weights(member.alpha, len(member.system.branches)),
            share=member.weight / max(total, 1e-9),
        )
        for member, part in zip(system.members, look.query.parts, strict=True)
    ]
    found = search_mixture(look.place, parts, k, look.wanted)
    rows = []
    for number, part in enumerate(parts):
        at = [(item.best[number].position, item.best[number].number) for item in found.items]
        there = look.place.rows(part.space, at)
        rows.append([there.get(each) for each in at])
    return RankedList(
        query=look.query,
        system=system.name,
        alpha=look.alpha,
        results=tuple(
            _mixed_result(item, [row for row in lines if row is not None], system, look.query)
            for item, lines in zip(found.items, zip(*rows, strict=True), strict=True)
            if None not in lines  # else taken out by somebody since
        ),
        candidates=len(found.candidates.values),
        library_items=found.candidates.items,
        missing=max(0, found.announced - found.candidates.items),
        answer="proven complete",
        mixture=tuple(_standards(found, system)),
    )


def _mixed_result(item: MixedItem, rows: Sequence[Row], system: MixedSystem, query: Query) -> Result:
    """Times are those of the member that likes the item most; facts of all."""
    likes = int(np.argmax(item.standard))
    facts: dict[str, float] = {}
    for row in rows:
        facts |= row.facts
    scores = (hit.score for hit in item.best)
    return replace(
        _result(item.best[likes], rows[likes], query.parts[likes]),
        score=item.score,
        branches=dict(zip(system.branches, scores, strict=True)),
        facts=facts,
    )


def _standards(found: FoundMixture, system: MixedSystem) -> list[JsonDict]:
    """What each member's scores were standardised by."""
    return [
        {
            "system": member.system.name,
            "weight": member.weight,
            "alpha": member.alpha,
            "mean": round(float(mean), 6),
            "spread": round(float(spread), 6),
        }
        for member, mean, spread in zip(
            system.members, found.candidates.means, found.candidates.spreads, strict=True
        )
    ]


def item_from(document: JsonDict) -> Item:
    """The item that `Item.to_json` wrote down."""
    kept = {field.name: document[field.name] for field in fields(Item) if field.name in document}
    made = {
        "modality": Modality(document["modality"]),
        "path": Path(document["path"]),
        "genre": tuple(document["genre"]),
        "mood": tuple(document["mood"]),
    }
    return Item(**{**kept, **made})


def _wanted(filters: Filters) -> Wanted:
    least = {"duration_s": filters.min_duration_s, "tempo_bpm": filters.min_tempo_bpm}
    most = {"duration_s": filters.max_duration_s, "tempo_bpm": filters.max_tempo_bpm}
    return Wanted(
        genres=tuple(genre.casefold() for genre in filters.genres),
        moods=tuple(mood.casefold() for mood in filters.moods),
        licences=tuple(plain_licence(licence) for licence in filters.licences),
        commercial=filters.commercial,
        least={name: value for name, value in least.items() if value is not None},
        most={name: value for name, value in most.items() if value is not None},
        ids=filters.ids,
    )

"""A library's index in a database that several machines share: pushed there, and searched from there.

Lists are those of a `Retriever` over the same items: scores are computed here, from the stored rows. Only items that
are there as a whole count; a push that was stopped goes on where it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from mvr.datatypes import JsonDict, Modality, Segment, branch_weights
from mvr.embeddings.mixed import MixedSystem
from mvr.embeddings.system import SegmentFeatures, System
from mvr.errors import UsageError
from mvr.index.recall import RECALL_QUERIES
from mvr.index.remote import (
    Found,
    KeptCodes,
    Measured,
    Place,
    Row,
    Space,
    StoredItem,
    Wanted,
    measure_recall,
    search,
)
from mvr.library import Item, Library, Progress
from mvr.retrieval.facts import facts_of_item
from mvr.retrieval.filters import Filters
from mvr.retrieval.query import Query
from mvr.retrieval.ranked import RankedList, Result

_BATCH = 200  # items of one transaction


def space_of(system: System, modality: Modality) -> Space:
    """Where a system's embeddings of one modality lie. Raises UsageError: a mixture, which has none of its own."""
    if isinstance(system, MixedSystem):
        raise UsageError(
            f"system {system.name} is a mixture: it needs every member's scores of the whole library, which an index "
            f"in a database does not hand out; use one of {', '.join(system.branches)}, or leave out --index"
        )
    return Space(
        system=system.identity, modality=str(modality), branches=system.branches, dim=system.head.dim
    )


def push_library(
    library: Library, system: System, modality: Modality, place: Place, progress: Progress | None = None
) -> tuple[int, int]:
    """Write a library's items into a place; what is there already with the same content is left alone, and what this
    library pushed and no longer has is taken out.

    Args:
        library: its items are embedded first where that is missing.
        system: whose embeddings.
        modality: which items.
        place: opened for writing.
        progress: see `mvr.library.report.Progress`.

    Returns:
        Items written, and items of the library that are there now.

    Raises:
        IndexUnreachable: the place does not answer; a further push goes on from there.
        DataError, NotFinite: embeddings that a database would misread.
    """
    space = space_of(system, modality)
    library.embed_missing(system, modality, progress)
    items = [item for item in library.items(modality) if not item.missing]
    held, owned = place.contents(space), place.owned(space, library.origin)
    todo = [item for item in items if held.get(item.id) != item.content]
    ours = {item.id for item in todo} | (owned & {item.id for item in items})
    place.announce(space, len(ours), library.origin)
    written = 0
    for batch in _batches(todo):
        if progress is not None:
            progress(written, len(todo), batch[0].name)
        found = library.features_of_all(batch, system)
        stored = [
            replace(_stored(item, found[item.id], system), origin=library.origin)
            for item in batch
            if item.id in found
        ]
        place.write(space, stored)
        written += len(stored)
    gone = sorted(owned - {item.id for item in items})  # what others pushed is theirs
    if gone:
        place.remove(space, gone)
    lacking = len(todo) - written
    place.announce(
        space, len(place.owned(space, library.origin)) + lacking, library.origin
    )  # others hold some of it
    return written, len(items) - (len(todo) - written)


def measure_index(library: Library, system: System, modality: Modality, place: Place) -> Measured | None:
    """Measure how much searches by codes miss of what was pushed, after which they are used: asked with the library's
    items of the other modality, or, where there are none, with some of its own.

    Returns:
        What was measured; None for so few rows that all of them are compared.

    Raises:
        ExtraMissing: no faiss. IndexUnreachable: the place does not answer.
    """
    space, codes = space_of(system, modality), KeptCodes(place)
    holding = place.holding(space)
    if holding is None or not codes.serve(holding):
        return None
    for asked in (next(other for other in Modality if other is not modality), modality):
        found = library.features_of_all(library.items(asked)[-RECALL_QUERIES:], system)
        if found:
            codes.read(space, holding)
            firsts = np.concatenate([each.features[:1] for each in found.values()])
            name = "videos" if asked is Modality.VIDEO else "tracks"
            queries = system.encode(firsts, asked).vectors
            return measure_recall(place, space, codes, queries, f"{len(found)} of the library's {name}")
    return None


def _answer(found: Found) -> str:
    """What a list may be called."""
    if found.proven:
        return "proven complete"
    assert found.measured is not None  # codes are used where it is
    return found.measured.words


def _batches(items: list[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(itertools.islice(rest, _BATCH)):
        yield batch


def _stored(item: Item, found: SegmentFeatures, system: System) -> StoredItem:
    backbone = system.backbone(item.modality)
    return StoredItem(
        id=item.id,
        content=item.content,
        document=item.to_json(),
        genre=item.genre,
        mood=item.mood,
        licence=item.licence,
        commercial=item.rights.commercial,
        duration_s=item.duration_s,
        tempo_bpm=item.tempo_bpm,
        times=np.array([(segment.start_s, segment.end_s) for segment in found.segments]),
        vectors=system.encode(found.features, item.modality).vectors,
        facts=[facts_of_item(item, backbone, row) for row in found.features],
    )


def rank_place(
    place: Place, system: System, query: Query, alpha: float | None = None, k: int = 10, *, filters: Filters
) -> RankedList:
    """Rank what a place holds for a query; see `Retriever.rank`.

    Raises:
        UsageError: the place holds nothing of this system, or a query of another one. IndexUnreachable: no answer.
    """
    query.check_system(system.identity)
    space = space_of(system, query.direction.target)
    if filters.instruments:
        raise UsageError(
            "an index in a database has no guessed instruments; leave out --instrument or --index"
        )
    if filters.commercial:
        system.card.require_commercial()
    alpha = system.card.alpha_default if alpha is None else alpha
    weights = branch_weights(alpha, len(system.branches))
    wanted, asked = _wanted(filters), k
    while True:
        found = search(place, space, query.embeddings.vectors, weights, asked, wanted)
        rows = place.rows(space, [(hit.position, hit.number) for hit in found.items])
        results = _results(found, rows, query, system)
        if len(results) >= k or len(found.items) < asked:
            break
        asked *= 2  # some of them hold the same music
    holding = place.holding(space)
    assert holding is not None
    return RankedList(
        query=query,
        system=system.name,
        alpha=alpha,
        results=tuple(results[:k]),
        candidates=found.candidates,
        library_items=holding.items,
        missing=max(0, holding.announced - holding.items),
        answer=_answer(found),
    )


def _results(found: Found, rows: list[Row], query: Query, system: System) -> list[Result]:
    """Each piece of music once, as a `Retriever` lists it."""
    results: list[Result] = []
    seen: set[str] = set()
    for hit, row in zip(found.items, rows, strict=True):
        item = item_from(row.document)
        if (item.same_as or item.id) in seen:
            continue
        seen.add(item.same_as or item.id)
        span: Segment = query.segments[hit.asked]
        results.append(
            Result(
                rank=len(results) + 1,
                item=item,
                score=hit.score,
                start_s=row.start_s,
                end_s=row.end_s,
                query_start_s=span.start_s,
                query_end_s=span.end_s,
                branches=dict(zip(system.branches, hit.branches, strict=True)),
                facts=dict(row.facts),
            )
        )
    return results


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
        licences=tuple(licence.casefold().replace("_", "-").strip() for licence in filters.licences),
        commercial=filters.commercial,
        least={name: value for name, value in least.items() if value is not None},
        most={name: value for name, value in most.items() if value is not None},
        ids=filters.ids,
    )

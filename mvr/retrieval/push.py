"""A library's index pushed into a database that several machines share; a mixture as its members.

A push that was stopped goes on where it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from mvr.config.settings import settings_hash
from mvr.datatypes import Modality
from mvr.embeddings.mixed import MixedSystem
from mvr.embeddings.system import SegmentFeatures, System
from mvr.index.recall import RECALL_QUERIES
from mvr.index.remote import KeptCodes, Measured, Place, StoredItem, measure_recall
from mvr.library import Item, Library, Progress
from mvr.library.guesses import Guess
from mvr.retrieval.facts import facts_of_item
from mvr.retrieval.filters import genres_of, moods_of, plain_licence
from mvr.retrieval.remote import space_of

_BATCH = 200  # items of one transaction


def push_library(
    library: Library, system: System, modality: Modality, place: Place, progress: Progress | None = None
) -> tuple[int, int]:
    """Write a library's items into a place; what is there already as it is here is left alone, as is what another
    library pushed; what this one pushed is written anew where its words have changed (a title, a licence, where its
    file lies), and taken out where the library no longer has it.

    Args:
        library: its items are embedded first where that is missing.
        system: whose embeddings.
        modality: which items.
        place: opened for writing.
        progress: see `mvr.library.report.Progress`.

    Returns:
        Items written, and items of the library that are there now; of a mixture, the most and the fewest of a member.

    Raises:
        IndexUnreachable: the place does not answer; a further push goes on from there.
        DataError, NotFinite: embeddings that a database would misread.
    """
    if isinstance(system, MixedSystem):
        members = {part.identity: part for part in system.parts}.values()
        pushed = [push_library(library, part, modality, place, progress) for part in members]
        return max(written for written, _ in pushed), min(held for _, held in pushed)
    space = space_of(system, modality)
    library.embed_missing(system, modality, progress)
    items = [item for item in library.items(modality) if not item.missing]
    held, owned = place.contents(space), place.owned(space, library.origin)
    todo = [i for i in items if i.id not in held or (i.id in owned and held[i.id] != _digest(i))]
    ours = {item.id for item in todo} | (owned & {item.id for item in items})
    place.announce(space, len(ours), library.origin)
    written = 0
    for batch in _batches(todo):
        if progress is not None:
            progress(written, len(todo), batch[0].name)
        found = library.features_of_all(batch, system)
        guessed = zip(batch, library.guesses_of(batch), strict=True)
        stored = [
            replace(_stored(item, words, found[item.id], system), origin=library.origin)
            for item, words in guessed
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
    return written, len(items) - lacking


def measure_index(library: Library, system: System, modality: Modality, place: Place) -> Measured | None:
    """Measure how much searches by codes miss of what was pushed, after which they are used: asked with the library's
    items of the other modality, or, where there are none, with some of its own.

    Returns:
        What was measured; None where all rows are compared: for so few, and for a mixture.

    Raises:
        ExtraMissing: no faiss. IndexUnreachable: the place does not answer.
    """
    if isinstance(system, MixedSystem):
        return None
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


def _batches(items: list[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(itertools.islice(rest, _BATCH)):
        yield batch


def _digest(item: Item) -> str:
    return settings_hash(item.to_json())


def _stored(item: Item, guessed: Sequence[Guess], found: SegmentFeatures, system: System) -> StoredItem:
    backbone = system.backbone(item.modality)
    return StoredItem(
        id=item.id,
        content=_digest(item),
        document=item.to_json(),
        genre=genres_of(item, guessed),
        mood=moods_of(item, guessed),
        licence=plain_licence(item.licence),
        commercial=item.rights.commercial,
        duration_s=item.duration_s,
        tempo_bpm=item.tempo_bpm,
        times=np.array([(segment.start_s, segment.end_s) for segment in found.segments]),
        vectors=system.encode(found.features, item.modality).vectors,
        facts=[facts_of_item(item, backbone, row) for row in found.features],
    )

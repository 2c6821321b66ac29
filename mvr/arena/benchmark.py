"""Judged pools as retrieval tasks for others: which media may go along, and which rows stay ids and hashes.

Bytes go along for the demo library, CC0 and the public domain, and files whose licence the user called "own"; for CC BY
and CC BY-SA by the user's word, with their credits. A visitor's own clip never: its queries are left out whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mvr.arena.board.inputs import read_input
from mvr.arena.board.relevance import qrels_of
from mvr.datatypes import Direction
from mvr.errors import DataError, NotInLibrary
from mvr.library import Item, Library
from mvr.library.licences import read_licence
from mvr.library.rights import rights_of
from mvr.votes.formats.mteb import RetrievalTask, TaskItem
from mvr.votes.records import Battle, PoolItem
from mvr.votes.store import VoteStore

OWN = ("own", "own work", "my own")
_WITH_CREDIT = re.compile(r"CC BY(?:-SA)?(?: \d\.\d)?(?: [A-Z]{2})?")
UPLOADED = "a visitor's own clip"
NOTHING_FITS = "nothing that was judged fits"


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Libraries that may know the items of a pool; `demo` is the one that ships with the project."""

    libraries: Sequence[Library] = ()
    demo: Library | None = None
    with_media: bool = False

    def find(self, item_id: str) -> TaskItem:
        """What may be said of an item."""
        for library in (*self.libraries, *([self.demo] if self.demo else [])):
            try:
                item = library.item(item_id)
            except NotInLibrary:
                continue
            shared = library is self.demo or may_be_shared(item, self.with_media)
            return _shared(item, library) if shared else TaskItem(id=item.id, sha256=item.content)
        return TaskItem(id=item_id)


def may_be_shared(item: Item, with_media: bool) -> bool:
    """Whether the licence allows the file itself to be included; CC BY and CC BY-SA only if `with_media` is true."""
    if item.licence.casefold() in OWN or rights_of(item.licence).may_redistribute == "yes":
        return True
    return with_media and bool(_WITH_CREDIT.fullmatch(read_licence(item.licence).name))


def _shared(item: Item, library: Library) -> TaskItem:
    return TaskItem(
        id=item.id,
        sha256=item.content,
        media=library.file_of(item),
        title=item.title,
        licence=item.licence,
        licence_url=item.licence_url,
        credit=item.credit_line,
    )


def benchmark_tasks(store: VoteStore, shelf: Shelf) -> list[RetrievalTask]:
    """One task for each judged pool and direction.

    Raises:
        DataError: nothing is judged.
    """
    data = read_input(store)
    uploaded = {battle.query_id for battle in store.rows(Battle) if battle.source == "upload"}
    tasks = [
        _task(version, Direction(direction), qrels, _pooled(data.pool, version, direction), uploaded, shelf)
        for (version, direction), qrels in qrels_of(data.judgments).items()
    ]
    tasks = [task for task in tasks if task.queries]
    if not tasks:
        raise DataError(
            "there are no judgments to make a task of; grade lists in the Vote tab, or import qrels with "
            "`mvr votes import`"
        )
    return tasks


def _pooled(pool: Sequence[PoolItem], version: str, direction: str) -> dict[str, str]:
    """Document -> the item that stands for it."""
    return {
        row.item_group_id: row.item_id
        for row in pool
        if row.pool_version == version and row.direction == direction
    }


def _task(
    version: str,
    direction: Direction,
    qrels: Mapping[str, Mapping[str, int]],
    pooled: Mapping[str, str],
    uploaded: set[str],
    shelf: Shelf,
) -> RetrievalTask:
    left_out: Counter[str] = Counter()
    kept = {}
    for query, grades in qrels.items():
        if query in uploaded:
            left_out[UPLOADED] += 1
        elif max(grades.values()) == 0:
            left_out[NOTHING_FITS] += 1
        else:
            kept[query] = dict(grades)
    documents = sorted({*pooled, *(item for grades in kept.values() for item in grades)})
    return RetrievalTask(
        pool_version=version,
        direction=direction,
        queries=[shelf.find(query) for query in sorted(kept)],
        corpus=[_document(name, pooled.get(name, name), shelf) for name in documents],
        qrels=kept,
        left_out=dict(left_out),
    )


def _document(name: str, item_id: str, shelf: Shelf) -> TaskItem:
    """The item under the id of its group, which the qrels name."""
    found = shelf.find(item_id)
    return TaskItem(**(vars(found) | {"id": name}))

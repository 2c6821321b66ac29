"""An index that follows its library: what changed is taken out, put in or written anew, the rest stays as it is.

Only items that changed are read from the catalogue, and only new ones go through the head; their rows come behind all
others, and rows of items that are gone stay where they are until they are many. A list is as from an index built anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mvr.index.approximate import ApproximateIndex
from mvr.index.exact import NumpyIndex
from mvr.library.item import Item
from mvr.library.listing import Placed
from mvr.library.vectors import LibraryIndex, kind_for, packed

_FEW_ROWS = 1000  # so many may belong to no item, in an index however small
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Held:
    """An index, and what it was made of.

    Attributes:
        index: over the items that have features.
        places: (I,) numbers of its items in the order of adding, ascending.
        waiting: the items without features, by id.
        revision, computed: of the catalogue and of the features, when they were read.
    """

    index: LibraryIndex
    places: Positions
    waiting: Mapping[str, Placed]
    revision: int = -1
    computed: int = -1

    @classmethod
    def of(cls, index: LibraryIndex, items: Sequence[Placed]) -> Held:
        """An index that was built of all items."""
        places = [position for position, item in items if item.id in index.positions]
        waiting = {placed.item.id: placed for placed in items if placed.item.id not in index.positions}
        numbers = np.array(places, np.int64)
        return cls(index=index, places=numbers, waiting=waiting)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What became of some items.

    Attributes:
        touched: their ids.
        there: those of them that are there, still or now.
    """

    touched: Collection[str]
    there: Sequence[Placed]


def followed(
    held: Held, changes: Changes, build: Callable[[Sequence[Item], str], LibraryIndex]
) -> Held | None:
    """An index as it is after some changes; None where it has to be built anew.

    Args:
        held: as it was before.
        changes: since then.
        build: makes an index of some items, of a kind.
    """
    index, touched = held.index, set(changes.touched)
    there = {placed.item.id: placed for placed in changes.there}
    stays = {
        at: placed.item
        for item_id, placed in there.items()
        if (at := index.positions.get(item_id)) is not None and _keeps_its_rows(held, at, placed)
    }
    gone = [at for item_id in touched if (at := index.positions.get(item_id)) is not None and at not in stays]
    left = {item_id: placed for item_id, placed in held.waiting.items() if item_id not in touched}
    fresh = [placed for placed in changes.there if index.positions.get(placed.item.id) not in stays]
    tried = sorted([*fresh, *left.values()], key=lambda placed: placed.position)  # some may have features now
    added = build([placed.item for placed in tried], index.index.settings.kind) if tried else None
    new = [placed for placed in tried if added is not None and placed.item.id in added.positions]
    waiting = left | {placed.item.id: placed for placed in fresh}
    for placed in new:
        del waiting[placed.item.id]
    held = replace(held, index=rewritten(index, stays), waiting=waiting)
    return held if not gone and not new else _moved(held, gone, new, added)


def _keeps_its_rows(held: Held, at: int, now: Placed) -> bool:
    return held.index.items[at].content == now.item.content and int(held.places[at]) == now.position


def _moved(held: Held, gone: list[int], new: list[Placed], added: LibraryIndex | None) -> Held | None:
    """Without the items at some positions and with others, whose rows come behind all rows; None where that takes
    another kind of index."""
    index = held.index
    rows, kept = index.index, np.delete(np.arange(len(index)), gone)
    used = int((index.ends - index.starts)[kept].sum()) + (0 if added is None else len(added.times))
    kind = kind_for(len(kept) + len(new) + len(held.waiting), used)
    if (
        not len(index)
        or kind != rows.settings.kind
        or not isinstance(rows, NumpyIndex)
        or isinstance(rows, ApproximateIndex)
    ):
        return None
    before = len(index.times)
    parts = [index, *([] if added is None else [added])]
    if added is not None:
        rows.extend(added.index.ids, added.index.vectors)
    places = np.concatenate([held.places[kept], [placed.position for placed in new]]).astype(np.int64)
    order = np.argsort(places, kind="stable")
    chosen = np.concatenate([kept, len(index) + np.arange(len(new))])[order]
    items = [item for part in parts for item in part.items]
    after = replace(
        index,
        items=tuple(items[at] for at in chosen.tolist()),
        times=np.concatenate([part.times for part in parts]),
        starts=np.concatenate([part.starts + n * before for n, part in enumerate(parts)])[chosen],
        ends=np.concatenate([part.ends + n * before for n, part in enumerate(parts)])[chosen],
        written=object(),
    )
    worn = len(after.times) > 2 * used + _FEW_ROWS
    return replace(held, index=packed(after) if worn else after, places=places[order])


def rewritten(index: LibraryIndex, items: Mapping[int, Item]) -> LibraryIndex:
    """The same rows with what is written about some items now, by position."""
    items = {at: item for at, item in items.items() if item != index.items[at]}
    if not items:
        return index
    changed, present = list(index.items), index.present.copy()
    same_music = same_words = True
    for at, item in items.items():
        before, changed[at], present[at] = changed[at], item, not item.missing
        moved = dataclasses.replace(item, missing=before.missing, path=before.path, name=before.name)
        same_music &= before.same_as == item.same_as
        same_words &= before == moved
    again = index.again(
        forgotten=() if same_music else ("music",),
        items=tuple(changed),
        written=index.written if same_words else object(),
    )
    again.__dict__["present"] = present
    return again

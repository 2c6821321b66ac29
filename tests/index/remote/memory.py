"""A place in memory: the exact twin that every database is tested against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mvr.datatypes import FloatArray
from mvr.errors import UsageError
from mvr.index.mixture import divide_by_lengths, gram, mixed_lengths
from mvr.index.recall import Measured
from mvr.index.remote.place import (
    Candidates,
    Holding,
    Row,
    Sought,
    Space,
    StoredItem,
    Wanted,
    check_item,
    query_slack,
)


class MemoryPlace:
    """Every row in float16, looked at one and all."""

    def __init__(self) -> None:
        self._spaces: dict[Space, dict[int, tuple[StoredItem, FloatArray]]] = {}
        self._announced: dict[Space, int] = {}

    def holding(self, space: Space) -> Holding | None:
        """See `Place.holding`."""
        if space not in self._spaces:
            return None
        held = self._spaces[space]
        grams = [gram(vectors).min(axis=0) for _, vectors in held.values()]
        least = np.min(grams, axis=0) if grams else np.eye(len(space.branches))
        rows = sum(len(vectors) for _, vectors in held.values())
        announced = self._announced[space]
        return Holding(items=len(held), rows=rows, announced=announced, least_gram=least, exact=True)

    def contents(self, space: Space) -> dict[str, str]:
        """See `Place.contents`."""
        return {item.id: item.content for item, _ in self._spaces.get(space, {}).values()}

    def announce(self, space: Space, items: int) -> None:
        """See `Place.announce`."""
        self._spaces.setdefault(space, {})
        self._announced[space] = items

    def write(self, space: Space, items: Sequence[StoredItem]) -> None:
        """See `Place.write`."""
        checked = [(item, check_item(item, space)) for item in items]
        held = self._spaces[space]
        for item, vectors in checked:
            known = {other.id: position for position, (other, _) in held.items()}
            held[known.get(item.id, max(held, default=0) + 1)] = (item, vectors)

    def remove(self, space: Space, ids: Sequence[str]) -> None:
        """See `Place.remove`."""
        held = self._spaces[space]
        for position in [at for at, (item, _) in held.items() if item.id in set(ids)]:
            del held[position]

    def build_graph(self, space: Space) -> None:
        """See `Place.build_graph`."""
        raise UsageError("this kind of index has no graph; it compares every row, so its lists are exact")

    def keep_measured(self, space: Space, measured: Measured) -> None:
        """Nothing is approximate here."""

    def candidates(self, space: Space, sought: Sought) -> Candidates:
        """See `Place.candidates`."""
        parts = [
            (position, number, vectors[number])
            for position, (item, vectors) in sorted(self._spaces[space].items())
            if allows(sought.wanted, item)
            for number in range(len(vectors))
        ]
        shape = (len(parts), len(space.branches), space.dim)
        rows = np.array([part[2] for part in parts], np.float32).reshape(shape)
        products = rows.reshape(len(parts), space.width).astype(np.float64) @ sought.weighted.astype(
            np.float64
        )
        values = divide_by_lengths(products, mixed_lengths(gram(rows), sought.weights)).astype(np.float64)
        order = np.argsort(-values, kind="stable")[: sought.count]
        return Candidates(
            positions=np.array([parts[at][0] for at in order], np.int64),
            numbers=np.array([parts[at][1] for at in order], np.int64),
            vectors=rows[order],
            values=values[order],
            slack=query_slack(sought.weighted, sought.weighted, len(space.branches), 1e-7),
        )

    def rows(self, space: Space, places: Sequence[tuple[int, int]]) -> list[Row]:
        """See `Place.rows`."""
        found = []
        for position, number in places:
            item, _ = self._spaces[space][position]
            facts = item.facts[number] if item.facts else {}
            start_s, end_s = (float(value) for value in item.times[number])
            found.append(Row(item=item.id, document=item.document, start_s=start_s, end_s=end_s, facts=facts))
        return found

    def close(self) -> None:
        """Nothing to let go of."""


def allows(wanted: Wanted, item: StoredItem) -> bool:
    """Whether an item may be found."""
    numbers = {"duration_s": item.duration_s, "tempo_bpm": item.tempo_bpm}
    genres, moods = {g.casefold() for g in item.genre}, {m.casefold() for m in item.mood}
    licence = item.licence.casefold().replace("_", "-").strip()
    return (
        (not wanted.genres or not genres.isdisjoint(wanted.genres))
        and (not wanted.moods or not moods.isdisjoint(wanted.moods))
        and (not wanted.licences or licence.startswith(wanted.licences))
        and (not wanted.commercial or item.commercial)
        and all(
            (value := numbers[name]) is not None and value >= least for name, least in wanted.least.items()
        )
        and all((value := numbers[name]) is not None and value <= most for name, most in wanted.most.items())
        and (wanted.ids is None or item.id in wanted.ids)
    )

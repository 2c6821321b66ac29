"""A place in memory: the exact twin that every database is tested against."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mvr.datatypes import FloatArray
from mvr.index.mixture import divide_by_lengths, gram, mixed_lengths
from mvr.index.recall import Measured
from mvr.index.remote.mixed import MixedCandidates
from mvr.index.remote.place import (
    Candidates,
    Changes,
    Finder,
    Holding,
    Row,
    Sought,
    Space,
    StoredItem,
    StoredRows,
    Wanted,
    check_item,
    query_slack,
)


class MemoryPlace:
    """Every row in float16, looked at one and all."""

    def __init__(self) -> None:
        self._spaces: dict[Space, dict[int, tuple[StoredItem, FloatArray]]] = {}
        self._announced: dict[Space, dict[str, int]] = {}
        self._log: dict[Space, list[set[int]]] = {}  # positions that each version changed
        self._stamps: dict[Space, list[int]] = {}  # of each version, the first that of the empty index
        self._measured: dict[Space, Measured] = {}
        self._identity: dict[Space, str] = {}
        self.finder: Finder | None = None

    def holding(self, space: Space) -> Holding | None:
        """See `Place.holding`."""
        if space not in self._spaces:
            return None
        held = self._spaces[space]
        grams = [gram(vectors).min(axis=0) for _, vectors in held.values()]
        least = np.min(grams, axis=0) if grams else np.eye(len(space.branches))
        rows = sum(len(vectors) for _, vectors in held.values())
        announced = sum(self._announced[space].values())
        return Holding(
            items=len(held),
            rows=rows,
            announced=announced,
            least_gram=least,
            version=len(self._log[space]),
            stamp=self._stamps[space][-1],
            identity=self._identity[space],
            measured=self._measured.get(space),
        )

    def contents(self, space: Space) -> dict[str, str]:
        """See `Place.contents`."""
        return {item.id: item.content for item, _ in self._spaces.get(space, {}).values()}

    def owned(self, space: Space, origin: str) -> set[str]:
        """See `Place.owned`."""
        return {item.id for item, _ in self._spaces.get(space, {}).values() if item.origin == origin}

    def announce(self, space: Space, items: int, origin: str = "") -> None:
        """See `Place.announce`."""
        self._spaces.setdefault(space, {})
        self._announced.setdefault(space, {})[origin] = items
        self._log.setdefault(space, [])
        self._stamps.setdefault(space, [0])
        self._identity.setdefault(space, uuid.uuid4().hex)

    def write(self, space: Space, items: Sequence[StoredItem]) -> None:
        """See `Place.write`."""
        checked = [(item, check_item(item, space)) for item in items]
        held, changed = self._spaces[space], set()
        for item, vectors in checked:
            known = {other.id: position for position, (other, _) in held.items()}
            position = known.get(item.id, max([0, *held, *set().union(*self._log[space])]) + 1)
            origin = held[position][0].origin if position in held else item.origin
            held[position] = (replace(item, origin=origin), vectors)
            changed.add(position)
        self._changed(space, changed)

    def _changed(self, space: Space, positions: set[int]) -> None:
        self._log[space].append(positions)
        self._stamps[space].append(secrets.randbits(60) + 1)

    def remove(self, space: Space, ids: Sequence[str]) -> None:
        """See `Place.remove`."""
        held = self._spaces[space]
        gone = {at for at, (item, _) in held.items() if item.id in set(ids)}
        for position in gone:
            del held[position]
        if gone:
            self._changed(space, gone)

    def stored(self, space: Space, positions, numbers) -> StoredRows:
        """See `Place.stored`."""
        held = self._spaces[space]
        found = [
            (position, number, held[position][1][number])
            for position, number in zip(positions.tolist(), numbers.tolist(), strict=True)
            if position in held and number < len(held[position][1])
        ]
        return StoredRows(
            positions=np.array([line[0] for line in found], np.int64),
            numbers=np.array([line[1] for line in found], np.int64),
            vectors=np.array([line[2] for line in found], np.float32).reshape(
                -1, len(space.branches), space.dim
            ),
        )

    def changes(self, space: Space, since: int, until: int) -> Changes:
        """See `Place.changes`."""
        log = self._log[space][since:until]
        positions = np.array(sorted(set().union(*log)), np.int64)
        rows = self.rows_of(space, positions)
        stamps, version = self._stamps[space], since + len(log)
        return Changes(
            version=version, stamp=stamps[version], before=stamps[since], positions=positions, rows=rows
        )

    def keep_measured(self, space: Space, measured: Measured) -> None:
        """See `Place.keep_measured`."""
        self._measured[space] = measured

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

    def mixed(self, parts, count: int, wanted: Wanted) -> MixedCandidates:
        """See `Place.mixed`: item by item."""
        of_each = [{item.id: at for at, (item, _) in self._spaces[part.space].items()} for part in parts]
        shared = [name for name in of_each[0] if all(name in places for places in of_each)]
        scores = np.zeros((len(shared), len(parts)))
        for column, (part, places) in enumerate(zip(parts, of_each, strict=True)):
            for line, name in enumerate(shared):
                vectors = self._spaces[part.space][places[name]][1]
                products = part.weighted.astype(float) @ vectors.reshape(len(vectors), -1).astype(float).T
                lengths = mixed_lengths(gram(vectors), part.weights)
                scores[line, column] = max(divide_by_lengths(row, lengths).max() for row in products)
        found = MixedCandidates(
            items=len(shared),
            means=scores.mean(axis=0) if shared else np.zeros(len(parts)),
            spreads=scores.std(axis=0) if shared else np.zeros(len(parts)),
            positions=np.array([[places[name] for places in of_each] for name in shared], np.int64).reshape(
                -1, len(parts)
            ),
            values=np.zeros(0),
            slacks=np.full(len(parts), 1e-6),
        )
        values = found.standard(scores) @ np.array([part.share for part in parts])
        passes = [allows(wanted, self._spaces[parts[0].space][at][0]) for at in found.positions[:, 0]]
        order = [at for at in np.lexsort((found.positions[:, 0], -values)) if passes[at]][:count]
        return replace(found, positions=found.positions[order], values=values[order])

    def rows_of(self, space: Space, positions) -> StoredRows:
        """See `Place.rows_of`."""
        held = self._spaces[space]
        places = [
            (at, number) for at in positions.tolist() if at in held for number in range(len(held[at][1]))
        ]
        flat = np.array(places, np.int64).reshape(-1, 2)
        return self.stored(space, flat[:, 0], flat[:, 1])

    def rows(self, space: Space, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Row]:
        """See `Place.rows`."""
        found = {}
        for position, number in places:
            if position not in self._spaces[space]:
                continue
            item, _ = self._spaces[space][position]
            facts = item.facts[number] if item.facts else {}
            start_s, end_s = (float(value) for value in item.times[number])
            found[position, number] = Row(
                item=item.id, document=item.document, start_s=start_s, end_s=end_s, facts=facts
            )
        return found

    def close(self) -> None:
        """Nothing to let go of."""


def allows(wanted: Wanted, item: StoredItem) -> bool:
    """Whether an item may be found."""
    numbers = {"duration_s": item.duration_s, "tempo_bpm": item.tempo_bpm}
    genres, moods = {g.casefold() for g in item.genre}, {m.casefold() for m in item.mood}
    return (
        (not wanted.genres or not genres.isdisjoint(wanted.genres))
        and (not wanted.moods or not moods.isdisjoint(wanted.moods))
        and (not wanted.licences or item.licence.startswith(wanted.licences))
        and (not wanted.commercial or item.commercial)
        and all(
            (value := numbers[name]) is not None and value >= least for name, least in wanted.least.items()
        )
        and all((value := numbers[name]) is not None and value <= most for name, most in wanted.most.items())
        and (wanted.ids is None or item.id in wanted.ids)
    )

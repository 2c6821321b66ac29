"""Relevance judging: people grade the pooled top lists of all compared systems, 0 to 3, without knowing who found what.

The pool of a query is the union of every system's top 10 plus 5 random items, frozen under its version. Every item
needs one judge, a fifth of them (chosen by a hash, the same for everybody) three; where two grades are two or more
apart a further judge is asked. Unjudged is never 0. Source: evaluation specification, lines 24-25.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from mvr.arena.candidates import Candidate, Candidates, Competitor, QueryItem
from mvr.arena.refusal import Reason, Refused
from mvr.datatypes import Direction
from mvr.errors import DataError
from mvr.votes.consents import is_given
from mvr.votes.records import Judgment, PoolItem
from mvr.votes.store import VoteStore, append, lock, select

GUIDELINE_VERSION = "1"
GUIDELINES = {
    3: "fits perfectly: you would publish it like this",
    2: "fits well: mood and pace go together",
    1: "fits a little: not disturbing, but another would be better",
    0: "does not fit",
}


@dataclass(frozen=True, kw_only=True)
class JudgingSettings:
    """How deep pools are, and how many judges an item gets."""

    depth: int = 10
    random_items: int = 5
    overlap_share: float = 0.2
    overlap_judges: int = 3
    disagreement: int = 2
    most_judges: int = 5


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Of one pool: items, items with all the judges they need, items whose judges disagree; own judgments, and how many
    of those are on items in dispute."""

    items: int
    finished: int
    disagreements: int
    own: int
    own_disputed: int = 0


@dataclass(frozen=True, kw_only=True)
class Disputed:
    """An item whose grades are two or more apart, as one of its judges sees it: all grades, lowest first, and own."""

    item: PoolItem
    grades: tuple[int, ...]
    own: int


def build_pool(
    store: VoteStore,
    candidates: Candidates,
    competitors: Sequence[Competitor],
    direction: Direction,
    *,
    pool_version: str,
    settings: JudgingSettings | None = None,
) -> int:
    """Freeze the pool of every query of a direction; returns how many items it has.

    Raises:
        DataError: there is a pool of this version already.
    """
    settings = settings or JudgingSettings()
    rows = [
        row
        for query in candidates.queries(direction)
        if query.source != "upload"
        for row in _pool_of(query, candidates, competitors, direction, pool_version, settings)
    ]

    def work(connection: sa.Connection) -> int:
        lock(connection, f"pool:{pool_version}")
        if select(connection, PoolItem, pool_version=pool_version, direction=str(direction)):
            raise DataError(f"the pool {pool_version!r} is already frozen; choose another version")
        append(connection, rows)
        return len(rows)

    return store.write(work)


def _pool_of(
    query: QueryItem,
    candidates: Candidates,
    competitors: Sequence[Competitor],
    direction: Direction,
    pool_version: str,
    settings: JudgingSettings,
) -> list[PoolItem]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    items: dict[str, Candidate] = {}
    for competitor in competitors:
        for item in candidates.top(query, competitor, settings.depth):
            found[item.group_id][competitor.name] = item.rank
            items.setdefault(item.group_id, item)
    others = {item.group_id: item for item in candidates.items(direction) if item.group_id not in found}
    rng = random.Random(f"{pool_version}/{query.query_id}")
    for group in rng.sample(sorted(others), min(settings.random_items, len(others))):
        items[group] = others[group]
    return [
        PoolItem(
            pool_version=pool_version,
            direction=str(direction),
            query_id=query.query_id,
            item_group_id=group,
            item_id=items[group].item_id,
            found_by=json.dumps(found.get(group, {}), sort_keys=True),
        )
        for group in sorted(items)
    ]


class Judging:
    """One pool and its judges."""

    def __init__(
        self,
        store: VoteStore,
        pool_version: str,
        direction: Direction,
        settings: JudgingSettings | None = None,
    ) -> None:
        self._store = store
        self._version, self._direction = pool_version, direction
        self._settings = settings or JudgingSettings()

    def next_item(self, voter_id: str) -> PoolItem | None:
        """What this judge is asked next; None when nothing is left for them.

        Disagreements come first, then items without any judge, then the ones that need more; queries are finished one
        after the other, items of a query in an order of the judge's own.
        """
        pool, judged = self._state()
        wanted = [
            item
            for item in pool
            if voter_id not in judged[_key(item)] and self._needs(item, list(judged[_key(item)].values()))
        ]
        if not wanted:
            return None
        return min(wanted, key=lambda item: self._urgency(item, judged[_key(item)], voter_id))

    def judge(
        self,
        voter_id: str,
        item: PoolItem,
        grade: int | None,
        *,
        session_id: str,
        consent_version: str,
        listen_ms: int,
        reasons: tuple[str, ...] = (),
    ) -> Judgment:
        """Store a grade (None: seen, but not judged); a later grade of the same judge replaces it in the count.

        Raises:
            Refused: the item is not in the pool, or the judge gave no consent.
        """
        judgment = Judgment(
            direction=str(self._direction),
            query_id=item.query_id,
            item_id=item.item_id,
            item_group_id=item.item_group_id,
            grade=grade,
            guideline_version=GUIDELINE_VERSION,
            pool_version=self._version,
            found_by=item.found_by,
            voter_id=voter_id,
            session_id=session_id,
            consent_version=consent_version,
            listen_ms=listen_ms,
            reasons=json.dumps(sorted(set(reasons))),
        )

        def work(connection: sa.Connection) -> Judgment:
            keys = {"query_id": item.query_id, "item_group_id": item.item_group_id}
            if item not in select(connection, PoolItem, pool_version=self._version, **keys):
                raise Refused(Reason.UNKNOWN)
            if not is_given(connection, voter_id, consent_version):
                raise Refused(Reason.NO_CONSENT)
            append(connection, [judgment])
            return judgment

        return self._store.write(work)

    def progress(self, voter_id: str = "") -> Progress:
        """How much of the pool is graded."""
        pool, judged = self._state()
        grades = [list(judged[_key(item)].values()) for item in pool]
        return Progress(
            items=len(pool),
            finished=sum(not self._needs(item, given) for item, given in zip(pool, grades, strict=True)),
            disagreements=sum(self._disagree(given) for given in grades),
            own=sum(voter_id in judged[_key(item)] for item in pool),
            own_disputed=sum(
                self._disagree(given) and judged[_key(item)].get(voter_id) is not None
                for item, given in zip(pool, grades, strict=True)
            ),
        )

    def disagreements(self) -> list[PoolItem]:
        """Items whose grades are two or more apart, for a discussion of the guidelines."""
        pool, judged = self._state()
        return [item for item in pool if self._disagree(list(judged[_key(item)].values()))]

    def disputed(self, voter_id: str) -> list[Disputed]:
        """The queue of one judge: disagreements on items that they graded, in a stable order."""
        pool, judged = self._state()
        found = []
        for item in pool:
            given = judged[_key(item)]
            own = given.get(voter_id)
            if own is not None and self._disagree(list(given.values())):
                grades = tuple(sorted(grade for grade in given.values() if grade is not None))
                found.append(Disputed(item=item, grades=grades, own=own))
        return sorted(found, key=lambda one: _key(one.item))

    def _state(self) -> tuple[list[PoolItem], dict[tuple[str, str], dict[str, int | None]]]:
        """The pool, and the newest grade of each judge per item."""
        names = {"pool_version": self._version, "direction": str(self._direction)}
        pool = self._store.rows(PoolItem, **names)
        judged: dict[tuple[str, str], dict[str, int | None]] = defaultdict(dict)
        for row in sorted(self._store.rows(Judgment, **names), key=lambda row: row.sequence):
            judged[row.query_id, row.item_group_id][row.voter_id] = row.grade
        return pool, judged

    def _needs(self, item: PoolItem, grades: Sequence[int | None]) -> bool:
        given = [grade for grade in grades if grade is not None]
        if self._disagree(grades):
            return len(given) < self._settings.most_judges
        return len(given) < (self._settings.overlap_judges if self._overlaps(item) else 1)

    def _overlaps(self, item: PoolItem) -> bool:
        text = f"{item.pool_version}/{item.query_id}/{item.item_group_id}"
        return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32 < self._settings.overlap_share

    def _disagree(self, grades: Sequence[int | None]) -> bool:
        given = [grade for grade in grades if grade is not None]
        return len(given) >= 2 and max(given) - min(given) >= self._settings.disagreement

    def _urgency(
        self, item: PoolItem, judged: dict[str, int | None], voter_id: str
    ) -> tuple[bool, bool, str, str]:
        shuffled = hashlib.sha256(f"{voter_id}/{item.query_id}/{item.item_group_id}".encode()).hexdigest()
        return not self._disagree(list(judged.values())), bool(judged), item.query_id, shuffled


def _key(item: PoolItem) -> tuple[str, str]:
    return item.query_id, item.item_group_id

"""What the store says of one battle, of one voter, and of all pairs: the state that the arena decides on."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from mvr.arena.policy import Pair, PairPolicy, PolicySettings, choose_policy, uniform_policy
from mvr.arena.voter import Voter
from mvr.datatypes import Direction
from mvr.metrics.preference import PairVotes, fit_davidson
from mvr.votes import schema
from mvr.votes.records import Aspect, Battle, BattleKind, Flag, Vote, competitor_name
from mvr.votes.store import VoteStore, select

POLICY_REFRESH_MS = 60_000
VOTERS_AT_ONCE = 500  # a database takes only so many values in one question
Cell = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class BattleState:
    """Votes on one battle: the ones that stand, how often it was taken back, whether its systems are
    known."""

    active: tuple[Vote, ...]
    undone: int
    revealed: bool

    @classmethod
    def read(cls, connection: sa.Connection, battle_id: str) -> BattleState:
        """The state inside the caller's transaction."""
        rows = select(connection, Vote, battle_id=battle_id)
        if not rows:  # nothing is revealed before a vote
            return cls(active=(), undone=0, revealed=False)
        undone = {row.undoes for row in rows if row.kind == "undo"}
        active = tuple(row for row in rows if row.kind == "vote" and row.vote_id not in undone)
        flags = select(connection, Flag, target_kind="battle", target_id=battle_id, rule_id="revealed")
        times = sum(row.kind == "undo" and row.aspect == Aspect.FIT for row in rows)
        return cls(active=active, undone=times, revealed=bool(flags))

    @property
    def fit(self) -> Vote | None:
        """The vote on how well the sides fit, if one stands."""
        return next((vote for vote in self.active if vote.aspect == Aspect.FIT), None)

    @property
    def next_attempt(self) -> int:
        """Number of the next vote: one more after each undo."""
        return self.undone


def voter_of(connection: sa.Connection, voter_id: str, session_id: str) -> Voter:
    """Battles that a voter was shown, oldest first, and which of them carry a vote that stands."""
    battles = [
        battle
        for battle in select(connection, Battle, voter_id=voter_id)
        if battle.kind != BattleKind.IDENTICAL
    ]
    battles.sort(key=lambda battle: (battle.sequence, battle.battle_id))
    rows = select(connection, Vote, voter_id=voter_id)
    undone = {row.undoes for row in rows}
    standing = [row for row in rows if row.kind == "vote" and row.vote_id not in undone]
    answers = {row.battle_id: row.outcome for row in standing if row.aspect == Aspect.FIT}
    return Voter(voter_id=voter_id, session_id=session_id, battles=tuple(battles), answers=answers)


def newest_battle(connection: sa.Connection, voter_id: str, **equals: str | None) -> Battle | None:
    """The battle that a voter was shown last, among those whose columns have the given values."""
    columns = schema.BATTLE.c
    query = sa.select(schema.BATTLE).where(columns.voter_id == voter_id, columns.kind != BattleKind.IDENTICAL)
    for name, value in equals.items():
        query = query.where(columns[name] == value)  # None becomes IS NULL
    query = query.order_by(columns.sequence.desc(), columns.battle_id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return Battle.from_row(dict(row)) if row else None


class Policies:
    """The pair policy of each direction, computed again at most once a minute from the votes that the board counts.

    Args:
        store, clock: as for the arena.
        names: competitors that meet in each direction.
        set_aside: voters whom the board leaves out; asked only where pairs have votes enough to matter.
        settings: when close pairs begin to meet more often.
    """

    def __init__(
        self,
        store: VoteStore,
        names: Mapping[Direction, Sequence[str]],
        clock: Callable[[], int],
        set_aside: Callable[[], AbstractSet[str]],
        settings: PolicySettings | None = None,
    ) -> None:
        self._store = store
        self._set_aside = set_aside
        self._names = {direction: list(these) for direction, these in names.items()}
        self._clock = clock
        self._settings = settings or PolicySettings()
        self._lock = threading.Lock()
        self._known: dict[Direction, tuple[int, PairPolicy]] = {}

    def current(self, direction: Direction) -> PairPolicy:
        """The policy by which the next pair is drawn."""
        with self._lock:
            now = self._clock()
            known = self._known.get(direction)
            if known is None or now - known[0] >= POLICY_REFRESH_MS:
                known = (now, self._compute(direction))
                self._known[direction] = known
            return known[1]

    def _compute(self, direction: Direction) -> PairPolicy:
        cells = self._store.read(lambda connection: pair_cells(connection, direction))
        names = self._names[direction]
        policy = self._chosen(names, cells)
        if policy.policy_id == uniform_policy(names).policy_id:
            return policy  # with fewer votes it is the same
        barred = self._set_aside()
        theirs = self._store.read(lambda connection: pair_cells(connection, direction, barred))
        return self._chosen(names, {cell: count - theirs.get(cell, 0) for cell, count in cells.items()})

    def _chosen(self, names: list[str], cells: dict[Cell, int]) -> PairPolicy:
        votes: dict[Pair, int] = defaultdict(int)
        for (left, right, _), count in cells.items():
            votes[min(left, right), max(left, right)] += count
        return choose_policy(names, votes, self._strengths(sorted(names), cells), self._settings)

    def _strengths(self, names: list[str], cells: dict[Cell, int]) -> dict[str, float]:
        inside = {
            key: count
            for key, count in cells.items()
            if count > 0 and key[0] in names and key[1] in names and key[2] in ("left", "right", "tie")
        }
        if {name for key in inside for name in key[:2]} != set(names):
            return {}
        codes = ("left", "right", "tie")
        votes = PairVotes(
            systems=tuple(names),
            left=np.array([names.index(key[0]) for key in inside]),
            right=np.array([names.index(key[1]) for key in inside]),
            outcome=np.array([codes.index(key[2]) for key in inside]),
        )
        fit = fit_davidson(votes, weights=np.array(list(inside.values()), np.float64))
        return dict(zip(names, fit.theta.tolist(), strict=True))


def pair_cells(
    connection: sa.Connection, direction: Direction, voters: AbstractSet[str] | None = None
) -> dict[Cell, int]:
    """Counted votes on fit by (left competitor, right competitor, outcome): everybody's, or those of some voters."""
    if voters is None:
        return dict(_cells(connection, direction, []))
    found: Counter[Cell] = Counter()
    names = sorted(voters)
    for start in range(0, len(names), VOTERS_AT_ONCE):
        found.update(_cells(connection, direction, names[start : start + VOTERS_AT_ONCE]))
    return dict(found)


def _cells(connection: sa.Connection, direction: Direction, voters: Sequence[str]) -> Counter[Cell]:
    names = [f"{side}_{column}" for side in ("left", "right") for column in ("system_id", "alpha")]
    columns = (*names, "outcome", "direction", "aspect", "voter_id")
    view = sa.table(schema.COUNTED_VOTE, *(sa.column(name) for name in columns))
    keys = [view.c[name] for name in (*names, "outcome")]
    query = sa.select(*keys, sa.func.count()).group_by(*keys)
    query = query.where(view.c.direction == str(direction), view.c.aspect == "fit")
    if voters:
        query = query.where(view.c.voter_id.in_(voters))
    cells: Counter[Cell] = Counter()
    for row in connection.execute(query):
        left, left_alpha, right, right_alpha, outcome, count = tuple(row)
        cells[competitor_name(left, left_alpha), competitor_name(right, right_alpha), outcome] += count
    return cells

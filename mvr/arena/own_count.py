"""How many votes one visitor cast and what became of them: the one source of every number that the page shows them.

What the newest battle was is told only when it is closed: a check that is known while it can be taken back is none.
Whom the board's rules set aside is told to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from mvr.arena.history import BattleState, newest_battle
from mvr.arena.reranking.pairs import TARGETS
from mvr.datatypes import Direction
from mvr.votes import schema
from mvr.votes.records import Aspect, Battle, BattleKind, Outcome, Vote
from mvr.votes.store import VoteStore, select


@dataclass(frozen=True, kw_only=True)
class OwnCount:
    """Votes of one visitor on how well things fit: closed = counted + checks + skipped + set_aside.

    Attributes:
        cast: votes that stand, the newest too; those that were taken back are in no number.
        closed: those that cannot be taken back any more.
        counted: may stand on the board. checks: planted ones and repeats. set_aside: too fast, or heard too little.
        teaching: per direction, counted votes that say which of two fits better: what My taste learns from.
    """

    cast: int
    closed: int
    counted: int
    checks: int
    skipped: int
    set_aside: int
    teaching: Mapping[Direction, int]


def own_count(store: VoteStore, voter_id: str) -> OwnCount:
    """The count of one visitor, in one transaction."""
    return store.read(lambda connection: _count(connection, voter_id))


def saved_votes(store: VoteStore) -> int:
    """Votes of all visitors on how well things fit, less those that were taken back."""
    vote = schema.VOTE.c
    kind = sa.case((vote.kind == "undo", -1), else_=1)
    query = sa.select(sa.func.coalesce(sa.func.sum(kind), 0)).where(vote.aspect == str(Aspect.FIT))
    return store.read(lambda connection: int(connection.execute(query).scalar_one()))


def _count(connection: sa.Connection, voter_id: str) -> OwnCount:
    votes = [vote for vote in select(connection, Vote, voter_id=voter_id) if vote.aspect == Aspect.FIT]
    undone = {vote.undoes for vote in votes}
    standing = [vote for vote in votes if vote.kind == "vote" and vote.vote_id not in undone]
    battles = {battle.battle_id: battle for battle in select(connection, Battle, voter_id=voter_id)}
    newest = newest_battle(connection, voter_id)
    is_open = newest is not None and not BattleState.read(connection, newest.battle_id).revealed
    closed = [
        vote for vote in standing if newest is None or not is_open or vote.battle_id != newest.battle_id
    ]
    regular = [vote for vote in closed if battles[vote.battle_id].kind == BattleKind.REGULAR]
    counting = _counting(connection, voter_id)
    counted = [vote for vote in regular if vote.vote_id in counting]
    skipped = sum(vote.outcome == Outcome.SKIP for vote in regular)
    teaching = dict.fromkeys(Direction, 0)
    for vote in counted:
        teaching[Direction(battles[vote.battle_id].direction)] += vote.outcome in TARGETS
    return OwnCount(
        cast=len(standing),
        closed=len(closed),
        counted=len(counted),
        checks=len(closed) - len(regular),
        skipped=skipped,
        set_aside=len(regular) - skipped - len(counted),
        teaching=teaching,
    )


def _counting(connection: sa.Connection, voter_id: str) -> set[str]:
    view = sa.table(schema.COUNTED_VOTE, sa.column("vote_id"), sa.column("voter_id"))
    query = sa.select(view.c.vote_id).where(view.c.voter_id == voter_id)
    return {str(row[0]) for row in connection.execute(query)}

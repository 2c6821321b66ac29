"""Graded lists on the page: one clip and one music of the frozen pool at a time, blind, by `mvr.arena.judging`.

What was handed out is kept in memory: a token is random, belongs to one visitor, and is used up by its grade. Tokens
of a restarted server are unknown, and the page asks for the same item again.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from mvr.arena.candidates import Candidates, Competitor
from mvr.arena.hearing import NotHeard
from mvr.arena.judging import Judging, build_pool
from mvr.arena.refusal import Reason, Refused
from mvr.datatypes import Direction, JsonDict
from mvr.page.voting.battle_media import ArenaMedia
from mvr.page.voting.hearing import Hearing
from mvr.votes.records import PoolItem
from mvr.votes.store import VoteStore

DIRECTION = Direction.VIDEO_TO_MUSIC
_SLACK_MS = 2000
_KEPT_TOKENS = 5000


@dataclass(frozen=True, kw_only=True)
class Grade:
    """A judge's answer: 0 to 3, or None for "cannot say", which is no judgment and never 0."""

    session: str
    token: str
    grade: int | None
    listen_ms: int
    consent_version: str


@dataclass(frozen=True, kw_only=True)
class _Issued:
    voter: str
    item: PoolItem
    at_s: float


class GradingDesk:
    """Hands out items of one pool and takes their grades; safe to use from several threads.

    Args:
        store: where pool and judgments are kept.
        candidates: queries and lists; `competitors` are pooled.
        media: makes what is played.
        needed_ms: of listening before a grade counts; "cannot say" is open at once.
        hearing: what was sent; None takes the browser's word for it.
        clock: seconds that only go forward; tests give their own.
    """

    def __init__(
        self,
        store: VoteStore,
        candidates: Candidates,
        competitors: list[Competitor],
        media: ArenaMedia,
        *,
        needed_ms: int = 5000,
        hearing: Hearing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._candidates, self._competitors = store, candidates, competitors
        self._media, self._needed_ms, self._hearing, self._clock = media, needed_ms, hearing, clock
        self._issued: OrderedDict[str, _Issued] = OrderedDict()
        self._lock = threading.Lock()
        self._judging: Judging | None = None

    @property
    def pool_version(self) -> str:
        """Hash of what the pool is made of: the items, and every compared system with its version."""
        systems = sorted(f"{one.name} {one.version}" for one in self._competitors)
        text = "\n".join((self._candidates.pool_version, *systems))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def next_item(self, voter: str) -> JsonDict:
        """The next clip and music to grade, and how far this visitor is; without a token when nothing is left."""
        item = self._pool().next_item(voter)
        handed = self._hand_out(voter, item) if item is not None else {}
        return handed | {"progress": self.progress(voter)}

    def disputed(self, voter: str, place: int) -> JsonDict:
        """Item number `place` of the queue of disagreements, with all its grades and the visitor's own.

        Only items that the visitor has graded already are in it: what others think must not lead a first grade.
        """
        queue = self._pool().disputed(voter)
        answer: JsonDict = {"progress": self.progress(voter), "place": place}
        if not 0 <= place < len(queue):
            return answer
        found = queue[place]
        return self._hand_out(voter, found.item) | answer | {"grades": list(found.grades), "own": found.own}

    def _hand_out(self, voter: str, item: PoolItem) -> JsonDict:
        token = secrets.token_urlsafe(18)
        media = self._media.of_pair(item, self.start_s(item))
        addresses = self._media.addresses(token, media, self._needed_ms)
        with self._lock:
            self._issued[token] = _Issued(voter=voter, item=item, at_s=self._clock())
            while len(self._issued) > _KEPT_TOKENS:
                self._issued.popitem(last=False)
        return {"token": token, "needed_ms": self._needed_ms} | addresses

    def start_s(self, item: PoolItem) -> float:
        """Where the music starts: at the segment that the system which ranked it best would play it from (of equals
        the first by name). A random item starts where the first system by name would. The same for every judge.
        """
        by_name = {one.name: one for one in self._competitors}
        ranks = {name: rank for name, rank in item.ranks.items() if name in by_name}
        name = min(ranks, key=lambda one: (ranks[one], one)) if ranks else min(by_name)
        query = next(one for one in self._candidates.queries(DIRECTION) if one.query_id == item.query_id)
        everything = len(self._candidates.items(DIRECTION))
        ranked = self._candidates.top(query, by_name[name], everything)
        return next((one.start_s for one in ranked if one.item_id == item.item_id), 0.0)

    def judge(self, voter: str, grade: Grade) -> None:
        """Store a grade.

        Raises:
            Refused: unknown, used or foreign token, heard for too short or longer than the clock allows, no consent;
                nothing was stored.
        """
        with self._lock:
            issued = self._issued.get(grade.token)
            if issued is None:
                raise Refused(Reason.UNKNOWN)
            if issued.voter != voter:
                raise Refused(Reason.FOREIGN)
            elapsed_ms = 1000 * (self._clock() - issued.at_s)
            too_short = grade.grade is not None and min(grade.listen_ms, elapsed_ms) < self._needed_ms
            if too_short or grade.listen_ms > elapsed_ms + _SLACK_MS:
                raise Refused(Reason.EARLY)
            if grade.grade is not None:
                self._check_sent(grade.token)
            del self._issued[grade.token]  # taken by one of several calls at once
        try:
            self._pool().judge(
                voter,
                issued.item,
                grade.grade,
                session_id=grade.session,
                consent_version=grade.consent_version,
                listen_ms=grade.listen_ms,
            )
        except BaseException:
            with self._lock:
                self._issued[grade.token] = issued  # not stored: the same grade may be sent again
            raise

    def _check_sent(self, token: str) -> None:
        """The music was sent as far as listening needs it, long enough ago; see `mvr.arena.hearing`."""
        if self._hearing is None:
            return
        heard_ms = self._hearing.pair_heard_ms(token)
        if heard_ms is None:
            raise NotHeard(
                "the music has not reached you yet; keep listening, then grade again", reload=False
            )
        if heard_ms < self._needed_ms:
            left_s = -(-(self._needed_ms - heard_ms) // 1000)
            raise NotHeard(f"listen for another {left_s} s, then grade again", reload=False)

    def progress(self, voter: str) -> JsonDict:
        """Items of the pool, how many this visitor has seen, how many have all the judges they need, and how many of
        the visitor's are disputed."""
        progress = self._pool().progress(voter)
        return {
            "own": progress.own,
            "items": progress.items,
            "finished": progress.finished,
            "disputed": progress.own_disputed,
        }

    def _pool(self) -> Judging:
        """The judges of the frozen pool; the first caller of a new version freezes it."""
        with self._lock:
            if self._judging is None:
                version = self.pool_version
                if not self._store.rows(PoolItem, pool_version=version, direction=str(DIRECTION)):
                    build_pool(
                        self._store, self._candidates, self._competitors, DIRECTION, pool_version=version
                    )
                self._judging = Judging(self._store, version, DIRECTION)
            return self._judging

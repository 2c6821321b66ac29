"""The blind arena: which battle comes next and what a vote may do. All rules live here, on the server.

A visit, with the calls the page makes:

    arena.consent(voter_id, session_id, version=..., text=...)      once, before the first battle
    shown = arena.next_battle(voter_id, direction, session_id=...)  also after a reload: the same battle again
        ... build two media files from shown.battle.left/right; send the browser shown.token only ...
    receipt = arena.vote(shown.token, voter_id, Ballot(...))        raises Refused; after it: "saved"
    arena.undo(shown.token, voter_id)                               within 10 s: the battle is open again
    battle = arena.reveal(shown.token, voter_id)                    which system is which; closes the battle
    nxt = arena.prepare(voter_id, direction, session_id=...)        draw ahead, so that media can be made
    arena.issue(nxt)                                                starts its clock

`voter_id` always comes from `VoterSigner.voter(cookie)`, never from the browser's own word.
"""

from __future__ import annotations

import dataclasses
import hashlib
import random
import secrets
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

import sqlalchemy as sa

from mvr.arena.ballot import Ballot, OpenBattle, Receipt
from mvr.arena.candidates import ORIGINAL, Candidates, Competitor, QueryItem
from mvr.arena.draw import Drawer, Drawn
from mvr.arena.history import BattleState, Policies, newest_battle, voter_of
from mvr.arena.rates import rate_flags
from mvr.arena.refusal import Reason, Refused
from mvr.arena.rules import ArenaSettings, check_listened, check_open, check_undo
from mvr.arena.tokens import Tokens
from mvr.datatypes import Direction
from mvr.errors import UsageError
from mvr.votes.consents import is_given
from mvr.votes.ids import new_id, now_ms
from mvr.votes.records import Aspect, Battle, Consent, Flag, Record
from mvr.votes.served import served_of
from mvr.votes.store import VoteStore, append, append_vote, lock, select
from mvr.votes.voter import VoterSigner

REVEALED = "revealed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Asked:
    """The battle that a token names, at which attempt, and what was done with it."""

    battle: Battle
    attempt: int
    state: BattleState


class Arena:
    """Battles between competitors over candidates, kept in a vote store. Safe to share between threads.

    Args:
        store: where everything is kept.
        candidates: queries and ranked lists.
        competitors: at least two systems (or alphas of one).
        signer: makes and checks tokens.
        settings: limits and shares.
        clock: milliseconds UTC; tests give their own.
        seed: makes the draws repeatable (tests, simulations); None draws from the system's randomness.
        set_aside: voters whom the board leaves out, for the policy of pairs; nobody by default.

    Raises:
        UsageError: fewer than two competitors.
    """

    def __init__(
        self,
        store: VoteStore,
        candidates: Candidates,
        competitors: Sequence[Competitor],
        signer: VoterSigner,
        *,
        settings: ArenaSettings | None = None,
        clock: Callable[[], int] = now_ms,
        seed: int | None = None,
        set_aside: Callable[[], AbstractSet[str]] = frozenset,
    ) -> None:
        if len({competitor.name for competitor in competitors}) < 2:
            raise UsageError("an arena needs at least two different systems (or alphas) to compare")
        self.store = store
        self.settings = settings or ArenaSettings()
        self._candidates = candidates
        self._tokens = Tokens(signer)
        self._clock = clock
        self._drawer = Drawer(candidates, competitors, self.settings.draw)
        names = {
            # `original` meets few queries: it has no share in the policy, see `mvr.arena.draw`
            direction: [
                one.name
                for one in competitors
                if one.direction in (None, direction) and one.system_id != ORIGINAL
            ]
            for direction in Direction
        }
        self._policies = Policies(store, names, clock, set_aside)
        self._random = random.Random(secrets.randbits(128) if seed is None else seed)

    def consent(self, voter_id: str, session_id: str, *, version: str, text: str, given: bool = True) -> None:
        """Write down that the voter read this text and what they decided."""
        self.store.add(
            Consent(
                voter_id=voter_id,
                session_id=session_id,
                version=version,
                text_sha256=hashlib.sha256(text.encode()).hexdigest(),
                decision="given" if given else "declined",
                created_at_ms=self._clock(),
            )
        )

    def has_consent(self, voter_id: str, version: str) -> bool:
        """Whether the voter's newest decision on this version is "given"; after "forget me" it is not."""
        return self.store.read(lambda connection: is_given(connection, voter_id, version))

    def current(
        self, voter_id: str, direction: Direction, *, study_id: str | None = None
    ) -> OpenBattle | None:
        """The battle that the voter has open, if any: what a reload shows."""
        battle = self.store.read(lambda connection: self._open(connection, voter_id, direction, study_id))
        return self._shown(*battle, restored=True) if battle else None

    def next_battle(
        self, voter_id: str, direction: Direction, *, session_id: str, query: QueryItem | None = None
    ) -> OpenBattle:
        """The open battle, or else a new one; `query` is the visitor's own clip, else one is drawn.

        Raises:
            Refused: nothing is left to show to this voter.
        """
        shown = self.current(voter_id, direction)
        if shown is not None and (query is None or shown.battle.query_id == query.query_id):
            return shown
        return self.issue(self.prepare(voter_id, direction, session_id=session_id, query=query))

    def prepare(
        self, voter_id: str, direction: Direction, *, session_id: str, query: QueryItem | None = None
    ) -> Drawn:
        """Draw a battle without storing it, so that its media can be made ahead."""
        voter = self.store.read(lambda connection: voter_of(connection, voter_id, session_id))
        policy = self._policies.current(direction)
        return self._drawer.draw(voter, direction, policy, seed=self._random.getrandbits(62), query=query)

    def issue(self, drawn: Drawn) -> OpenBattle:
        """Store a drawn battle and start its clock; another open one (a second tab) is given back instead."""

        def work(connection: sa.Connection) -> OpenBattle:
            lock(connection, f"voter:{drawn.battle.voter_id}")
            battle = dataclasses.replace(drawn.battle, created_at_ms=self._clock())
            found = self._open(connection, battle.voter_id, Direction(battle.direction), battle.study_id)
            if found and found[0].query_id == battle.query_id:
                return self._shown(*found, restored=True)
            append(connection, [*drawn.identical, battle])
            stored = select(connection, Battle, battle_id=battle.battle_id)[0]
            return self._shown(stored, 0, restored=False)

        return self.store.write(work)

    def vote(self, token: str, voter_id: str, ballot: Ballot) -> Receipt:
        """Store a vote, or refuse it neutrally.

        Raises:
            Refused: unknown, used, expired, foreign or too early token, or no consent; nothing was stored.
            NotSaved: the database failed; nothing was stored, and the same call may be made again.
        """

        def work(connection: sa.Connection) -> Receipt:
            lock(connection, f"voter:{voter_id}")
            now = self._clock()  # after the lock: a voter's rows are in the order of their times
            asked = self._battle_of(connection, token, voter_id)
            battle, state = asked.battle, asked.state
            check_open(state, asked.attempt, ballot, now - battle.created_at_ms, self.settings)
            heard = check_listened(
                battle, ballot, served_of(connection, battle.battle_id), now, self.settings
            )
            if not is_given(connection, voter_id, ballot.consent_version):
                raise Refused(Reason.NO_CONSENT)
            vote = heard.to_vote(battle, asked.attempt, now)
            flags = rate_flags(connection, vote, self.settings.rates) if ballot.aspect == Aspect.FIT else []
            stored = append_vote(connection, vote)
            append(connection, flags)
            undo_until = now + int(self.settings.undo_s * 1000)
            return Receipt(vote=stored, pause=bool(flags), undo_until_ms=undo_until)

        return self.store.write(work)

    def undo(self, token: str, voter_id: str) -> OpenBattle:
        """Take the votes on a battle back within 10 s and open it again, under a new token.

        Raises:
            Refused: no vote, too late, revealed, or a later battle was already issued.
        """

        def work(connection: sa.Connection) -> tuple[Battle, int]:
            lock(connection, f"voter:{voter_id}")
            now = self._clock()  # after the lock: a voter's rows are in the order of their times
            asked = self._battle_of(connection, token, voter_id)
            battle, state = asked.battle, asked.state
            newest = newest_battle(connection, voter_id)
            is_newest = newest is not None and newest.battle_id == battle.battle_id
            check_undo(state, asked.attempt, is_newest, now, self.settings)
            for vote in state.active:
                append_vote(
                    connection,
                    dataclasses.replace(
                        vote, vote_id=new_id(), kind="undo", undoes=vote.vote_id, created_at_ms=now
                    ),
                )
            return battle, state.next_attempt + 1

        battle, attempt = self.store.write(work)
        return self._shown(battle, attempt, restored=True)

    def reveal(
        self, token: str, voter_id: str, grades: Callable[[Battle], Sequence[Record]] = lambda battle: ()
    ) -> Battle:
        """Who stood on which side, after the vote. From then on the battle is closed: no undo, no new vote, no grades.

        Args:
            token, voter_id: as for the vote.
            grades: rows to store with the first reveal, and only then: later ones would be given knowing the names.

        Raises:
            Refused: not voted yet, or somebody else's battle.
        """

        def work(connection: sa.Connection) -> Battle:
            lock(connection, f"voter:{voter_id}")
            asked = self._battle_of(connection, token, voter_id)
            battle, state = asked.battle, asked.state
            if not state.active:
                raise Refused(Reason.NOT_VOTED)
            if not state.revealed:
                # "clear" excludes nothing: the row only says that the systems are known from here on.
                append(
                    connection,
                    [
                        Flag(
                            target_kind="battle",
                            target_id=battle.battle_id,
                            rule_id=REVEALED,
                            verdict="clear",
                        ),
                        *grades(battle),
                    ],
                )
            return battle

        return self.store.write(work)

    # rules ----------------------------------------------------------------------------------------

    def _battle_of(self, connection: sa.Connection, token: str, voter_id: str) -> _Asked:
        battle_id, attempt = self._tokens.read(token)
        battles = select(connection, Battle, battle_id=battle_id)
        if not battles:
            raise Refused(Reason.UNKNOWN)
        if battles[0].voter_id != voter_id:
            raise Refused(Reason.FOREIGN)
        return _Asked(battle=battles[0], attempt=attempt, state=BattleState.read(connection, battle_id))

    def _open(
        self, connection: sa.Connection, voter_id: str, direction: Direction, study_id: str | None
    ) -> tuple[Battle, int] | None:
        since = self._clock() - int(self.settings.token_life_s * 1000)
        battle = newest_battle(connection, voter_id, direction=str(direction), study_id=study_id)
        if battle is None or battle.created_at_ms < since:
            return None
        state = BattleState.read(connection, battle.battle_id)
        closed = state.revealed or state.fit is not None
        return None if closed else (battle, state.next_attempt)

    def _shown(self, battle: Battle, attempt: int, *, restored: bool) -> OpenBattle:
        return OpenBattle(
            token=self._tokens.make(battle.battle_id, attempt),
            battle=battle,
            opens_at_ms=battle.created_at_ms + 2 * battle.needed_ms,
            expires_at_ms=battle.created_at_ms + int(self.settings.token_life_s * 1000),
            restored=restored,
        )

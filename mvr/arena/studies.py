"""Paid or invited studies: a fixed list of battles for every participant, balanced by a Latin square.

A participant arrives with an id (`?pid=...`), which is never stored: the voter is a keyed hash of it. Participant n
gets row n of a Williams square: over a full square every battle comes equally often at every place and after every
other battle, and its two sides are swapped for every other participant. Williams, Australian Journal of Scientific
Research 2 (1949).

Who knows an id is not its owner yet: the first browser that comes with it is. A study is `open` (any id), `listed` (the
ids in its file) or `signed` (ids that `mvr votes invite` signed).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from mvr.arena.arena import Arena
from mvr.arena.ballot import OpenBattle
from mvr.arena.candidates import Candidates, Competitor
from mvr.arena.draw import Drawer, Drawn
from mvr.arena.history import voter_of
from mvr.arena.refusal import Reason, Refused
from mvr.datatypes import Direction
from mvr.errors import DataError, UsageError
from mvr.votes import schema
from mvr.votes.consents import is_withdrawn
from mvr.votes.ids import now_ms
from mvr.votes.records import Participant
from mvr.votes.store import append, lock, select
from mvr.votes.voter import VoterSigner

FINISHED = "the study is finished; thank you"
OTHER_BROWSER = (
    "this participant id is in use in another browser; continue there, or ask the people who invited you"
)
NOT_INVITED = (
    "this participant id does not belong to the study; open the address exactly as it was sent to you"
)
LEFT = "you withdrew from this study, so you cannot continue it"
SIGNATURE = 16  # letters of the base32 signature of a signed id: 80 bits


class StudyKind(StrEnum):
    """Whose ids a study takes."""

    OPEN = "open"
    LISTED = "listed"
    SIGNED = "signed"


@dataclass(frozen=True, kw_only=True)
class StudyBattle:
    """One item of the fixed list: a query and the names of two competitors."""

    query_id: str
    first: str
    second: str


@dataclass(frozen=True, kw_only=True)
class Study:
    """A fixed list of battles in one direction; `participants` of a listed study."""

    study_id: str
    direction: Direction
    battles: tuple[StudyBattle, ...]
    kind: StudyKind = StudyKind.OPEN
    participants: frozenset[str] = frozenset()

    @classmethod
    def read(cls, path: Path) -> Study:
        """Read {"study_id", "direction", "battles": [{"query_id", "first", "second"}, ...]}, and where it is not open
        "kind" and of a listed one "participants", a list of ids.

        Raises:
            DataError: another form, no battle, the same battle twice, or a list of participants that is not wanted or
                missing.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            study = cls(
                study_id=str(values["study_id"]),
                direction=Direction(values["direction"]),
                battles=tuple(StudyBattle(**battle) for battle in values["battles"]),
                kind=StudyKind(values.get("kind", StudyKind.OPEN)),
                participants=frozenset(map(str, values.get("participants", ()))),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} is not a study: {error!r}") from error
        keys = {(b.query_id, *sorted((b.first, b.second))) for b in study.battles}
        if not keys or len(keys) != len(study.battles):
            raise DataError(f"{path} must list at least one battle, and no battle twice")
        if bool(study.participants) != (study.kind == StudyKind.LISTED):
            raise DataError(
                f"{path}: a study of kind 'listed' must name its participants, and only such a study may"
            )
        return study


def latin_row(size: int, number: int) -> list[int]:
    """Row `number` of the Williams square of `size` battles (twice as many rows where `size` is odd).

    >>> latin_row(4, 0), latin_row(4, 1)
    ([0, 1, 3, 2], [1, 2, 0, 3])
    """
    zigzag = [(place + 1) // 2 if place % 2 else (size - place // 2) % size for place in range(size)]
    rows = size if size % 2 == 0 else 2 * size
    number %= rows
    row = [(step + number) % size for step in zigzag]
    return row if number < size else row[::-1]


@dataclass(frozen=True)
class Participants:
    """Voter ids and completion codes of one study, by the server's secret alone: nothing is looked up."""

    study_id: str
    signer: VoterSigner

    def voter(self, participant_id: str) -> str:
        """The voter of a participant id; the id itself is stored nowhere."""
        return self.signer.mac("participant", self.study_id, participant_id)

    def invite(self, participant_id: str) -> str:
        """The id of a participant as a signed study's address has it: with a signature that only this server makes.

        Raises:
            UsageError: a dot in the id, behind which the signature stands.
        """
        if "." in participant_id or not participant_id:
            raise UsageError(f"a participant id must not be empty or contain a dot: {participant_id!r}")
        signature = self.signer.mac("invitation", self.study_id, participant_id)[:SIGNATURE]
        return f"{participant_id}.{signature}"

    def is_invited(self, given: str) -> bool:
        """Whether an id of an address carries its signature."""
        participant_id = given.rpartition(".")[0]
        return (
            bool(participant_id)
            and "." not in participant_id
            and hmac.compare_digest(self.invite(participant_id).encode(), given.encode())
        )

    def code(self, voter_id: str) -> str:
        """The completion code of a voter."""
        return self.signer.mac("completion", self.study_id, voter_id)[:10].upper()

    def owns(self, participant_id: str, code: str) -> bool:
        """For the panel's organiser: whether a code belongs to this participant."""
        own = self.code(self.voter(participant_id))
        return hmac.compare_digest(own.encode(), code.strip().upper().encode())


class StudyArena:
    """Runs one study through an arena: same tokens, same rules of voting, another way of choosing battles.

    Args:
        arena: where votes are cast (`arena.vote(...)`, `arena.undo(...)` work as always).
        candidates, competitors: as the arena's.
        signer: makes voter ids and completion codes.

    Raises:
        UsageError: the study names a query or a competitor that is not there.
    """

    def __init__(
        self,
        arena: Arena,
        study: Study,
        candidates: Candidates,
        competitors: Sequence[Competitor],
        signer: VoterSigner,
    ) -> None:
        self._arena, self._study = arena, study
        self._people = Participants(study.study_id, signer)
        self._queries = {query.query_id: query for query in candidates.queries(study.direction)}
        self._competitors = {competitor.name: competitor for competitor in competitors}
        self._drawer = Drawer(candidates, competitors, arena.settings.draw)
        for battle in study.battles:
            for name, known in (
                (battle.query_id, self._queries),
                (battle.first, self._competitors),
                (battle.second, self._competitors),
            ):
                if name not in known:
                    raise UsageError(
                        f"the study names {name!r}, which is not here; choose from {', '.join(known)}"
                    )
            for name in (battle.first, battle.second):
                if not self._competitors[name].meets(self._queries[battle.query_id], study.direction):
                    raise UsageError(
                        f"{name!r} learned from votes on {battle.query_id!r}; choose another query"
                    )

    @property
    def direction(self) -> Direction:
        """The direction of all its battles."""
        return self._study.direction

    def voter(self, participant_id: str) -> str:
        """The voter of a participant id (of a signed study without its signature); the id itself is stored nowhere.

        Raises:
            Refused: an id that is not of this study.
        """
        if self._study.kind == StudyKind.LISTED and participant_id not in self._study.participants:
            raise Refused(Reason.FOREIGN, NOT_INVITED)
        if self._study.kind == StudyKind.SIGNED:
            if not self._people.is_invited(participant_id):
                raise Refused(Reason.FOREIGN, NOT_INVITED)
            participant_id = participant_id.rpartition(".")[0]
        return self._people.voter(participant_id)

    def admit(self, participant_id: str, browser: str) -> str:
        """The voter of a participant id for the browser that came with it first, and for no other.

        Args:
            participant_id: as in the address.
            browser: the random id that the browser keeps; its keyed hash is stored.

        Raises:
            Refused: an id that is not of this study, another browser, or somebody who withdrew.
        """
        voter_id = self.voter(participant_id)
        mac = self._people.signer.mac("browser", self._study.study_id, browser)

        def work(connection: sa.Connection) -> str:
            lock(connection, f"voter:{voter_id}")
            table = schema.STUDY_BROWSER
            key = {"study_id": self._study.study_id, "voter_id": voter_id}
            same = [table.c[name] == value for name, value in key.items()]
            known = connection.execute(sa.select(table.c.browser_mac).where(*same)).scalar()
            if known is None:
                connection.execute(sa.insert(table).values(**key, browser_mac=mac, created_at_ms=now_ms()))
            elif not hmac.compare_digest(known, mac):
                raise Refused(Reason.FOREIGN, OTHER_BROWSER)
            if is_withdrawn(connection, voter_id):
                raise Refused(Reason.FOREIGN, LEFT)
            return voter_id

        return self._arena.store.write(work)

    def next_battle(self, voter_id: str, *, session_id: str) -> OpenBattle:
        """The participant's open battle, or the next of their row.

        Raises:
            Refused: all battles of the study have their vote.
        """
        shown = self._arena.current(voter_id, self._study.direction, study_id=self._study.study_id)
        if shown is not None:
            return shown
        number = self._number(voter_id)
        place = self.progress(voter_id)[0]
        row = latin_row(len(self._study.battles), number)
        if place >= len(row):
            raise Refused(Reason.EXHAUSTED, FINISHED)
        battle = self._study.battles[row[place]]
        names = (
            (battle.first, battle.second) if (number + row[place]) % 2 == 0 else (battle.second, battle.first)
        )
        sides = (self._competitors[names[0]], self._competitors[names[1]])
        voter = self._arena.store.read(lambda connection: voter_of(connection, voter_id, session_id))
        drawn = self._drawer.fixed(
            voter, self._study.direction, self._queries[battle.query_id], sides, self._study.study_id
        )
        return self._arena.issue(Drawn(battle=drawn))

    def progress(self, voter_id: str) -> tuple[int, int]:
        """How many battles of the study carry a vote of this participant, and how many there are."""
        voter = self._arena.store.read(lambda connection: voter_of(connection, voter_id, ""))
        mine = [battle for battle in voter.battles if battle.study_id == self._study.study_id]
        voted = {
            (b.query_id, *sorted((b.left.competitor, b.right.competitor)))
            for b in mine
            if b.battle_id in voter.answers
        }
        return len(voted), len(self._study.battles)

    def completion_code(self, voter_id: str) -> str:
        """What a participant takes back to the panel, once all battles are voted on.

        Raises:
            Refused: not finished.
        """
        done, wanted = self.progress(voter_id)
        if done < wanted:
            raise Refused(Reason.NOT_VOTED, f"{wanted - done} battles of the study are still to be voted on")
        return self._people.code(voter_id)

    def _number(self, voter_id: str) -> int:
        return self._arena.store.write(
            lambda connection: _number_of(connection, self._study.study_id, voter_id)
        )


def _number_of(connection: sa.Connection, study_id: str, voter_id: str) -> int:
    """The participant's number: the next free one on the first visit."""
    lock(connection, f"study:{study_id}")
    known = select(connection, Participant, study_id=study_id, voter_id=voter_id)
    if known:
        return known[0].number
    count = sa.select(sa.func.count()).where(schema.PARTICIPANT.c.study_id == study_id)
    number = int(connection.execute(count).scalar_one())
    append(connection, [Participant(study_id=study_id, voter_id=voter_id, number=number)])
    return number

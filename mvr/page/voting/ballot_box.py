"""The arena as the page uses it: one store, one arena per library, media made ahead, what a browser may know.

Everything that a browser gets before its vote passes through `shown`: a token, addresses that say nothing, lengths
and times. Who stands on which side stays in the store until `reveal`.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
import threading
import time
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from mvr.arena.arena import Arena
from mvr.arena.ballot import Ballot, OpenBattle
from mvr.arena.board.cache import BoardCache
from mvr.arena.candidates import ORIGINAL, Competitor, QueryItem
from mvr.arena.draw import Drawn, DrawSettings
from mvr.arena.refusal import Reason, Refused
from mvr.arena.rules import ArenaSettings
from mvr.arena.studies import Study, StudyArena
from mvr.config.paths import home_dir
from mvr.datatypes import Direction, JsonDict
from mvr.errors import MediaError, MvrError, NotInLibrary, UsageError
from mvr.page import texts
from mvr.page.library import Catalogue
from mvr.page.names import shown_name
from mvr.page.serving import Shelf
from mvr.page.serving.once import once
from mvr.page.voting.ahead import Ahead
from mvr.page.voting.battle_media import ArenaMedia
from mvr.page.voting.contest import Contest, OwnClip
from mvr.page.voting.grading import GradingDesk
from mvr.page.voting.hearing import Hearing
from mvr.page.voting.host_library import Soundtracks, library_of_this_server
from mvr.page.voting.judgments import Grades, judgments
from mvr.page.voting.reception import Behind, Reception
from mvr.page.voting.vote_copy import VoteCopy
from mvr.page.voting.voters import GroupLabels
from mvr.votes.records import Side
from mvr.votes.store import VoteStore
from mvr.votes.voter import VoterSigner, load_secret

logger = logging.getLogger(__name__)
UNPLAYABLE = (MediaError, NotInLibrary, UsageError)  # a battle's files have gone or cannot be decoded
_DRAWS = 5


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What the arena uses of the page.

    Attributes:
        catalogue, shelf: where items are, how media are served.
        pool: threads that make battles ahead.
        votes_url: SQLAlchemy URL of the vote store.
        listen_ms: how long each side is to be heard.
    """

    catalogue: Catalogue
    shelf: Shelf
    pool: Executor
    votes_url: str
    listen_ms: int


class BallotBox:
    """Battles and votes of all visitors; safe to use from several threads."""

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self.lock = threading.RLock()
        self._warming: threading.Thread | None = None
        self._ahead = Ahead(needs.pool, self._drawn)
        self.signer = VoterSigner(load_secret())
        self._library = library_of_this_server(needs.catalogue)
        self.labels = GroupLabels()
        self.hearing = Hearing(lambda: self.store)
        self.reception = Reception(
            self.signer,
            Behind(store=lambda: self.store, arena=lambda: self.arena, study=lambda: self.study),
        )

    @once
    def store(self) -> VoteStore:
        """The vote store, opened with the first visitor."""
        return VoteStore.open(self._needs.votes_url)

    @once
    def boards(self) -> BoardCache:
        """The leaderboard of the store, counted again only after something changed."""
        return BoardCache(self.store)

    @once
    def copy(self) -> VoteCopy:
        """What becomes of saved votes beside being here."""
        return VoteCopy(self.store)

    @once
    def contest(self) -> Contest:
        """Candidates over the demo library, or over the host's."""
        soundtracks = Soundtracks(home_dir() / "battles" / "own-music.json")
        return Contest(self._needs.catalogue, self._library, brings_music=soundtracks.competes)

    @once
    def media(self) -> ArenaMedia:
        """What plays in battles and graded pairs."""
        folder = home_dir() / "battles"
        return ArenaMedia(self.contest, self._needs.shelf, folder, self.signer, self.hearing)

    @once
    def arena(self) -> Arena:
        """The rules, over every ready system."""
        draw = DrawSettings(needed_ms=self._needs.listen_ms)
        settings = ArenaSettings(draw=draw, needs_served=True)
        original = Competitor(system_id=ORIGINAL, version="1", direction=Direction.VIDEO_TO_MUSIC)
        rivals = [*self.contest.competitors(), original]
        return Arena(
            self.store,
            self.contest,
            rivals,
            self.signer,
            settings=settings,
            set_aside=lambda: self.boards.set_aside(),
        )

    @once
    def desk(self) -> GradingDesk:
        """The graded list over every ready system."""
        needed_ms = self._needs.listen_ms
        return GradingDesk(
            self.store,
            self.contest,
            self.contest.competitors(),
            self.media,
            needed_ms=needed_ms,
            hearing=self.hearing,
        )

    @once
    def study(self) -> StudyArena | None:
        """The study of the file that `MVR_STUDY` names, or None.

        Raises:
            DataError: the file is no study. UsageError: it names what is not here.
        """
        path = os.environ.get("MVR_STUDY", "")
        if not path:
            return None
        rivals = self.contest.competitors()
        return StudyArena(self.arena, Study.read(Path(path)), self.contest, rivals, self.signer)

    def hello(self, cookie: str, participant: str | None = None, account: str | None = None) -> JsonDict:
        """See `Reception.hello`; the first visitor also starts the making of media ahead."""
        self._warm_up()
        return self.reception.hello(cookie, participant, account) | {"saved": self.copy.words()}

    def battle(
        self, voter: str, session: str, direction: Direction, own: QueryItem | None = None
    ) -> JsonDict:
        """The open battle of this visitor or the next one, ready to play."""
        started = time.monotonic()
        open_one = self.arena.current(voter, direction)
        shown = None
        if open_one is not None and (own is None or open_one.battle.query_id == own.query_id):
            shown = self._played(open_one)
        if shown is None:
            shown = self._played(self._next(voter, session, direction, own))
        if shown is None:
            raise Refused(Reason.EXHAUSTED, texts.NO_BATTLE_PLAYS)
        shown |= self.reception.count_of(voter)
        logger.info("battle ready after %.2f s", time.monotonic() - started)
        return shown

    def study_battle(self, voter: str, session: str, participant: str) -> JsonDict:
        """The open or next battle of a participant's list; at its end the completion code.

        Raises:
            Refused: no study runs here, or the visitor is not this participant.
        """
        study = self.study
        if study is None or study.voter(participant) != voter:
            raise Refused(Reason.FOREIGN)
        done, wanted = study.progress(voter)
        if done >= wanted:
            return {"code": study.completion_code(voter), "done": done, "wanted": wanted}
        shown = study.next_battle(voter, session_id=session)
        return self.shown(shown) | self.reception.count_of(voter) | {"done": done, "wanted": wanted}

    def vote(self, voter: str, token: str, ballot: Ballot, direction: Direction | None) -> JsonDict:
        """Store a vote; only after the commit does the answer say so. The next battle of `direction` is prepared
        meanwhile; None for a study, whose list is fixed.
        """
        self.hearing.flush()  # what was sent must count now, however busy the store is
        receipt = self.arena.vote(token, voter, ballot)
        if direction is not None:
            self._ahead.prepare(voter, ballot.session_id, direction)
        return {
            "saved": True,
            "pause": receipt.pause,
            "undo_ms": int(self.arena.settings.undo_s * 1000),
            "kept": self.copy.words(),
            **self.reception.count_of(voter),
        }

    def undo(self, voter: str, token: str) -> JsonDict:
        """Take the vote back; the same battle is open again."""
        return self.shown(self.arena.undo(token, voter)) | self.reception.count_of(voter)

    def reveal(self, voter: str, session: str, token: str, grades: Grades) -> JsonDict:
        """Both sides by name, after the vote; closes the battle, and keeps the grades given with it the first time."""
        battle = self.arena.reveal(token, voter, lambda battle: judgments(voter, session, battle, grades))
        sides = {name: self._named(side) for name, side in (("left", battle.left), ("right", battle.right))}
        return sides | self.reception.count_of(voter)

    def add_own(
        self, path: Path, direction: Direction, duration_s: float, *, own_music: bool = False
    ) -> QueryItem:
        """Register a visitor's own file as a query; nothing of it goes into the store but a random id.

        `own_music`: its sound is music, and its owner lets it compete.
        """
        query_id = f"own-{secrets.token_hex(8)}"
        item = QueryItem(
            query_id=query_id, group_id=query_id, duration_s=duration_s, source="upload", own_music=own_music
        )
        self.contest.add_own(OwnClip(item=item, path=path, direction=direction))
        return item

    def own_query(self, query_id: str, voter: str) -> QueryItem | None:
        """A registered own file, or None; it belongs to the first voter who asks with its id."""
        clip = self.contest.own(query_id)
        return clip.item if clip is not None and self.contest.claim(query_id, voter) else None

    def _played(self, open_one: OpenBattle) -> JsonDict | None:
        """What the browser gets of a battle; None where a file of it has gone since it was drawn."""
        try:
            return self.shown(open_one)
        except UNPLAYABLE as error:
            logger.warning("an open battle cannot be played any more: %s", error)
            return None

    def shown(self, open_one: OpenBattle) -> JsonDict:
        """What the browser may know before the vote."""
        battle = open_one.battle
        return {
            "token": open_one.token,
            "direction": str(battle.direction),
            **self.media.addresses(battle.battle_id, self.media.of_battle(battle), battle.needed_ms),
            "needed_ms": battle.needed_ms,
            "restored": open_one.restored,
        }

    def close(self) -> None:
        """Delete the media of all battles and close the store."""
        if "media" in self.__dict__:
            self.media.close()
        if "copy" in self.__dict__:
            self.copy.close()
        self.hearing.close()
        if "store" in self.__dict__:
            self.store.close()

    def _next(self, voter: str, session: str, direction: Direction, own: QueryItem | None) -> OpenBattle:
        drawn = self._ahead.take(voter, direction) if own is None else None
        return self.arena.issue(drawn or self._drawn(voter, session, direction, own))

    def _drawn(self, voter: str, session: str, direction: Direction, own: QueryItem | None = None) -> Drawn:
        """A battle whose media are made before its clock starts."""
        for _ in range(_DRAWS):
            try:
                drawn = self.arena.prepare(voter, direction, session_id=session, query=own)
                self.media.of_battle(drawn.battle)
            except UNPLAYABLE as error:
                logger.warning("a battle is drawn again: %s", error)  # names a file: not for the visitor
            else:
                return drawn
        raise Refused(Reason.EXHAUSTED, texts.NO_BATTLE_PLAYS)

    def _warm_up(self) -> None:
        """With the first visitor, and only then: make media ahead in a thread that gives way to all others."""
        with self.lock:
            if self._warming is not None:
                return
            self._warming = threading.Thread(target=self._warm, name="mvr-excerpts", daemon=True)
        self._warming.start()

    def _warm(self) -> None:
        if sys.platform == "linux":  # elsewhere this would slow the whole program
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        try:
            self.media.warm()
        except MvrError as error:
            logger.warning("media of battles are not all made ahead: %s", error)

    def _named(self, side: Side) -> JsonDict:
        if side.system_id == ORIGINAL:
            return {"title": texts.ORIGINAL_TITLE, "artist": "", "licence": "", "credit": "", "rank": 1} | {
                "system": texts.ORIGINAL_OWNER
            }
        item = self.contest.item(side.item_id)
        return {
            "title": item.title,
            "artist": item.artist,
            "licence": item.licence,
            "credit": item.credit_line,
            "system": shown_name(side.competitor) if side.system_id else texts.PLANTED,
            "rank": side.rank,
        }

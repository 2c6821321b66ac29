"""The arena as the page uses it: one store, one arena per library, media made ahead, what a browser may know.

Everything that a browser gets before its vote passes through `shown`: a token, addresses that say nothing, lengths
and times. Who stands on which side stays in the store until `reveal`.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from pathlib import Path

from mvr.arena.arena import Arena
from mvr.arena.ballot import REASONS, Ballot, OpenBattle
from mvr.arena.board.cache import BoardCache
from mvr.arena.candidates import QueryItem
from mvr.arena.draw import Drawn
from mvr.arena.judging import GUIDELINE_VERSION, GUIDELINES
from mvr.arena.refusal import Reason, Refused
from mvr.arena.studies import Study, StudyArena
from mvr.config.paths import home_dir
from mvr.datatypes import Direction, JsonDict
from mvr.errors import MvrError, VoteRefused
from mvr.page import texts
from mvr.page.battle_media import BattleMedia, make_battle_media, make_pair_media
from mvr.page.catalogue import DEMO
from mvr.page.contest import Contest, OwnClip
from mvr.page.context import PageContext
from mvr.page.grading import NEEDED_MS, Grade, GradingDesk
from mvr.page.shelf import ShelfItem
from mvr.votes.own import own_rows
from mvr.votes.records import Battle, Judgment, PoolItem, Vote
from mvr.votes.store import VoteStore
from mvr.votes.voter import VoterSigner, load_secret

logger = logging.getLogger(__name__)
CONSENT_VERSION = "1"
_KEPT_BATTLES = 400  # whose media stay on disk: two or three megabytes a battle


class BallotBox:
    """Battles, votes and their media for all visitors; safe to use from several threads."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._folder = home_dir() / "battles" / secrets.token_hex(8)
        self._media: OrderedDict[str, BattleMedia] = OrderedDict()
        self._ahead: dict[tuple[str, Direction], Future[tuple[Drawn, BattleMedia]]] = {}
        self._lock = threading.Lock()
        self.signer = VoterSigner(load_secret())

    @functools.cached_property
    def store(self) -> VoteStore:
        """The vote store, opened with the first visitor."""
        with self._lock:
            return VoteStore.open(self._context.votes_url)

    @functools.cached_property
    def boards(self) -> BoardCache:
        """The leaderboard of the store, counted again only after something changed."""
        return BoardCache(self.store)

    @functools.cached_property
    def contest(self) -> Contest:
        """Candidates over the demo library."""
        return Contest(self._context.catalogue, DEMO)

    @functools.cached_property
    def arena(self) -> Arena:
        """The rules, over every ready system."""
        return Arena(self.store, self.contest, self.contest.competitors(), self.signer)

    @functools.cached_property
    def desk(self) -> GradingDesk:
        """The graded list over every ready system."""
        return GradingDesk(self.store, self.contest, self.contest.competitors())

    @functools.cached_property
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

    def hello(self, cookie: str, participant: str | None = None) -> JsonDict:
        """Who the visitor is here: the signed id to keep, whether they agreed, how much they voted.

        A participant of a study is another voter than the visitor of the same browser.
        """
        study = self.study if participant else None
        if study is not None and participant:
            cookie = self.signer.cookie(study.voter(participant))
        try:
            voter = self.signer.voter(cookie)
        except VoteRefused:
            cookie = self.signer.new_cookie()
            voter = self.signer.voter(cookie)
        return {
            "study": study is not None,
            "study_direction": str(study.direction) if study is not None else "",
            "note": texts.NO_STUDY if participant and study is None else "",
            "voter": cookie,
            "session": secrets.token_hex(8),
            "consent": self.arena.has_consent(voter, CONSENT_VERSION),
            "consent_text": list(texts.CONSENT),
            "mine": self._mine(voter),
            "saved": self.store.count(Vote),
            "grades": {str(grade): words for grade, words in GUIDELINES.items()},
            "reasons": list(REASONS),
        }

    def consent(self, voter: str, session: str, given: bool) -> JsonDict:
        """Write down what the visitor decided on the text."""
        text = "\n".join(texts.CONSENT)
        self.arena.consent(voter, session, version=CONSENT_VERSION, text=text, given=given)
        return {"consent": given}

    def battle(
        self, voter: str, session: str, direction: Direction, own: QueryItem | None = None
    ) -> JsonDict:
        """The open battle of this visitor or the next one, ready to play."""
        started = time.monotonic()
        shown = self.arena.current(voter, direction)
        if shown is None or (own is not None and shown.battle.query_id != own.query_id):
            shown = self._next(voter, session, direction, own)
        media = self._media_of(shown.battle)
        logger.info("battle ready after %.2f s", time.monotonic() - started)
        return self.shown(shown, media)

    def study_battle(self, voter: str, session: str, participant: str) -> JsonDict:
        """The open or next battle of a participant's list; at its end the completion code.

        Raises:
            Refused: no study runs here, or the visitor is not this participant.
        """
        study = self._study_of(voter, participant)
        done, wanted = study.progress(voter)
        if done >= wanted:
            return {"code": study.completion_code(voter), "done": done, "wanted": wanted}
        shown = study.next_battle(voter, session_id=session)
        return self.shown(shown, self._media_of(shown.battle)) | {"done": done, "wanted": wanted}

    def judge_next(self, voter: str) -> JsonDict:
        """The next clip and music to grade, and how far this visitor is; without a token when nothing is left."""
        issued = self.desk.next_item(voter)
        if issued is None:
            return {"progress": self.desk.progress(voter)}
        token, item = issued
        media = self._pair_media(item)
        return {
            "token": token,
            "videos": [self._address(path) for path in media.videos],
            "sounds": [self._address(path) for path in media.sounds],
            "duration_s": media.duration_s,
            "needed_ms": NEEDED_MS,
            "progress": self.desk.progress(voter),
        }

    def judge(self, voter: str, grade: Grade) -> JsonDict:
        """Store a grade; only after the commit does the answer say so."""
        self.desk.judge(voter, grade)
        return {"saved": True, "progress": self.desk.progress(voter)}

    def vote(self, voter: str, token: str, ballot: Ballot, direction: Direction | None) -> JsonDict:
        """Store a vote; only after the commit does the answer say so. The next battle of `direction` is prepared
        meanwhile; None for a study, whose list is fixed.
        """
        receipt = self.arena.vote(token, voter, ballot)
        if direction is not None:
            self._prepare(voter, ballot.session_id, direction)
        return {
            "saved": True,
            "pause": receipt.pause,
            "undo_ms": int(self.arena.settings.undo_s * 1000),
            "mine": self._mine(voter),
        }

    def undo(self, voter: str, token: str) -> JsonDict:
        """Take the vote back; the same battle is open again."""
        shown = self.arena.undo(token, voter)
        return self.shown(shown, self._media_of(shown.battle)) | {"mine": self._mine(voter)}

    def grade(self, voter: str, session: str, battle: Battle, grades: tuple[int | None, int | None]) -> None:
        """Graded relevance of both sides of a battle that was voted on; None is no judgment, not 0."""
        rows = [
            Judgment(
                battle_id=battle.battle_id,
                direction=battle.direction,
                query_id=battle.query_id,
                item_id=side.item_id,
                item_group_id=side.item_group_id,
                grade=grade,
                guideline_version=GUIDELINE_VERSION,
                pool_version=battle.pool_version,
                found_by=json.dumps({side.competitor: side.rank} if side.system_id else {}),
                voter_id=voter,
                session_id=session,
                consent_version=CONSENT_VERSION,
            )
            for side, grade in zip((battle.left, battle.right), grades, strict=True)
            if grade is not None
        ]
        if rows:
            self.store.add(*rows)

    def reveal(self, voter: str, session: str, token: str, grades: tuple[int | None, int | None]) -> JsonDict:
        """Both sides by name, after the vote; closes the battle, and keeps the grades given with it."""
        battle = self.arena.reveal(token, voter)
        self.grade(voter, session, battle, grades)
        return {name: self._named(side) for name, side in (("left", battle.left), ("right", battle.right))}

    def export(self, voter: str) -> JsonDict:
        """Everything that the store holds of this visitor."""
        return own_rows(self.store, voter)

    def forget(self, voter: str, session: str) -> JsonDict:
        """Withdraw the visitor: none of their rows counts or is exported any more."""
        return {"withdrawn": self.store.forget(voter, session), "voter": self.signer.new_cookie()}

    def add_own(self, path: Path, direction: Direction, duration_s: float) -> QueryItem:
        """Register a visitor's own file as a query; nothing of it goes into the store but a random id."""
        query_id = f"own-{secrets.token_hex(8)}"
        item = QueryItem(query_id=query_id, group_id=query_id, duration_s=duration_s, source="upload")
        self.contest.add_own(OwnClip(item=item, path=path, direction=direction))
        return item

    def own_query(self, query_id: str) -> QueryItem | None:
        """A registered own file, or None."""
        clip = self.contest.own(query_id)
        return clip.item if clip is not None else None

    def shown(self, shown: OpenBattle, media: BattleMedia) -> JsonDict:
        """What the browser may know before the vote."""
        battle = shown.battle
        return {
            "token": shown.token,
            "direction": str(battle.direction),
            "videos": [self._address(path) for path in media.videos],
            "sounds": [self._address(path) for path in media.sounds],
            "duration_s": media.duration_s,
            "needed_ms": battle.needed_ms,
            "restored": shown.restored,
        }

    def new_folder(self) -> Path:
        """A new folder for files that are served once, deleted with the battles' media."""
        folder = self._folder / secrets.token_hex(8)
        folder.mkdir(parents=True)
        return folder

    def close(self) -> None:
        """Delete the media of all battles and close the store."""
        shutil.rmtree(self._folder, ignore_errors=True)
        if "store" in self.__dict__:
            self.store.close()

    def _next(self, voter: str, session: str, direction: Direction, own: QueryItem | None) -> OpenBattle:
        with self._lock:
            ahead = self._ahead.pop((voter, direction), None) if own is None else None
        if ahead is not None:
            try:
                drawn, _ = ahead.result(timeout=60)
                return self.arena.issue(drawn)
            except (MvrError, TimeoutError) as error:
                logger.warning("a battle that was prepared ahead cannot be used: %s", error)
        drawn = self.arena.prepare(voter, direction, session_id=session, query=own)
        self._media_of(drawn.battle)  # before the clock of the battle starts
        return self.arena.issue(drawn)

    def _prepare(self, voter: str, session: str, direction: Direction) -> None:
        def prepare() -> tuple[Drawn, BattleMedia]:
            drawn = self.arena.prepare(voter, direction, session_id=session)
            return drawn, self._media_of(drawn.battle)

        with self._lock:
            if (voter, direction) not in self._ahead:
                self._ahead[voter, direction] = self._context.pool.submit(prepare)

    def _media_of(self, battle: Battle) -> BattleMedia:
        with self._lock:
            known = self._media.get(battle.battle_id)
        if known is not None:
            return known
        own = self.contest.own(battle.query_id)
        root = self._folder if own is None else own.path.parent  # a visitor's own clip goes with the visit
        media = make_battle_media(self.contest, battle, root / secrets.token_hex(8))
        return self._keep_media(battle.battle_id, media)

    def _pair_media(self, item: PoolItem) -> BattleMedia:
        key = f"{item.query_id}/{item.item_id}"
        with self._lock:
            known = self._media.get(key)
        if known is not None:
            return known
        folder = self._folder / secrets.token_hex(8)
        return self._keep_media(key, make_pair_media(self.contest, item.query_id, item.item_id, folder))

    def _study_of(self, voter: str, participant: str) -> StudyArena:
        study = self.study
        if study is None or study.voter(participant) != voter:
            raise Refused(Reason.FOREIGN)
        return study

    def _keep_media(self, key: str, media: BattleMedia) -> BattleMedia:
        """Remember media for a reload; the oldest files are deleted."""
        with self._lock:
            self._media[key] = media
            gone = [self._media.popitem(last=False)[1] for _ in range(len(self._media) - _KEPT_BATTLES)]
        for old in gone:
            shutil.rmtree(old.videos[0].parent, ignore_errors=True)
        return media

    def _address(self, path: Path) -> str:
        return self._context.shelf.put(ShelfItem(path=path, name=path.name))

    def _mine(self, voter: str) -> int:
        rows = [vote for vote in self.store.rows(Vote, voter_id=voter) if vote.aspect == "fit"]
        return sum(vote.kind == "vote" for vote in rows) - sum(vote.kind == "undo" for vote in rows)

    def _named(self, side: object) -> JsonDict:
        from mvr.votes.records import Side

        assert isinstance(side, Side)
        item = self.contest.item(side.item_id)
        return {
            "title": item.title,
            "artist": item.artist,
            "licence": item.licence,
            "credit": item.credit_line,
            "system": side.competitor if side.system_id else texts.PLANTED,
            "rank": side.rank,
        }

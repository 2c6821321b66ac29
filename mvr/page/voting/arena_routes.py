"""The arena over HTTP: small JSON calls that the vote widget makes, `POST arena/NAME`.

The voter's signed id comes in a header that no form of another site can send; every payload is checked; every rule
is the arena's. A refusal is status 409 with one neutral sentence, a fault of the input 422.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter, to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mvr.arena.ballot import Ballot
from mvr.arena.hearing import NotHeard
from mvr.datatypes import Direction, JsonDict
from mvr.errors import MvrError, UsageError, VoteRefused
from mvr.page import texts
from mvr.page.serving import visitor_of
from mvr.page.voting.ballot_box import BallotBox
from mvr.page.voting.grading import Grade
from mvr.page.voting.judgments import Grades
from mvr.page.voting.reception import CONSENT_VERSION
from mvr.page.voting.sign_in import account_of

logger = logging.getLogger(__name__)
HEADER = "x-mvr-voter"
_MAX_BODY_BYTES = 4096
_THREADS = {"": 24, "media": 16}
_MAKE_MEDIA = ("battle", "judge-next", "judge-disputed", "undo")  # they may wait for an excerpt to be encoded

_Word = Annotated[str, Field(max_length=200)]
_Session = Annotated[
    str, Field(pattern=r"^[0-9a-f]{16}$")
]  # as `hello` gives it: no free text reaches a table
_Time = Annotated[int, Field(ge=0, le=3_600_000)]
_Grade = Annotated[int, Field(ge=0, le=3)] | None


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hello(_Payload):
    """The first call of a page; `pid` is the participant's id in its address."""

    pid: _Word | None = None


class ConsentGiven(_Payload):
    """The visitor's decision on the text."""

    session: _Session
    given: bool


class BattleWanted(_Payload):
    """The open battle or the next one; `own` names a clip that this visitor registered."""

    session: _Session
    direction: Direction
    own: _Word | None = None
    pid: _Word | None = None


class VoteCast(_Payload):
    """A vote with what was heard."""

    session: _Session
    direction: Direction
    token: _Word
    outcome: _Word
    aspect: _Word = "fit"
    reasons: tuple[_Word, ...] = Field(default=(), max_length=8)
    listen_left_ms: _Time = 0
    listen_right_ms: _Time = 0
    video_ms: _Time = 0
    switches: Annotated[int, Field(ge=0, le=10_000)] = 0
    recognised: bool = False
    pid: _Word | None = None


class GradeGiven(_Payload):
    """A grade of a handed-out item; null is "cannot say"."""

    session: _Session
    token: _Word
    grade: _Grade
    listen_ms: _Time = 0


class DisputedWanted(_Payload):
    """One place in the visitor's queue of items that judges disagree on."""

    session: _Session
    place: Annotated[int, Field(ge=0, le=100_000)]


class TokenOnly(_Payload):
    """The body of a request that names a battle only by its token."""

    token: _Word


class Reveal(_Payload):
    """Ask for the names; with grades if the visitor gave any."""

    session: _Session
    token: _Word
    left: _Grade = None
    right: _Grade = None


class SessionOnly(_Payload):
    """What concerns the visitor as a whole."""

    session: _Session


@dataclass(frozen=True)
class Caller:
    """Who makes a request: the voter (for `hello`, the unchecked header), the account if signed in, and the address."""

    voter: str
    account: str | None
    address: str


def arena_routes(box: BallotBox) -> list[Route]:
    """All calls; the handlers run in worker threads."""

    def battle(caller: Caller, wanted: BattleWanted) -> JsonDict:
        voter = caller.voter
        box.reception.admit(box.reception.kind_of(voter, caller.account, wanted.pid))
        if wanted.pid:
            return box.study_battle(voter, wanted.session, wanted.pid)
        own = box.own_query(wanted.own, voter) if wanted.own else None
        if wanted.own and own is None:
            raise UsageError(texts.OWN_CLIP_GONE)
        return box.battle(voter, wanted.session, wanted.direction, own)

    def vote(caller: Caller, cast: VoteCast) -> JsonDict:
        kind = box.reception.kind_of(caller.voter, caller.account, cast.pid)
        box.reception.admit(kind)
        ballot = Ballot(
            account=kind,
            group_label=box.labels.of(caller.address),
            recognised=cast.recognised,
            outcome=cast.outcome,
            consent_version=CONSENT_VERSION,
            session_id=cast.session,
            aspect=cast.aspect,
            reasons=cast.reasons,
            listen_left_ms=cast.listen_left_ms,
            listen_right_ms=cast.listen_right_ms,
            video_ms=cast.video_ms,
            switches=cast.switches,
        )
        return box.vote(caller.voter, cast.token, ballot, None if cast.pid else cast.direction)

    def reveal(caller: Caller, wanted: Reveal) -> JsonDict:
        return box.reveal(
            caller.voter, wanted.session, wanted.token, Grades(left=wanted.left, right=wanted.right)
        )

    def judge(caller: Caller, given: GradeGiven) -> JsonDict:
        box.reception.admit(box.reception.kind_of(caller.voter, caller.account))
        grade = Grade(
            session=given.session,
            token=given.token,
            grade=given.grade,
            listen_ms=given.listen_ms,
            consent_version=CONSENT_VERSION,
        )
        box.desk.judge(caller.voter, grade)
        return {"saved": True, "progress": box.desk.progress(caller.voter)}

    return [
        _route("hello", Hello, lambda by, h: box.hello(by.voter, h.pid, by.account), box, known=False),
        _route(
            "consent", ConsentGiven, lambda by, c: box.reception.consent(by.voter, c.session, c.given), box
        ),
        _route("battle", BattleWanted, battle, box),
        _route("vote", VoteCast, vote, box),
        _route("undo", TokenOnly, lambda by, t: box.undo(by.voter, t.token), box),
        _route("reveal", Reveal, reveal, box),
        _route("judge-next", SessionOnly, lambda by, _: box.desk.next_item(by.voter), box),
        _route("judge-disputed", DisputedWanted, lambda by, d: box.desk.disputed(by.voter, d.place), box),
        _route("judge", GradeGiven, judge, box),
        _route("mine", SessionOnly, lambda by, _: box.reception.export(by.voter), box),
        _route("forget", SessionOnly, lambda by, s: box.reception.forget(by.voter, s.session), box),
    ]


def _route(
    name: str,
    payload: type[_Payload],
    handler: Callable[[Caller, Any], JsonDict],
    box: BallotBox,
    *,
    known: bool = True,
) -> Route:
    async def endpoint(request: Request) -> JSONResponse:
        cookie = request.headers.get(HEADER, "")
        body = await _body(request)
        if body is None:
            return _answer({"error": texts.BAD_CALL}, 413)
        try:
            wanted = payload.model_validate(json.loads(body or b"{}"))
        except (ValueError, ValidationError, RecursionError):  # the last: brackets within brackets
            return _answer({"error": texts.BAD_CALL}, 422)

        def work() -> JsonDict:
            voter = box.signer.voter(cookie) if known else cookie
            return handler(Caller(voter, account_of(request), visitor_of(request.scope)), wanted)

        try:
            return _answer(await to_thread.run_sync(work, limiter=_threads(box, name)), 200)
        except NotHeard as error:
            return _answer({"error": str(error), "keep": True, "reload": error.reload}, 409)
        except VoteRefused as error:
            return _answer({"error": str(error)}, 409)
        except MvrError as error:
            logger.warning("arena/%s: %s", name, error)
            return _answer({"error": str(error)}, 422)

    return Route(f"/arena/{name}", endpoint, methods=["POST"])


def _answer(document: JsonDict, status: int) -> JSONResponse:
    return JSONResponse(document, status, headers={"cache-control": "no-store"})


async def _body(request: Request) -> bytes | None:
    """The body, read no further than it may be long; None beyond that, however it is sent."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            return None
    return body


_LIMITERS: WeakKeyDictionary[BallotBox, dict[str, CapacityLimiter]] = WeakKeyDictionary()


def _threads(box: BallotBox, name: str) -> CapacityLimiter:
    """The arena's own threads: where all of them wait for a locked store, media and pages are served as before; and
    where everybody wants a battle whose media are to be made, votes are taken as before.
    """
    limiters = _LIMITERS.setdefault(box, {})
    kind = "media" if name in _MAKE_MEDIA else ""
    return limiters.setdefault(kind, CapacityLimiter(_THREADS[kind]))

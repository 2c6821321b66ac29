"""What a caller of the arena may send and who may call: sizes, forms, studies of one browser, who votes here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mvr.arena.candidates import Competitor
from mvr.arena.studies import Study, StudyArena, StudyBattle
from mvr.datatypes import Direction
from mvr.errors import NotSaved, UsageError
from mvr.page.voting.arena_routes import HEADER, arena_routes
from mvr.page.voting.voters import Voters, voters_of_this_server
from mvr.votes.records import Battle, Consent, Judgment, Vote
from tests.page.conftest import Clock
from tests.page.test_arena_routes import battle, post, visitor, vote


@pytest.mark.parametrize("session", ["=HYPERLINK(1)", "a\0b", "", "0" * 17, "0123456789ABCDEF", "s"])
def test_a_session_has_one_form_and_no_text_reaches_a_table(
    client: TestClient, clock: Clock, session: str
) -> None:
    me = visitor(client)
    token = battle(client, me)["token"]
    clock.now += 15_000
    assert vote(client, me | {"session": session}, token).status_code == 422
    for name, more in (("consent", {"given": True}), ("forget", {}), ("mine", {}), ("judge-next", {})):
        assert post(client, me, name, **more, session=session).status_code == 422
    box = client.box  # type: ignore[attr-defined]
    assert {row.session_id for kind in (Battle, Vote, Consent) for row in box.store.rows(kind)} == {
        me["session"]
    }


@pytest.mark.parametrize("bracket", ["[", '{"a":'])
def test_brackets_within_brackets_are_a_bad_call_and_no_fault_of_ours(
    client: TestClient, bracket: str
) -> None:
    body = bracket * (4000 // len(bracket))
    answer = client.post("/arena/vote", content=body.encode(), headers=visitor(client)["headers"])
    assert answer.status_code == 422


def test_a_body_without_a_length_is_read_to_four_kilobytes_and_no_further(client: TestClient) -> None:
    routes = {route.path: route for route in arena_routes(client.box)}  # type: ignore[attr-defined]
    taken: list[int] = []

    async def receive() -> dict[str, Any]:
        taken.append(1)
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/arena/vote", "headers": [], "query_string": b""}
    asyncio.run(routes["/arena/vote"].endpoint and routes["/arena/vote"].app(scope, receive, send))
    assert sent[0]["status"] == 413 and len(taken) == 5


def test_grades_after_the_names_are_not_kept(client: TestClient, clock: Clock) -> None:
    me = visitor(client)
    token = battle(client, me)["token"]
    clock.now += 15_000
    vote(client, me, token)
    assert post(client, me, "reveal", token=token, left=None, right=None).status_code == 200
    assert post(client, me, "reveal", token=token, left=3, right=0).status_code == 200
    assert client.box.store.rows(Judgment) == []  # type: ignore[attr-defined]


def test_one_pool_s_grade_does_not_replace_another_s(client: TestClient, clock: Clock) -> None:
    from mvr.arena.board.inputs import read_input

    me = visitor(client)
    store, voter = client.box.store, client.box.signer.voter(me["headers"][HEADER])  # type: ignore[attr-defined]
    same = {
        "direction": "v2m",
        "query_id": "q",
        "item_id": "i",
        "item_group_id": "g",
        "guideline_version": "1",
    }
    who = {"voter_id": voter, "session_id": "s", "consent_version": "1"}
    for pool, grade in (("p1", 3), ("p2", 1), ("p2", 2)):
        store.add(Judgment(**same, **who, pool_version=pool, grade=grade))
    kept = read_input(store).judgments
    assert [(row.pool_version, row.grade) for row in kept] == [("p1", 3), ("p2", 2)]


def test_a_second_browser_with_a_participant_s_address_gets_one_sentence(
    client: TestClient, clock: Clock
) -> None:
    box = client.box  # type: ignore[attr-defined]
    battles = (StudyBattle(query_id="q0", first="one", second="two"),)
    study = Study(study_id="s1", direction=Direction.VIDEO_TO_MUSIC, battles=battles)
    rivals = [Competitor(system_id=name, version="1") for name in ("one", "two")]
    box.__dict__["study"] = StudyArena(box.arena, study, box.contest, rivals, box.signer)
    first = client.post("/arena/hello", json={"pid": "P 17"}).json()
    me = {"headers": {HEADER: first["voter"]}, "session": first["session"]}
    assert first["study"] and first["browser"] != first["voter"]
    again = client.post("/arena/hello", json={"pid": "P 17"}, headers={HEADER: first["browser"]}).json()
    assert again["voter"] == first["voter"], "a reload of the same browser goes on"
    thief = client.post("/arena/hello", json={"pid": "P 17"})
    assert thief.status_code == 409
    assert thief.json() == {
        "error": "this participant id is in use in another browser; continue there, or ask the people who invited you"
    }
    other = visitor(client)
    for name, more in (("battle", {"direction": "v2m", "pid": "P 17"}), ("mine", {}), ("forget", {})):
        answer = post(client, other, name, **more)
        assert answer.status_code == 409 or "withdrawn" in answer.text or answer.json()["voter_id"] != "P 17"
    assert post(client, other, "battle", direction="v2m", pid="P 17").status_code == 409
    post(client, me, "consent", given=True)
    assert post(client, me, "battle", direction="v2m", pid="P 17").status_code == 200
    post(client, me, "forget")
    left = client.post("/arena/hello", json={"pid": "P 17"}, headers={HEADER: first["browser"]})
    assert left.status_code == 409 and "you withdrew" in left.json()["error"]


def test_who_may_vote_is_the_host_s_word(client: TestClient, clock: Clock) -> None:
    me = visitor(client)
    token = battle(client, me)["token"]
    clock.now += 15_000
    box = client.box  # type: ignore[attr-defined]
    for voters in (Voters.ACCOUNT, Voters.STUDY):
        box.reception.voters = voters
        closed = client.post("/arena/hello", json={}).json()["closed"]
        assert closed.startswith("Only ") and closed.count(".") == 2
        for answer in (
            post(client, me, "battle", direction="v2m"),
            vote(client, me, token),
            vote(client, me, token, pid="P 17"),
            post(client, me, "judge", token="x", grade=1),
        ):
            assert answer.status_code == 409 and answer.json()["error"] == closed
    box.reception.voters = Voters.ANYONE
    assert client.post("/arena/hello", json={}).json()["closed"] == ""
    assert vote(client, me, token).json()["saved"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("account", "MVR_VOTERS=account needs sign-in"),
        ("study", "needs the study's file in MVR_STUDY"),
        ("everybody", "choose from anyone, account, study"),
    ],
)
def test_a_host_on_which_nobody_could_vote_does_not_start(
    monkeypatch: pytest.MonkeyPatch, word: str, message: str
) -> None:
    monkeypatch.delenv("MVR_STUDY", raising=False)
    monkeypatch.setenv("MVR_VOTERS", word)
    with pytest.raises(UsageError, match=message):
        voters_of_this_server()


def while_stuck(
    client: TestClient, stuck: str, ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]
) -> str:
    """What somebody gets while sixty calls of one kind wait."""
    release, waiting = threading.Event(), threading.Semaphore(0)
    box, me = client.box, visitor(client)  # type: ignore[attr-defined]

    def wait(*_: Any) -> None:
        waiting.release()
        assert release.wait(60)
        raise NotSaved("locked")

    if stuck == "consent":
        box.reception.consent = wait
    else:
        box.battle = wait
    app = Starlette(routes=[*arena_routes(box), Route("/file", lambda request: PlainTextResponse("media"))])

    async def asking() -> str:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://page", timeout=60) as people:
            more = {"given": True} if stuck == "consent" else {"direction": "v2m"}
            body = {"session": me["session"]} | more
            calls = [
                asyncio.ensure_future(people.post(f"/arena/{stuck}", json=body, headers=me["headers"]))
                for _ in range(60)
            ]
            while not waiting.acquire(blocking=False):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            try:
                answer = await asyncio.wait_for(ask(people), 30)  # the sixty wait for 60
            finally:
                release.set()
            await asyncio.gather(*calls)
            return answer.text

    return asyncio.run(asking())


def test_while_the_store_is_locked_media_are_served(client: TestClient) -> None:
    """Sixty people wait for a store that does not answer; a file still comes at once."""
    assert while_stuck(client, "consent", lambda people: people.get("/file")) == "media"


def test_while_everybody_waits_for_a_battle_to_be_encoded_votes_are_taken(client: TestClient) -> None:
    """Sixty fresh visitors, or one with a script, want battles between clips; whoever votes does not wait for them."""
    me = visitor(client)
    answer = while_stuck(
        client,
        "battle",
        lambda people: people.post("/arena/mine", json={"session": me["session"]}, headers=me["headers"]),
    )
    assert "consent" in answer

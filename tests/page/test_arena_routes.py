"""The arena over HTTP: forged, replayed, foreign and early votes are refused alike and counted nowhere."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from typing import Any

import pytest
from itsdangerous import TimestampSigner
from starlette.testclient import TestClient

from mvr.arena.candidates import Competitor
from mvr.arena.studies import Participants, Study, StudyArena, StudyBattle
from mvr.datatypes import Direction
from mvr.page import texts
from mvr.page.voting import sign_in
from mvr.page.voting.arena_routes import HEADER
from mvr.votes import schema
from mvr.votes.records import Judgment, PoolItem, Vote
from tests.page.conftest import SESSION_SECRET, Clock


def visitor(client: TestClient, agree: bool = True) -> dict[str, Any]:
    hello = client.post("/arena/hello", json={}).json()
    me = {"headers": {HEADER: hello["voter"]}, "session": hello["session"]}
    if agree:
        client.post("/arena/consent", json={"session": me["session"], "given": True}, headers=me["headers"])
    return me


def battle(client: TestClient, me: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(
        "/arena/battle", json={"session": me["session"], "direction": "v2m"}, headers=me["headers"]
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ballot(me: dict[str, Any], token: str, **more: Any) -> dict[str, Any]:
    heard = {"listen_left_ms": 6000, "listen_right_ms": 6000, "video_ms": 12000}
    return {"session": me["session"], "direction": "v2m", "token": token, "outcome": "left"} | heard | more


def vote(client: TestClient, me: dict[str, Any], token: str, **more: Any) -> Any:
    return client.post("/arena/vote", json=ballot(me, token, **more), headers=me["headers"])


def told(answer: dict[str, Any]) -> str:
    """An answer without its random addresses and tokens, in which any short word may stand by chance."""
    return re.sub(r"[\w-]{24,}", "", str(answer)).replace("None", "")


def counted(client: TestClient) -> int:
    return int(client.box.store.count(Vote))  # type: ignore[attr-defined]


def test_a_vote_after_listening_is_saved_once(client: TestClient, clock: Clock) -> None:
    me = visitor(client)
    token = battle(client, me)["token"]
    clock.now += 15_000
    assert vote(client, me, token).json()["saved"] is True
    again = vote(client, me, token)
    assert again.status_code == 409 and counted(client) == 1


def test_what_a_vote_became_is_told_with_the_next_battle_and_not_while_it_can_be_taken_back(
    client: TestClient, clock: Clock
) -> None:
    me = visitor(client)
    token = battle(client, me)["token"]
    clock.now += 15_000
    answer = vote(client, me, token).json()
    assert (answer["mine"], answer["became"]) == (1, "") and "1" in answer["kept"]
    undone = client.post("/arena/undo", json={"token": token}, headers=me["headers"]).json()
    assert undone["mine"] == 0
    again = vote(client, me, undone["token"]).json()
    assert again["mine"] == 1 and again["kept"] == answer["kept"], "one that was taken back is not saved"
    shown = battle(client, me)
    assert shown["mine"] == 1
    assert (
        shown["became"] == "1 of your 1 votes may count on the leaderboard. My taste in music: 1 of 20 votes."
    )


def test_early_foreign_unknown_expired_and_unconsented_votes_sound_alike(
    client: TestClient, clock: Clock
) -> None:
    me, other, silent = visitor(client), visitor(client), visitor(client, agree=False)
    token = battle(client, me)["token"]
    quiet = battle(client, silent)["token"]
    answers = [vote(client, me, token)]  # the server's clock says: too early, whatever the browser claims
    clock.now += 15_000
    answers += [vote(client, other, token), vote(client, me, token[:-1] + "x"), vote(client, me, "a.0.b")]
    answers += [vote(client, me, token, listen_left_ms=0), vote(client, me, token, listen_left_ms=3_000_000)]
    answers += [vote(client, silent, quiet)]
    clock.now += 31 * 60_000
    answers += [vote(client, me, token)]
    assert {answer.status_code for answer in answers} == {409}
    assert len({answer.json()["error"] for answer in answers}) == 1
    assert counted(client) == 0


def test_a_forged_visitor_and_broken_payloads_are_refused(client: TestClient, clock: Clock) -> None:
    me = visitor(client)
    token = battle(client, me)["token"]
    clock.now += 15_000
    forged = {"headers": {HEADER: "0" * 32 + ".forged"}, "session": me["session"]}
    assert vote(client, forged, token).status_code == 409
    for body in (b"{", b"[]", b'{"token": 5}', b"x" * 5000):
        assert client.post("/arena/vote", content=body, headers=me["headers"]).status_code in (413, 422)
    assert vote(client, me, token, outcome="both").status_code == 422
    assert vote(client, me, token, system="one").status_code == 422
    assert counted(client) == 0


def test_a_battle_tells_no_system_and_no_item(client: TestClient) -> None:
    shown = battle(client, visitor(client))
    media = {"token", "direction", "videos", "sounds", "duration_s", "needed_ms", "restored"}
    assert set(shown) == media | {"mine", "became"} and (shown["mine"], shown["became"]) == (0, "")
    assert not any(name in told(shown) for name in ("one", "two", "Title"))


def test_reveal_waits_for_the_vote_and_keeps_grades(client: TestClient, clock: Clock) -> None:
    me = visitor(client)
    token = battle(client, me)["token"]
    wanted = {"session": me["session"], "token": token, "left": 3, "right": None}
    assert client.post("/arena/reveal", json=wanted, headers=me["headers"]).status_code == 409
    clock.now += 15_000
    vote(client, me, token)
    named = client.post("/arena/reveal", json=wanted, headers=me["headers"]).json()
    assert {named["left"]["system"], named["right"]["system"]} <= {
        "one",
        "two",
        texts.PLANTED,
    }
    mine = client.post("/arena/mine", json={"session": me["session"]}, headers=me["headers"]).json()
    assert [row["grade"] for row in mine["judgments"]] == [3] and len(mine["votes"]) == 1
    assert client.post("/arena/undo", json={"token": token}, headers=me["headers"]).status_code == 409


def test_forgetting_gives_a_new_identity_and_withdraws_the_votes(client: TestClient, clock: Clock) -> None:
    me = visitor(client)
    token = battle(client, me)["token"]
    clock.now += 15_000
    vote(client, me, token)
    answer = client.post("/arena/forget", json={"session": me["session"]}, headers=me["headers"]).json()
    assert answer["withdrawn"] == 1 and answer["voter"] != me["headers"][HEADER]
    assert client.box.store.counted() == []  # type: ignore[attr-defined]


def post(client: TestClient, me: dict[str, Any], name: str, **payload: Any) -> Any:
    return client.post(f"/arena/{name}", json={"session": me["session"]} | payload, headers=me["headers"])


def judgments(client: TestClient) -> list[Judgment]:
    return list(client.box.store.rows(Judgment))  # type: ignore[attr-defined]


def test_an_item_to_grade_tells_no_system_no_title_and_no_rank(client: TestClient) -> None:
    item = post(client, visitor(client), "judge-next").json()
    assert set(item) == {"token", "videos", "sounds", "duration_s", "needed_ms", "progress"}
    assert not any(name in told(item) for name in ("one", "two", "Title", "rank", "t1", "q0"))
    assert item["progress"] == {"own": 0, "items": 6 * 20, "finished": 0, "disputed": 0}


def test_a_grade_is_stored_once_and_cannot_say_is_not_zero(client: TestClient, clock: Clock) -> None:
    me = visitor(client)
    for grade in (3, 0, None):
        item = post(client, me, "judge-next").json()
        clock.now += 8_000
        answer = post(client, me, "judge", token=item["token"], grade=grade, listen_ms=6000)
        assert answer.json()["saved"] is True
        again = post(client, me, "judge", token=item["token"], grade=grade, listen_ms=6000)
        assert again.status_code == 409
    assert [row.grade for row in judgments(client)] == [3, 0, None]
    assert all(row.pool_version and row.found_by for row in judgments(client))
    assert answer.json()["progress"]["own"] == 3


def graded(client: TestClient, clock: Clock, me: dict[str, Any], grades: dict[str, int]) -> None:
    """Grade every item of the pool: as told, the others 2."""
    while "token" in (item := post(client, me, "judge-next").json()):
        clock.now += 8_000
        issued = client.box.desk._issued[item["token"]].item  # type: ignore[attr-defined]
        grade = grades.get(f"{issued.query_id}/{issued.item_id}", 2)
        post(client, me, "judge", token=item["token"], grade=grade, listen_ms=6000)


def test_judges_who_differ_go_through_their_disagreements_and_may_settle_them(
    client: TestClient, clock: Clock
) -> None:
    box = client.box  # type: ignore[attr-defined]
    pair = box.desk._pool()
    overlap = [item for item in box.store.rows(PoolItem) if pair._overlaps(item)][:2]
    keys = [f"{item.query_id}/{item.item_id}" for item in overlap]
    anna, bert, cleo = (visitor(client) for _ in range(3))
    graded(client, clock, anna, dict.fromkeys(keys, 0))
    graded(client, clock, bert, dict.fromkeys(keys, 3))
    first = post(client, anna, "judge-disputed", place=0).json()
    assert (first["grades"], first["own"], first["progress"]["disputed"]) == ([0, 3], 0, 2)
    assert set(first) == {
        "token", "videos", "sounds", "duration_s", "needed_ms", "progress", "place", "grades", "own",
    }  # fmt: skip
    assert "token" not in post(client, cleo, "judge-disputed", place=0).json(), (
        "others must not lead a first grade"
    )
    clock.now += 8_000
    settled = post(client, anna, "judge", token=first["token"], grade=2, listen_ms=6000).json()
    assert settled["progress"]["disputed"] == 1
    assert post(client, bert, "judge-disputed", place=0).json()["progress"]["disputed"] == 1
    assert "token" not in post(client, anna, "judge-disputed", place=1).json()
    assert post(client, anna, "judge-disputed", place=-1).status_code == 422


def test_a_graded_music_starts_where_the_system_that_ranked_it_best_would_start_it(
    client: TestClient,
) -> None:
    box = client.box  # type: ignore[attr-defined]
    starts = {}
    box.desk._pool()
    for item in box.store.rows(PoolItem, query_id="q0"):
        number = int(item.item_id[1:])
        starts[item.item_id] = box.desk.start_s(item)
        place = min((number, 0.0 + number), ((number - 10) % 20, 2.5 + (number - 10) % 20))
        wanted = (
            place[1] if item.ranks else float(number)
        )  # one that nobody ranked: as the first system by name
        assert starts[item.item_id] == wanted
    post(client, visitor(client), "judge-next")
    assert box.media.starts and set(box.media.starts) <= set(starts.values())


def test_early_foreign_and_forged_grades_are_refused_alike(client: TestClient, clock: Clock) -> None:
    me, other = visitor(client), visitor(client)
    token = post(client, me, "judge-next").json()["token"]
    early = post(client, me, "judge", token=token, grade=2, listen_ms=6000)
    clock.now += 8_000
    short = post(client, me, "judge", token=token, grade=2, listen_ms=100)
    foreign = post(client, other, "judge", token=token, grade=2, listen_ms=6000)
    forged = post(client, me, "judge", token="x" * 24, grade=2, listen_ms=6000)
    answers = {(answer.status_code, answer.text) for answer in (early, short, foreign, forged)}
    assert len(answers) == 1 and answers.pop()[0] == 409
    assert post(client, me, "judge", token=token, grade=4, listen_ms=6000).status_code == 422
    assert judgments(client) == []


def test_a_grade_without_consent_is_refused(client: TestClient, clock: Clock) -> None:
    me = visitor(client, agree=False)
    token = post(client, me, "judge-next").json()["token"]
    clock.now += 8_000
    for _ in range(2):
        assert post(client, me, "judge", token=token, grade=2, listen_ms=6000).status_code == 409
    assert judgments(client) == []


def test_a_participant_goes_through_the_fixed_list_to_the_code(client: TestClient, clock: Clock) -> None:
    box = client.box  # type: ignore[attr-defined]
    battles = tuple(StudyBattle(query_id=f"q{n}", first="one", second="two") for n in range(2))
    study = Study(study_id="s1", direction=Direction.VIDEO_TO_MUSIC, battles=battles)
    rivals = [Competitor(system_id=name, version="1") for name in ("one", "two")]
    box.__dict__["study"] = StudyArena(box.arena, study, box.contest, rivals, box.signer)
    hello = client.post("/arena/hello", json={"pid": "P 17"}).json()
    assert hello["study"] is True and hello["note"] == ""
    me = {"headers": {HEADER: hello["voter"]}, "session": hello["session"]}
    post(client, me, "consent", given=True)
    for done in range(2):
        shown = post(client, me, "battle", direction="v2m", pid="P 17").json()
        assert (shown["done"], shown["wanted"]) == (done, 2) and "code" not in shown
        clock.now += 15_000
        assert vote(client, me, shown["token"], pid="P 17").status_code == 200
    end = post(client, me, "battle", direction="v2m", pid="P 17").json()
    assert Participants(study.study_id, box.signer).owns("P 17", end["code"]) and "token" not in end
    assert post(client, visitor(client), "battle", direction="v2m", pid="P 17").status_code == 409
    assert all("P 17" not in str(row) for row in box.store.rows(Vote))


def test_without_a_study_the_participant_id_is_ignored_with_one_sentence(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MVR_STUDY", raising=False)
    hello = client.post("/arena/hello", json={"pid": "P 17"}).json()
    assert hello["study"] is False and hello["note"].count(".") == 1


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a Space with sign-in sets, and the library that its Gradio brings."""
    for name in sign_in.NEEDED:
        monkeypatch.setenv(name, "x")
    monkeypatch.setattr(sign_in, "has", lambda name: True)


def signed_in(client: TestClient, account: str, *, left_s: float = 3600.0) -> None:
    """Gradio's session cookie after a sign-in: `starlette.middleware.sessions` signs base64 of JSON."""
    info = {"userinfo": {"sub": account, "name": "Ann"}, "expires_at": time.time() + left_s}
    payload = b64encode(json.dumps({"oauth_info": info}).encode())
    client.cookies.set("session", TimestampSigner(SESSION_SECRET).sign(payload).decode())


def hello(client: TestClient, cookie: str = "") -> tuple[dict[str, Any], str]:
    answer = client.post("/arena/hello", json={}, headers={HEADER: cookie}).json()
    return answer, client.box.signer.voter(answer["voter"])  # type: ignore[attr-defined]


def test_an_account_finds_its_votes_again_in_another_browser(
    client: TestClient, clock: Clock, space: None
) -> None:
    me = visitor(client)
    before = hello(client, me["headers"][HEADER])[1]
    signed_in(client, "account-4711")
    answer, voter = hello(client, me["headers"][HEADER])
    assert answer["signed_in"] and voter == before, "the first sign-in takes the visitor's votes along"
    shown = battle(client, me)
    clock.now += 15_000
    assert vote(client, me, shown["token"]).status_code == 200
    elsewhere, again = hello(client)
    assert again == voter and elsewhere["mine"] == 1 and elsewhere["consent"]
    (cast,) = client.box.store.rows(Vote)  # type: ignore[attr-defined]
    assert cast.account == "login"
    assert "account-4711" not in repr(client.box.store.read(all_rows)) and "Ann" not in repr(
        client.box.store.read(all_rows)
    )  # type: ignore[attr-defined]


def all_rows(connection: Any) -> list[Any]:
    return [
        tuple(row) for table in schema.METADATA.sorted_tables for row in connection.execute(table.select())
    ]


def test_a_second_account_in_the_same_browser_is_another_voter(client: TestClient, space: None) -> None:
    signed_in(client, "account-4711")
    first, voter = hello(client)
    signed_in(client, "account-4712")
    assert hello(client, first["voter"])[1] != voter
    signed_in(client, "account-4711")
    assert hello(client)[1] == voter


def test_a_vote_with_another_id_than_the_account_s_is_anonymous(
    client: TestClient, clock: Clock, space: None
) -> None:
    me = visitor(client)
    signed_in(client, "account-4711")
    hello(client)
    shown = battle(client, me)
    clock.now += 15_000
    assert vote(client, me, shown["token"]).status_code == 200
    (cast,) = client.box.store.rows(Vote)  # type: ignore[attr-defined]
    assert cast.account == "anonymous"


def test_after_forgetting_an_account_begins_anew(client: TestClient, space: None) -> None:
    signed_in(client, "account-4711")
    answer, voter = hello(client)
    gone = client.post(
        "/arena/forget", json={"session": answer["session"]}, headers={HEADER: answer["voter"]}
    ).json()
    assert hello(client, gone["voter"])[1] == client.box.signer.voter(gone["voter"]) != voter  # type: ignore[attr-defined]


def test_an_expired_or_forged_session_and_one_outside_a_space_sign_nobody_in(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(client, "account-4711")
    assert not hello(client)[0]["signed_in"], "no Space, no account"
    for name in sign_in.NEEDED:
        monkeypatch.setenv(name, "x")
    monkeypatch.setattr(sign_in, "has", lambda name: True)
    assert hello(client)[0]["signed_in"]
    signed_in(client, "account-4711", left_s=-1.0)
    assert not hello(client)[0]["signed_in"]
    client.cookies.set("session", client.cookies["session"][:-2] + "xx")
    assert not hello(client)[0]["signed_in"]


def test_a_call_with_a_long_body_is_refused_unread(client: TestClient) -> None:
    body = b'{"pid": "' + b"x" * 4096 + b'"}'
    assert client.post("/arena/hello", content=body).status_code == 413
    assert client.post("/arena/hello", content=b'{"pid": "x"}' + b" " * (4096 - 12)).status_code == 200


def test_the_button_is_there_only_where_signing_in_is_offered(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the real one wants a Space's settings
    assert not sign_in.is_offered()
    request.getfixturevalue("space")
    assert sign_in.is_offered()

"""Before the vote: nothing that the browser can read or fetch tells which system stands on which side.

The battle's secrets are read from the server's own store; then every answer, header, file, tag and name that the
browser got is searched for them, and the two sides are held against each other.
"""

from __future__ import annotations

import io
import json
import re
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import pytest

from mvr.library import open_demo_library
from mvr.votes.records import Battle
from mvr.votes.store import VoteStore
from tests.browser.voting import SYSTEMS, arena, start

pytestmark = pytest.mark.browser
OWN_TO_AN_ANSWER = {"date", "etag", "content-disposition"}  # differ between any two answers
PUBLIC = ("/config", "/gradio_api/info", "/gradio_api/openapi.json", "/theme.css", "/")


@dataclass
class Answer:
    url: str
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, response: Any, server: Any) -> Answer:
        """Waits until all of it has come; a clip that no cache may keep is asked for again."""
        headers = response.all_headers()
        again = response.url.endswith(".mp4")
        return cls(
            response.url,
            headers,
            server.get(urlsplit(response.url).path).content if again else response.body(),
        )


def watch(page: Any) -> list[Any]:
    """Every response from now on that may tell something; `Answer.of` reads it."""
    seen: list[Any] = []

    def keep(response: Any) -> None:
        if "/arena/" in response.url or "/media/" in response.url or response.url.endswith("/config"):
            seen.append(response)

    page.on("response", keep)
    return seen


def open_battle(server: Any, page: Any) -> Battle:
    voter = page.evaluate("() => localStorage.getItem('mv_voter')").rpartition(".")[0]
    with VoteStore.open(Path(server.home) / "votes.sqlite") as store:
        return store.rows(Battle, voter_id=voter)[-1]


def secrets_of(battle: Battle) -> list[str]:
    """Names and numbers that stand for one side, or for how the two were drawn."""
    library = open_demo_library()
    found = [str(battle.seed), battle.pool_version, battle.policy_id, battle.query_id]
    for side in (battle.left, battle.right):
        item = library.item(side.item_id)
        found += [
            side.system_version,
            side.item_id,
            side.item_group_id,
            item.title,
            item.artist,
            item.path.stem,
        ]
        found += [item.content, repr(side.score)] if side.score else [item.content]
    return [secret for secret in found if secret]


def frames(data: bytes) -> int:
    with wave.open(io.BytesIO(data)) as file:
        return file.getnframes()


def public(server: Any) -> dict[str, bytes]:
    return {path: server.get(path).content for path in PUBLIC}


def battle_in_the_browser(
    new_visitor: Any, server: Any, mode: str = "v2m"
) -> tuple[Any, list[Answer], Battle]:
    visitor = new_visitor()
    seen = watch(visitor.page)
    page = arena(visitor)
    if mode != "v2m":
        page.locator(f"[name=mv-direction][value={mode}]").check()
    start(page)  # the battle is shown when its media can play: they have all been answered
    return page, [Answer.of(response, server) for response in seen], open_battle(server, page)


@pytest.mark.parametrize("mode", ["v2m", pytest.param("m2v", marks=pytest.mark.slow)])
def test_no_answer_about_the_battle_holds_a_secret_of_it(new_visitor: Any, server: Any, mode: str) -> None:
    before = public(server)
    page, seen, battle = battle_in_the_browser(new_visitor, server, mode)
    secrets = secrets_of(battle)
    assert len(secrets) >= 12
    shown = json.loads(next(answer.body for answer in seen if b"needed_ms" in answer.body))
    files = [*shown["videos"], *shown["sounds"]]
    assert len(files) == 3 and all(re.fullmatch(r"media/[\w-]{20,}/[01]\.(wav|mp4)", one) for one in files)
    about = [one for one in seen if "/arena/" in one.url or any(one.url.endswith(file) for file in files)]
    assert len(about) >= 6, "hello, consent, battle, three files"
    for answer in about:
        text = f"{answer.url} {answer.headers} {answer.body.decode('latin-1')}".replace("random number", "")
        assert not [secret for secret in secrets if secret in text], answer.url
        words = (
            text if "/arena/" in answer.url else f"{answer.url} {answer.headers}"
        )  # noise spells short names
        assert not SYSTEMS.search(words) and "control-mvr" not in text and "mvbind" not in text, answer.url
    dom = page.locator("#mv-arena").inner_html().replace("random number", "")  # of the consent text
    kept = page.evaluate("() => JSON.stringify([mvArena.battle, { ...localStorage }, { ...sessionStorage }])")
    for text in (dom, kept, page.title(), page.url):
        assert not [secret for secret in secrets if secret in text] and not SYSTEMS.search(text)
    assert public(server) == before, "what everybody can fetch does not change with a battle"
    for path, content in before.items():
        versions = {
            battle.left.system_version,
            battle.right.system_version,
            str(battle.seed),
            battle.battle_id,
        }
        assert not [one for one in versions if one and one.encode() in content], path


def test_both_sides_are_alike_in_headers_sizes_lengths_and_tags(new_visitor: Any, server: Any) -> None:
    _, seen, _ = battle_in_the_browser(new_visitor, server)
    one, other = (next(a for a in seen if a.url.endswith(f"/{number}.wav")) for number in (0, 1))
    assert one.url.split("/")[-2] != other.url.split("/")[-2]
    assert set(one.headers) == set(other.headers)
    differing = {name for name in one.headers if one.headers[name] != other.headers[name]}
    assert differing <= OWN_TO_AN_ANSWER, differing
    assert one.headers["last-modified"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert one.headers["etag"].strip('"') in one.url, "a tag made of the file would show who else heard it"
    assert len(one.body) == len(other.body) and one.body[:44] == other.body[:44]
    lengths = [frames(answer.body) for answer in (one, other)]
    assert lengths[0] == lengths[1] and len(one.body) == 44 + 4 * lengths[0], "samples and nothing else"
    picture = next(answer for answer in seen if answer.url.endswith("/0.mp4"))
    with av.open(io.BytesIO(picture.body)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert set(container.metadata) <= {"major_brand", "minor_version", "compatible_brands"}
        tags = set(container.streams.video[0].metadata)
        assert tags <= {"language", "handler_name", "vendor_id"}, tags

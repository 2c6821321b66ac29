"""A blind vote in a real browser: consent, listening, switching in place, voting, undo, reveal, next."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
DEMO = Path(__file__).parents[2] / "assets" / "demo" / "manifest.json"
SYSTEMS = re.compile(r"control-mvr|mvbind|\bcca\b|\brandom\b@?", re.IGNORECASE)


def arena(visitor: Any, query: str = "?tab=vote") -> Any:
    page = visitor.open(query)
    page.wait_for_function(
        "() => ['consent', 'sound'].includes(document.querySelector('#mv-arena')?.dataset.step)"
    )
    return page


def start(page: Any) -> None:
    if page.locator("#mv-arena").get_attribute("data-step") == "consent":
        page.get_by_role("button", name="I agree, start").click()
    page.get_by_role("button", name="Start voting").click()
    in_step(page, "battle")


def in_step(page: Any, step: str) -> None:
    page.wait_for_function(
        f"() => document.querySelector('#mv-arena').dataset.step === '{step}'", timeout=90_000
    )


def listen(page: Any) -> None:
    """Hear both sides for as long as the gate asks."""
    needed = page.evaluate("() => mvArena.battle.needed_ms")
    for key, side in (("q", 0), ("w", 1)):
        page.keyboard.press(key)
        page.wait_for_function(f"() => mvArena.heard[{side}] >= {needed}", timeout=60_000)


def test_a_whole_battle_by_keyboard_alone(new_visitor: Any) -> None:
    visitor = new_visitor()
    page = arena(visitor)
    start(page)
    assert page.locator("[data-outcome=left]").is_disabled()
    page.keyboard.press("1")
    assert page.locator("#mv-arena").get_attribute("data-step") == "battle"
    listen(page)
    page.keyboard.press("1")
    in_step(page, "voted")
    assert "Saved" in page.locator("[data-part=status]").inner_text()
    assert page.locator("[data-part=mine]").inner_text() == "1"
    page.keyboard.press("u")
    in_step(page, "battle")
    assert page.locator("[data-part=mine]").inner_text() == "0"
    page.get_by_text("What decides? Optional.").click()
    page.get_by_label("tempo").check()
    page.keyboard.press("3")
    in_step(page, "voted")
    page.get_by_role("button", name="B is better music").click()
    page.wait_for_function(
        "() => document.querySelector('[data-quality=right]').getAttribute('aria-pressed') === 'true'"
    )
    mine = page.evaluate(
        """() => fetch("arena/mine", {
            method: "POST", body: JSON.stringify({ session: mvArena.session }),
            headers: { "content-type": "application/json", "x-mvr-voter": localStorage.getItem("mv_voter") },
        }).then((answer) => answer.json())"""
    )
    standing = {(vote["aspect"], vote["outcome"], vote["reasons"]) for vote in mine["votes"][-2:]}
    assert standing == {("fit", "tie", '["tempo"]'), ("quality", "right", "[]")}
    page.locator("[name=mv-grade-0][value='2']").check()
    page.get_by_role("button", name="Show what they were").click()
    in_step(page, "named")
    assert SYSTEMS.search(page.locator("[data-part=reveal]").inner_text())
    first = page.evaluate("() => mvArena.battle.token")
    page.keyboard.press("n")
    page.wait_for_function(
        f"() => mvArena.battle.token !== {json.dumps(first)} && mvArena.step === 'battle'", timeout=90_000
    )
    assert not visitor.errors


def test_switching_keeps_the_place_and_sound_and_picture_stay_together(new_visitor: Any) -> None:
    page = arena(new_visitor())
    start(page)
    page.keyboard.press("q")
    page.wait_for_function("() => mvArena.playing && mvArena.heard[0] > 1500", timeout=60_000)
    before = page.evaluate("() => document.querySelector('#mv-arena video').currentTime")
    spent = page.evaluate(
        """() => {
            const t = performance.now();
            document.querySelector("[data-side='1']").click();
            return performance.now() - t;
        }"""
    )
    after = page.evaluate("() => document.querySelector('#mv-arena video').currentTime")
    assert spent < 50 and 0 <= after - before < 1.0
    page.wait_for_timeout(3000)
    offsets = page.evaluate("() => mvArena.offsets")
    print(f"switch {spent:.1f} ms, picture against sound {1000 * offsets[0]:.0f} ms")
    assert abs(offsets[0]) < 0.25


def test_a_reload_gives_the_same_battle_back(new_visitor: Any) -> None:
    visitor = new_visitor()
    page = arena(visitor)
    start(page)
    token = page.evaluate("() => mvArena.battle.token")
    page.reload()
    page.wait_for_function(
        "() => document.querySelector('#mv-arena')?.dataset.step === 'sound'", timeout=60_000
    )
    start(page)
    assert page.evaluate("() => mvArena.battle.token") == token


def test_nothing_before_the_vote_tells_the_systems_apart(new_visitor: Any, server: Any) -> None:
    visitor = new_visitor()
    seen: list[tuple[str, dict[str, str], bytes]] = []
    visitor.page.on(
        "response",
        lambda r: (
            seen.append((r.url, r.all_headers(), r.body() if r.request.resource_type != "document" else b""))
            if "/arena/battle" in r.url or "/media/" in r.url
            else None
        ),
    )
    page = arena(visitor)
    start(page)
    page.wait_for_timeout(500)
    sounds = [(headers, body) for url, headers, body in seen if url.endswith(".wav")]
    assert len(sounds) == 2
    assert len(sounds[0][1]) == len(sounds[1][1]), "file sizes differ"
    assert sounds[0][1][:44] == sounds[1][1][:44], "WAV headers differ"
    library = [
        item["title"]
        for item in json.loads(DEMO.read_text(encoding="utf-8"))["items"]
        if item["kind"] == "track"
    ]
    files = [address for _, _, body in seen if b"needed_ms" in body for address in _addresses(body)]
    assert len(files) == 3 and all(re.search(r"^media/[\w-]+/\d\.(wav|mp4)$", address) for address in files)
    for url, headers, body in seen:
        text = f"{url} {headers}" + (body.decode() if "/arena/" in url else "")
        if "/arena/" in url or any(url.endswith(address) for address in files):
            assert not SYSTEMS.search(text), text
            assert not any(title in text for title in library)
    dom = page.locator("#mv-arena").inner_html().replace("random number", "")  # of the consent text
    assert not SYSTEMS.search(dom) and not any(title in dom for title in library)


def _addresses(body: bytes) -> list[str]:
    shown = json.loads(body)
    return [*shown["videos"], *shown["sounds"]]


def test_two_clips_for_one_music_on_a_phone(new_visitor: Any) -> None:
    visitor = new_visitor(viewport={"width": 375, "height": 780}, has_touch=True, is_mobile=True)
    page = arena(visitor)
    page.locator("[name=mv-direction][value=m2v]").check()
    start(page)
    assert page.evaluate("() => [mvArena.battle.videos.length, mvArena.battle.sounds.length]") == [2, 1]
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    page.locator("[data-side='1']").tap()
    page.wait_for_function("() => mvArena.heard[1] > 300", timeout=60_000)
    assert page.locator("#mv-arena video.is-on").count() == 1
    assert not visitor.errors


def test_declining_leaves_the_other_tabs_usable(new_visitor: Any) -> None:
    page = arena(new_visitor())
    page.get_by_role("button", name="No, thanks").click()
    in_step(page, "declined")
    page.get_by_role("tab", name="Leaderboard").click()
    page.locator("#mv-board .mv-board").wait_for(timeout=60_000)


def test_a_list_is_graded_by_keyboard_alone_and_blind(new_visitor: Any) -> None:
    visitor = new_visitor()
    answers: list[str] = []
    visitor.page.on(
        "response", lambda r: answers.append(r.text()) if r.url.endswith("/arena/judge-next") else None
    )
    page = arena(visitor)
    page.locator("[name=mv-direction][value=grade]").check()
    page.get_by_role("button", name="I agree, start").click()
    page.get_by_role("button", name="Start voting").click()
    in_step(page, "grading")
    place = page.locator("[data-part=place]")
    assert re.fullmatch(r"Graded 0 of \d+", place.inner_text())
    assert page.locator("[data-grade='3']").is_disabled() and page.locator("[data-grade=none]").is_enabled()
    page.keyboard.press(" ")
    page.wait_for_function("() => mvArena.heard[0] >= mvArena.battle.needed_ms", timeout=60_000)
    page.keyboard.press("2")
    page.wait_for_function(
        "() => document.querySelector('[data-part=place]').innerText.startsWith('Graded 1')"
    )
    in_step(page, "grading")
    page.keyboard.press("s")
    page.wait_for_function(
        "() => document.querySelector('[data-part=place]').innerText.startsWith('Graded 2')"
    )
    in_step(page, "grading")
    assert len(answers) == 3 and not any(SYSTEMS.search(answer) for answer in answers)
    assert not any(word in answer for answer in answers for word in ("title", "rank", "found_by", "query"))
    page.locator("[name=mv-direction][value=v2m]").check()
    in_step(page, "battle")


def test_a_participant_id_without_a_study_is_ignored_with_one_sentence(new_visitor: Any) -> None:
    page = arena(new_visitor(), "?tab=vote&pid=P17")
    assert "No study runs here" in page.locator("[data-part=status]").inner_text()

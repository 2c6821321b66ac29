"""A blind vote in a real browser: consent, listening, switching in place, voting, undo, reveal, next."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mvr.votes.ids import new_id
from mvr.votes.records import Judgment
from mvr.votes.store import VoteStore
from tests.browser.conftest import PHONE, Visitor, both_sizes, fits, on_screens
from tests.browser.voting import SYSTEMS, arena, in_step, listen, start

pytestmark = pytest.mark.browser


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
    page.keyboard.press("u")  # at once: it is possible for ten seconds
    in_step(page, "battle")
    assert page.locator("[data-part=mine]").inner_text() == "0"
    page.get_by_text("What decides? Optional.").click()
    page.get_by_label("tempo").check()
    page.keyboard.press("3")
    in_step(page, "voted")
    assert "Saved" in page.locator("[data-part=status]").inner_text()
    assert page.locator("[data-part=mine]").inner_text() == "1"
    page.get_by_role("button", name="B is better music").click()
    page.wait_for_function(
        "() => document.querySelector('[data-quality=right]')?.getAttribute('aria-pressed') === 'true'"
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
    assert "of your 1 votes may count on the leaderboard" in page.locator("[data-part=became]").inner_text()
    assert "Votes saved on this server:" in page.locator("[data-part=saved]").inner_text()
    first = page.evaluate("() => mvArena.battle.token")
    page.keyboard.press("n")
    page.wait_for_function(f"() => mvArena.battle.token !== {json.dumps(first)} && mvArena.step === 'battle'")
    assert not visitor.errors


def test_a_reload_gives_the_same_battle_back(new_visitor: Any) -> None:
    visitor = new_visitor()
    page = arena(visitor)
    start(page)
    token = page.evaluate("() => mvArena.battle.token")
    page.reload()
    page.wait_for_function("() => document.querySelector('#mv-arena')?.dataset.step === 'sound'")
    start(page)
    assert page.evaluate("() => mvArena.battle.token") == token


@on_screens(PHONE)
def test_two_clips_for_one_music_are_voted_on_with_a_finger(visitor: Visitor) -> None:
    page = arena(visitor)
    page.locator("[name=mv-direction][value=m2v]").check()
    start(page)
    assert page.evaluate("() => [mvArena.battle.videos.length, mvArena.battle.sounds.length]") == [2, 1]
    assert (
        page.locator("[data-part=status]").inner_text() == "Press A or B to watch. The music keeps its place."
    )
    visitor.rest()
    assert fits(page)
    page.locator("[data-side='1']").tap()
    page.wait_for_function("() => mvArena.heard[1] >= mvArena.battle.needed_ms")
    assert page.locator("#mv-arena video.is-on").count() == 1
    page.locator("[data-side='0']").tap()
    page.locator("[data-outcome=left]:enabled").tap()
    in_step(page, "voted")
    page.get_by_role("button", name="Show what they were").tap()
    in_step(page, "named")
    assert "of your 1 votes may count on the leaderboard" in page.locator("[data-part=became]").inner_text()
    assert not visitor.errors


def test_declining_leaves_the_other_tabs_usable(new_visitor: Any) -> None:
    page = arena(new_visitor())
    page.get_by_role("button", name="No, thanks").click()
    in_step(page, "declined")
    page.get_by_role("tab", name="Leaderboard").click()
    page.locator("#mv-board .mv-board").wait_for()


def disagree(server: Any) -> None:
    """Somebody else gave a 0 to what was graded last."""
    with VoteStore.open(Path(server.home) / "votes.sqlite") as store:
        mine = store.rows(Judgment)[-1]
        store.add(replace(mine, judgment_id=new_id(), voter_id="somebody else", grade=0))


def test_a_list_is_graded_by_keyboard_alone_and_blind(new_visitor: Any, server: Any) -> None:
    visitor = new_visitor()
    given: list[Any] = []
    visitor.page.on("response", lambda r: given.append(r) if r.url.endswith("/arena/judge-next") else None)
    page = arena(visitor)
    page.locator("[name=mv-direction][value=grade]").check()
    page.get_by_role("button", name="I agree, start").click()
    page.get_by_role("button", name="Start voting").click()
    in_step(page, "grading")
    place = page.locator("[data-part=place]")
    assert re.fullmatch(r"Graded 0 of \d+", place.inner_text())
    assert page.locator("[data-grade='3']").is_disabled() and page.locator("[data-grade=none]").is_enabled()
    page.keyboard.press(" ")
    page.wait_for_function("() => mvArena.heard[0] >= mvArena.battle.needed_ms")
    page.keyboard.press("2")
    page.wait_for_function(
        "() => document.querySelector('[data-part=place]')?.innerText.startsWith('Graded 1')"
    )
    in_step(page, "grading")
    disagree(server)
    page.keyboard.press("s")
    page.wait_for_function(
        "() => document.querySelector('[data-part=place]')?.innerText.startsWith('Graded 2')"
    )
    in_step(page, "grading")
    page.keyboard.press("r")
    page.wait_for_function(
        "() => document.querySelector('[data-part=place]')?.innerText === 'Disagreement 1 of 1'"
        " && mvArena.step === 'grading'"
    )
    assert page.locator("[data-part=disputed]").inner_text() == "Grades so far: 0, 2. Yours: 2."
    page.keyboard.press("s")
    page.wait_for_function(
        "() => document.querySelector('[data-part=place]')?.innerText.startsWith('Graded 2')"
        " && mvArena.step === 'grading'"
    )
    given.pop()  # the item that was open before is handed out again
    answers = [response.text() for response in given]
    assert len(answers) == 3 and not any(SYSTEMS.search(answer) for answer in answers)
    assert not any(word in answer for answer in answers for word in ("title", "rank", "found_by", "query"))
    page.locator("[name=mv-direction][value=v2m]").check()
    in_step(page, "battle")


def test_a_participant_id_without_a_study_is_ignored_with_one_sentence(new_visitor: Any) -> None:
    page = arena(new_visitor(), "?tab=vote&pid=P17")
    assert "No study runs here" in page.locator("[data-part=status]").inner_text()


@both_sizes
def test_a_battle_fits_on_one_screen_and_every_button_shows_its_key(visitor: Visitor) -> None:
    page = arena(visitor)
    start(page)
    visitor.rest()
    page.evaluate("scrollTo(0, 0)")
    places = page.evaluate(
        """() => ["[data-side]", "[data-outcome]", "video.is-on"]
          .flatMap((part) => [...document.querySelectorAll("#mv-arena " + part)])
          .map((part) => [part.getBoundingClientRect(), part.innerText])
          .map(([at, words]) => [at.top, at.bottom, at.height, words])"""
    )
    assert len(places) == 8
    for top, bottom, height, words in places:
        assert top >= 0 and bottom <= page.viewport_size["height"] and height >= 40, (top, bottom, words)
    keys = page.locator("#mv-arena [data-side] kbd, #mv-arena [data-outcome] kbd").all_inner_texts()
    assert keys == ["Q", "W", "1", "2", "3", "4", "5"]

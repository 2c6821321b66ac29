"""Whole visits by keyboard alone, on a large screen and on a phone, and battles on a visitor's own clip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mvr.votes.records import Battle, Vote
from mvr.votes.store import VoteStore
from tests.browser.conftest import PHONE, fits, screen_of
from tests.browser.voting import arena, by_tab, in_step, post, start

pytestmark = pytest.mark.browser
BATTLES = 12


def rows(server: Any, page: Any, record: Any) -> list[Any]:
    voter = page.evaluate("() => localStorage.getItem('mv_voter')").rpartition(".")[0]
    with VoteStore.open(Path(server.home) / "votes.sqlite") as store:
        return list(store.rows(record, voter_id=voter))


@pytest.mark.slow
def test_two_visitors_cast_twelve_votes_each_by_keyboard_alone(new_visitor: Any, server: Any) -> None:
    pages = [arena(new_visitor()), arena(new_visitor(**screen_of(PHONE)))]
    for page in pages:
        by_tab(page, "I agree, start")
        page.wait_for_function("() => mvArena.step === 'sound'")
        by_tab(page, "Start voting")
    for number in range(BATTLES):
        for page in pages:
            in_step(page, "battle")
            page.keyboard.press("q")
        for side, key in ((0, "w"), (1, "1234"[number % 4])):
            for page in pages:
                page.wait_for_function(f"() => mvArena.heard[{side}] >= mvArena.battle.needed_ms")
                page.keyboard.press(key)
        for page in pages:
            in_step(page, "voted")
            assert page.locator("[data-part=mine]").inner_text() == str(number + 1)
            assert fits(page)
            page.keyboard.press("n")
    for page in pages:
        in_step(page, "battle")
        votes, battles = rows(server, page, Vote), rows(server, page, Battle)
        assert [vote.outcome for vote in votes] == ["left", "right", "tie", "both_bad"] * (BATTLES // 4)
        assert len({vote.battle_id for vote in votes}) == BATTLES
        shown = [battle for battle in battles if battle.kind != "identical"]
        assert len(shown) == BATTLES + 1, "each battle was drawn once, and one more is open"


def test_a_battle_on_an_own_clip_is_nobody_elses(new_visitor: Any, server: Any, clips: Any) -> None:
    visitor, other = new_visitor(), new_visitor()
    page = arena(visitor)
    start(page)
    page.get_by_role("button", name="Vote on my own clip").click()
    visitor.upload("mv-own-clip", clips("own.mp4", "-pix_fmt", "yuv420p", seconds=6))
    visitor.status("done")
    page.wait_for_function("() => document.querySelector('#mv-arena')?.dataset.own")
    ticket = page.evaluate("() => document.querySelector('#mv-arena').dataset.own")
    assert visitor.errors == []
    page.wait_for_function("() => mvArena.heard[0] >= 0")
    status, _ = post(page, "battle", direction="v2m", own=ticket)
    assert status == 200
    stranger = arena(other)
    start(stranger)
    assert other.errors == []
    with stranger.expect_console_message(lambda told: "422" in told.text):
        status, answer = post(stranger, "battle", direction="v2m", own=ticket)
    assert status == 422 and answer["error"] == "your own clip is no longer here; upload it again"
    other.errors.clear()  # the browser notes the refused call; nothing else went wrong

    page.keyboard.press("5")  # skip what is open: the next one is about the clip
    page.wait_for_function("() => !document.querySelector('#mv-arena').dataset.own")
    in_step(page, "battle")
    assert page.evaluate("() => Math.abs(mvArena.battle.duration_s - 6) < 0.3")
    own = [battle for battle in rows(server, page, Battle) if battle.source == "upload"]
    assert own and all(battle.query_id == ticket and battle.query_sha256 is None for battle in own)
    assert all(battle.source != "upload" for battle in rows(server, stranger, Battle))
    for key, side in (("q", 0), ("w", 1)):
        page.keyboard.press(key)
        page.wait_for_function(f"() => mvArena.heard[{side}] >= mvArena.battle.needed_ms")
    page.keyboard.press("2")
    in_step(page, "voted")
    assert rows(server, page, Vote)[-1].battle_id == own[-1].battle_id

"""A visitor's own taste in the search tabs: after twenty of their votes it may order the list, and says what it did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from mvr.datatypes import Modality
from mvr.library import open_demo_library
from mvr.page.voting.reception import CONSENT_VERSION
from mvr.votes.records import Battle, Consent, Side, Vote
from mvr.votes.store import VoteStore
from tests.browser.conftest import ROWS, choose, on_a_phone_too

pytestmark = pytest.mark.browser


def vote_for_fast_music(db: Path, voter: str, count: int, seed: int) -> None:
    """Votes as the arena stores them, of somebody who prefers the faster of two tracks."""
    library = open_demo_library()
    tracks, videos = (
        sorted(library.items(kind), key=lambda item: item.id) for kind in (Modality.AUDIO, Modality.VIDEO)
    )
    rng = np.random.default_rng(seed)
    with VoteStore.open(db) as store:
        store.add(Consent(voter_id=voter, session_id="s", version=CONSENT_VERSION, text_sha256="0"))
        for _ in range(count):
            query = videos[rng.integers(len(videos))]
            pair = [tracks[place] for place in rng.choice(len(tracks), 2, replace=False)]
            sides = [
                Side(system_id=name, system_version="1", item_id=item.id, item_group_id=item.id)
                for name, item in zip("ab", pair, strict=True)
            ]
            battle = Battle(
                voter_id=voter, session_id="s", direction="v2m", query_id=query.id, query_group_id=query.id,
                left=sides[0], right=sides[1], pool_version="1", pool_size=len(tracks), policy_id="uniform-v1",
                pair_prob=1.0, seed=0, ui_version="1",
            )  # fmt: skip
            faster = (pair[0].tempo_bpm or 0) >= (pair[1].tempo_bpm or 0)
            vote = Vote(
                battle_id=battle.battle_id, voter_id=voter, session_id="s", consent_version=CONSENT_VERSION,
                outcome="left" if faster else "right", listen_left_ms=6000, listen_right_ms=6000,
            )  # fmt: skip
            store.add(battle)
            store.add(vote)


def tracks_of(page: Any) -> list[str]:
    return list(page.eval_on_selector_all(ROWS, "rows => rows.map(row => row.dataset.id)"))


def order(page: Any, name: str, said: str) -> list[str]:
    if not page.locator("#mv-order-v2m").is_visible():
        page.locator("#mv-tab-video-to-music").get_by_role("button", name="Refine").click()
    choose(page.locator("#mv-order-v2m").get_by_role("radio", name=name))
    page.wait_for_function(
        "said => (document.querySelector('#mv-results-v2m [data-part=taste-note]')?.innerText || '').includes(said)",
        arg=said,
    )
    return tracks_of(page)


def switch_off(page: Any, plain: list[str]) -> None:
    choose(page.locator("#mv-order-v2m").get_by_role("radio", name="As the system ranks"))
    expect(page.locator("#mv-results-v2m [data-part=taste-note]")).to_have_count(0)
    page.wait_for_function(
        f"plain => String([...document.querySelectorAll('{ROWS}')].map(row => row.dataset.id)) === String(plain)",
        arg=plain,
    )


@on_a_phone_too
def test_my_taste_says_how_many_votes_are_missing_then_orders_the_list_and_can_be_switched_off(
    new_visitor: Any, server: Any
) -> None:
    visitor, stranger = new_visitor(), new_visitor()
    page = visitor.open("?tab=vote")
    page.wait_for_function("() => localStorage.getItem('mv_voter')")
    voter = page.evaluate("() => localStorage.getItem('mv_voter')").rpartition(".")[0]
    vote_for_fast_music(server.home / "votes.sqlite", voter, 7, seed=1)
    page.get_by_role("tab", name="Video to music").click()
    page.locator("#mv-examples-v2m [data-event=pick]").first.click()
    page.locator(ROWS).first.wait_for()
    page.locator("#mv-tab-video-to-music .mv-status-busy").wait_for(state="detached")
    visitor.rest()
    plain = tracks_of(page)
    assert order(page, "My taste", "7 so far, 13 to go") == plain

    switch_off(page, plain)
    vote_for_fast_music(server.home / "votes.sqlite", voter, 60, seed=2)
    mine = order(page, "My taste", "Your 67 votes moved")
    assert mine != plain and len(mine) == len(plain)
    tempo = {item.id: item.tempo_bpm or 0.0 for item in open_demo_library().items(Modality.AUDIO)}
    assert np.mean([tempo[track] for track in mine[:5]]) > np.mean([tempo[track] for track in plain[:5]])

    switch_off(page, plain)

    other = stranger.open()
    other.locator("#mv-examples-v2m [data-event=pick]").first.click()
    other.locator(ROWS).first.wait_for()
    other.locator("#mv-tab-video-to-music .mv-status-busy").wait_for(state="detached")
    stranger.rest()
    assert order(other, "My taste", "0 so far, 20 to go") == plain, "one's own is nobody else's"
